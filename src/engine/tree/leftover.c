// SPDX-License-Identifier: MIT
/* Recognizes lullcp's own files in a user's tree: see leftover.h. */
#include "engine/tree/leftover.h"

#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>

/* These are made by dest.c, row.c, discard.c and restore.c, and those with "~" by
   state.c. The last one is named in temporary.c. */
static const struct {
	const char *suffix;
	bool directory;
} kinds[] = {
	{ ".lullcp", false },
	{ ".lullcp~", false },
	{ ".lullcp-part", false },
	{ ".lullcp-discard", false },
	{ ".lullcp-restore", false },
	{ ".lullcp-generations", false },
	{ ".lullcp-generations~", false },
	{ ".lullcp-snap", true },
	{ ".lullcp-new", false },
};

bool lull_leftover_is(int dir, const char *name)
{
	size_t len = strlen(name);
	struct stat st;

	if (name[0] != '.')
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		size_t tail = strlen(kinds[i].suffix);

		if (len < tail + 2 || strcmp(name + len - tail, kinds[i].suffix) != 0)
			continue;
		return fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		       (kinds[i].directory ? S_ISDIR(st.st_mode)
					   : S_ISREG(st.st_mode) || S_ISLNK(st.st_mode));
	}
	return false;
}
