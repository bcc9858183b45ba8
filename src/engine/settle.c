// SPDX-License-Identifier: MIT
/* One sync for many files: see settle.h. */
#include "engine/settle.h"

#include "sys/commit.h"

#include <errno.h>

/* A sync of the whole file system takes what others have written to it as well; this many
   syncs of single files are no dearer. */
#define ONE_BY_ONE 16u

static void done(struct lull_file *f, int r)
{
	f->settled = true;
	f->settle_err = -r;
}

/* Ended alike: all of the file system that do not wait for a commit of their own. */
static void done_on(struct lull_file *const *files, unsigned int n, uint64_t dev, int r)
{
	for (unsigned int i = 0; i < n; i++) {
		if (!files[i]->settled && files[i]->commit == 0 && files[i]->made.st_dev == dev)
			done(files[i], r);
	}
}

static void wait_for(struct lull_file *const *files, unsigned int n, const struct lull_file *first)
{
	uint64_t commit = first->commit, dev = first->made.st_dev;
	int r = lull_commit_wait(first->done_fd, commit);

	/* A number that is too old to be known was committed long ago; but do not rest on that. */
	if (r == -EINVAL)
		r = syncfs(first->done_fd) < 0 ? -errno : 0;
	for (unsigned int i = 0; i < n; i++) {
		if (files[i]->commit == commit && files[i]->made.st_dev == dev)
			done(files[i], r);
	}
}

static void sync_each(struct lull_file *const *files, unsigned int n, uint64_t dev)
{
	for (unsigned int i = 0; i < n; i++) {
		struct lull_file *f = files[i];

		if (!f->settled && f->commit == 0 && f->made.st_dev == dev)
			done(f, fdatasync(f->done_fd) < 0 ? -errno : 0);
	}
}

/* first: the first one of its file system. */
static void sync_on(struct lull_file *const *files, unsigned int n, const struct lull_file *first)
{
	uint64_t dev = first->made.st_dev, commit;
	unsigned int wait = 0;
	bool unwritten = false;
	int r = -ENOTTY;

	for (unsigned int i = 0; i < n; i++) {
		if (files[i]->settled || files[i]->commit || files[i]->made.st_dev != dev)
			continue;
		wait++;
		unwritten = unwritten || files[i]->unwritten;
	}
	if (wait <= ONE_BY_ONE && lull_commit_syncs_unnamed(first->done_fd)) {
		sync_each(files, n, dev);
		return;
	}
	if (!unwritten)
		r = lull_commit_start(first->done_fd, &commit);
	if (r == 0)
		r = lull_commit_wait(first->done_fd, commit);
	if (r < 0)
		r = syncfs(first->done_fd) < 0 ? -errno : 0;
	done_on(files, n, dev, r);
}

void lull_settle_begin(struct lull_file *const *files, unsigned int n)
{
	uint64_t dev, commit;

	if (n == 0)
		return;
	dev = files[0]->made.st_dev;
	for (unsigned int i = 0; i < n; i++) {
		if (files[i]->unwritten || files[i]->made.st_dev != dev)
			return;
	}
	if (lull_commit_start(files[0]->done_fd, &commit) < 0)
		return;
	for (unsigned int i = 0; i < n; i++)
		files[i]->commit = commit;
}

void lull_settle(struct lull_file *const *files, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		if (files[i]->settled)
			continue;
		if (files[i]->commit)
			wait_for(files, n, files[i]);
		else
			sync_on(files, n, files[i]);
	}
}
