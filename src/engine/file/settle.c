// SPDX-License-Identifier: MIT
/* One sync for many files: see settle.h. */
#include "engine/file/settle.h"

#include "sys/traits.h"

#include <errno.h>

/* A sync of the whole file system takes what others have written to it as well; this many
   syncs of single files are no dearer. */
#define ONE_BY_ONE 16u

static void done(struct lull_file *f, int r)
{
	f->settled = true;
	f->settle_err = -r;
}

/* Ended alike: all of the file system. */
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

/* first: the first one of its file system. */
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
