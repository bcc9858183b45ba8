// SPDX-License-Identifier: MIT
/* Makes temporary names: see temporary.h. */
#include "engine/file/temporary.h"

#include "sys/clock.h"
#include "sys/rename_free.h"
#include "util/path.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

void lull_temporary_name(unsigned int try, char ret_name[static 64])
{
	(void)snprintf(ret_name, 64, ".%x-%x.lullcp-new", (unsigned int)getpid(),
		       (unsigned int)lull_clock_now() + try);
}

int lull_temporary_take(int dir, const char *temporary, const char *name, bool replaces)
{
	int r = !replaces ? lull_rename_free(dir, temporary, name)
		: renameat(dir, temporary, dir, name) < 0 ? -errno
							  : 0;

	if (r < 0)
		(void)unlinkat(dir, temporary, 0);
	return r;
}

int lull_temporary_replace(int dir, const char *name,
			   int (*make)(int dir, const char *name, const void *ctx),
			   const void *ctx)
{
	int r = -EEXIST;

	for (unsigned int i = 0; r == -EEXIST && i < LULL_TEMPORARY_TRIES; i++) {
		_cleanup_free_ char *temporary = NULL;
		char bare[64];

		lull_temporary_name(i, bare);
		temporary = lull_path_beside(name, bare);
		if (!temporary)
			return -ENOMEM;
		r = make(dir, temporary, ctx);
		if (r < 0)
			continue;
		r = renameat(dir, temporary, dir, name) < 0 ? -errno : 0;
		/* If both were one file already, the rename has done nothing. */
		(void)unlinkat(dir, temporary, 0);
		return r;
	}
	return r;
}
