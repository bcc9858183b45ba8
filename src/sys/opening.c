// SPDX-License-Identifier: MIT
/* See opening.h. */
#include "sys/opening.h"

#include "sys/clock.h"
#include "util/path.h"

#include <errno.h>

/* How often to check whether the lease has been released. */
#define LOOK_NS (10 * NSEC_PER_MSEC)

int lull_open_patiently(int dir, const char *name, int flags, mode_t mode,
			bool (*stop)(void *ctx), void *ctx)
{
	for (;;) {
		int fd = openat(dir, name, flags, mode);

		if (fd >= 0)
			return fd;
		if (errno != EINTR && errno != EWOULDBLOCK)
			return -errno;
		/* Do not use a blocking open: the name may be that of a FIFO by then. */
		if (errno == EWOULDBLOCK)
			lull_clock_sleep(LOOK_NS);
		if (stop && stop(ctx))
			return -ECANCELED;
	}
}

int lull_open_parent(const char *path, int how)
{
	_cleanup_free_ char *head = lull_path_head(path);
	int fd = head ? open(head, how | O_DIRECTORY | O_CLOEXEC) : -1;

	return fd >= 0 ? fd : head ? -errno : -ENOMEM;
}
