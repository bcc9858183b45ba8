// SPDX-License-Identifier: MIT
/* Syncs many files at once: see settle.h. */
#include "engine/file/settle.h"

#include "sys/traits.h"

#include <errno.h>

/* The most files to sync one by one. A sync of the whole file system also writes what
   others have written to it; this many syncs of single files are no more expensive. */
#define ONE_BY_ONE 16u

static void done(struct lull_file *f, int r)
{
	f->settled = true;
	f->settle_err = -r;
}

/* Marks all files of a file system as synced, with the same result. */
static void done_on(struct lull_file *const *files, unsigned int n, uint64_t dev, int r)
{
	for (unsigned int i = 0; i < n; i++) {
		if (!files[i]->settled && files[i]->made.st_dev == dev)
			done(files[i], r);
	}
}

static void sync_each(struct lull_file *const *files, unsigned int n, uint64_t dev)
{
	for (unsigned int i = 0; i < n; i++) {
		struct lull_file *f = files[i];

		if (!f->settled && f->made.st_dev == dev)
			done(f, fdatasync(f->done_fd) < 0 ? -errno : 0);
	}
}

/* Syncs all files on one file system, of which first is the first in the list. */
static void sync_on(struct lull_file *const *files, unsigned int n,
		    const struct lull_file *first)
{
	uint64_t dev = first->made.st_dev;
	unsigned int wait = 0;

	for (unsigned int i = 0; i < n; i++)
		wait += !files[i]->settled && files[i]->made.st_dev == dev;
	if (wait <= ONE_BY_ONE && first->traits & LULL_TRAIT_SYNCS_UNNAMED)
		sync_each(files, n, dev);
	else
		done_on(files, n, dev, syncfs(first->done_fd) < 0 ? -errno : 0);
}

void lull_settle(struct lull_file *const *files, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		if (!files[i]->settled)
			sync_on(files, n, files[i]);
	}
}
