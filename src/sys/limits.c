// SPDX-License-Identifier: MIT
#include "sys/limits.h"

#include "util/macros.h"

#include <limits.h>
#include <stdbool.h>
#include <sys/resource.h>

static struct rlimit before;
static bool raised;

unsigned int lull_limits_raise(unsigned int wanted)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return _POSIX_OPEN_MAX;
	if (limit.rlim_cur < wanted && limit.rlim_cur < limit.rlim_max) {
		struct rlimit higher = limit;

		higher.rlim_cur = MIN((rlim_t)wanted, limit.rlim_max);
		if (setrlimit(RLIMIT_NOFILE, &higher) == 0) {
			if (!raised)
				before = limit;
			raised = true;
			limit = higher;
		}
	}
	return (unsigned int)MIN(limit.rlim_cur, (rlim_t)INT_MAX);
}

void lull_limits_restore(void)
{
	if (raised)
		(void)setrlimit(RLIMIT_NOFILE, &before);
}
