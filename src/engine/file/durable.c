// SPDX-License-Identifier: MIT
/* Syncs files at the end: see durable.h. */
#include "engine/file/durable.h"

#include <errno.h>
#include <fcntl.h>

static bool has_dev(const struct lull_durable *d, uint64_t dev)
{
	for (unsigned int i = 0; i < d->n; i++) {
		if (d->dev[i] == dev)
			return true;
	}
	return false;
}

/* Keeps only one descriptor for each file system. */
static void become_many(struct lull_durable *d)
{
	unsigned int n = d->n;

	d->many = true;
	d->n = 0;
	for (unsigned int i = 0; i < n; i++) {
		if (has_dev(d, d->dev[i])) {
			(void)close(d->fd[i]);
			continue;
		}
		d->fd[d->n] = d->fd[i];
		d->dev[d->n++] = d->dev[i];
	}
}

void lull_durable_add(struct lull_copy_run *tree, uint64_t dev, int fd)
{
	struct lull_durable *d = &tree->durable;

	if (d->n >= tree->single_syncs && !d->many)
		become_many(d);
	if (tree->options->no_sync || (d->many && has_dev(d, dev))) {
		(void)close(fd);
		return;
	}
	/* There are more file systems than room: sync this one now. */
	if (d->n == LULL_DURABLE_FILES) {
		if (syncfs(fd) < 0 && d->err == 0)
			d->err = errno;
		(void)close(fd);
		return;
	}
	d->fd[d->n] = fd;
	d->dev[d->n++] = dev;
}

void lull_durable_add_directory(struct lull_copy_run *tree, int fd)
{
	struct stat st;
	int copy;

	if (tree->options->no_sync || fstat(fd, &st) < 0 ||
	    (tree->durable.many && has_dev(&tree->durable, st.st_dev)))
		return;
	copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (copy >= 0)
		lull_durable_add(tree, st.st_dev, copy);
}

static bool is_directory(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISDIR(st.st_mode);
}

/* If there are many, syncs the file systems. Otherwise syncs the directories or
   everything else. */
static void sync_them(struct lull_durable *d, bool directories, int *r)
{
	for (unsigned int i = 0; i < d->n; i++) {
		int done;

		if (!d->many && is_directory(d->fd[i]) != directories)
			continue;
		done = d->many ? syncfs(d->fd[i]) : fsync(d->fd[i]);
		/* A FIFO or a device has nothing to sync. */
		if (done < 0 && errno != EINVAL && errno != EROFS && *r == 0)
			*r = -errno;
	}
}

int lull_durable_sync(struct lull_copy_run *tree)
{
	struct lull_durable *d = &tree->durable;
	int r = -d->err;

	/* Sync what a name leads to before the name. */
	sync_them(d, false, &r);
	if (!d->many)
		sync_them(d, true, &r);
	for (unsigned int i = 0; i < d->n; i++)
		(void)close(d->fd[i]);
	d->n = 0;
	return r;
}
