// SPDX-License-Identifier: MIT
/* Gives a new inode its attributes: see dress.h. */
#include "engine/file/dress.h"

#include "engine/file/preserve.h"
#include "sys/traits.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

bool lull_dress_keep(struct lull_file *f, int src, int fd, const struct stat *dst,
		     bool fresh)
{
	const struct lull_entry *e = &f->entry;
	bool lists = S_ISREG(e->src.st_mode) && f->traits & LULL_TRAIT_LISTS_ACLS;
	struct lull_preserve keep = {
		.cp = e->tree->cp,
		.observer = f->observer,
		.umask = e->tree->options->umask,
		.from = { .fd = src,
			  .dir = e->src_dir->fd,
			  .name = e->src_name,
			  .regular = S_ISREG(e->src.st_mode),
			  .lists_acls = lists && e->src.st_dev == dst->st_dev },
		.to = { .fd = fd,
			.dir = e->dst_dir->fd,
			.name = e->dst_name,
			.lists_acls = lists },
		.from_path = e->src_path,
		.to_path = e->dst_path,
		.src = &e->src,
		.dst = *dst,
		.fresh = fresh,
		.omitted = fresh ? f->omitted : 0,
	};

	return lull_preserve_attributes(&keep);
}

bool lull_dress_can_own(const struct lull_file *f, int fd)
{
	const struct stat *old = &f->entry.dst;
	struct lull_file_at file = { .fd = fd };
	struct stat st;

	if (fstat(fd, &st) < 0)
		return false;
	return (st.st_uid == old->st_uid && st.st_gid == old->st_gid) ||
	       lull_metadata_chown(&file, old->st_uid, old->st_gid) == 0;
}

int lull_dress_as_old(const struct lull_file *f, int old, int fd)
{
	const struct stat *st = &f->entry.dst;
	struct timespec times[2] = { st->st_atim, { .tv_nsec = UTIME_OMIT } };
	struct lull_file_at from = { .fd = old }, to = { .fd = fd };
	mode_t mode = st->st_mode & 07777;
	bool reading;
	int r;

	/* A write clears the setuid bits, unless the writer may set them again. */
	if (geteuid() != 0)
		mode &= (mode_t) ~(S_ISUID | (mode & S_IXGRP ? S_ISGID : 0));
	r = lull_metadata_inherit(old, fd);
	if (r == 0)
		r = lull_metadata_copy_permissions(&from, &to, mode,
						   LULL_METADATA_UNKNOWN, &reading);
	if (r == 0)
		r = lull_metadata_set_times(&to, times);
	return r;
}

int lull_dress_as_new(const struct lull_file *f, int dir, int fd)
{
	/* Only the kernel knows all the rules, so make a file with that mode and look. */
	_cleanup_close_ int sample = openat(dir, ".", O_TMPFILE | O_RDWR | O_CLOEXEC,
					    f->mode & ~f->omitted);
	struct lull_file_at from = { .fd = sample }, to = { .fd = fd };
	struct stat st;
	bool reading;

	if (sample < 0)
		return lull_metadata_set_permissions(
			&to, f->mode & ~f->omitted & ~f->entry.tree->options->umask);
	if (fstat(sample, &st) < 0)
		return -errno;
	return lull_metadata_copy_permissions(&from, &to, st.st_mode & 07777,
					      LULL_METADATA_UNKNOWN, &reading);
}
