// SPDX-License-Identifier: MIT
#include "plan/fixes.h"

#include "util/macros.h"

#include <stdio.h>
#include <string.h>

struct version {
	unsigned int major, minor, patch;
};

/* The first version of each maintained series that has commit 2f4acd0fcd86 of Linux
   7.2. */
static const struct version fixed[] = {
	{ 5, 15, 212 }, { 6, 1, 178 }, { 6, 6, 145 },
	{ 6, 12, 96 },  { 6, 18, 39 }, { 7, 1, 4 },
};

static bool series_before(const struct version *v, unsigned int major, unsigned int minor)
{
	return v->major < major || (v->major == major && v->minor < minor);
}

enum lull_fix lull_fixes_writer_race(const char *release)
{
	struct version v = { 0 };
	int len = 0;

	if (sscanf(release, "%u.%u%n.%u%n", &v.major, &v.minor, &len, &v.patch, &len) < 2)
		return LULL_FIX_UNKNOWN;

	/* If something follows the version, it is a kernel of a distribution, or a test
	   version. */
	bool plain = release[len] == '\0';
	bool early = strncmp(release + len, "-rc", 3) == 0;

	if (series_before(&v, 4, 11))
		return plain ? LULL_FIX_PRESENT : LULL_FIX_UNKNOWN;
	if (!series_before(&v, 7, 2))
		return early && v.major == 7 && v.minor == 2 ? LULL_FIX_UNKNOWN
							     : LULL_FIX_PRESENT;
	for (unsigned int i = 0; i < ARRAY_SIZE(fixed); i++) {
		if (v.major != fixed[i].major || v.minor != fixed[i].minor)
			continue;
		if (v.patch >= fixed[i].patch)
			return LULL_FIX_PRESENT;
		return plain ? LULL_FIX_MISSING : LULL_FIX_UNKNOWN;
	}
	return LULL_FIX_UNKNOWN;
}
