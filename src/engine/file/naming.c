// SPDX-License-Identifier: MIT
/* Gives new files their names: see naming.h. */
#include "engine/file/naming.h"

#include "engine/base/beside.h"
#include "engine/file/make_way.h"
#include "engine/file/temporary.h"
#include "sys/inode.h"
#include "sys/traits.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>

static enum lull_outcome fail_create(struct lull_file *f, int err)
{
	return lull_file_fail(f, LULL_NOTE_CREATE, err, f->entry.dst_path);
}

/* Links an unnamed file. Returns 0, -EEXIST if the name is taken, or another -errno. */
static int link_unnamed(int fd, int dir, const char *name)
{
	char proc[64];

	if (linkat(fd, "", dir, name, AT_EMPTY_PATH) == 0)
		return 0;
	if (errno == EEXIST)
		return -EEXIST;
	(void)snprintf(proc, sizeof(proc), "/proc/self/fd/%d", fd);
	return linkat(AT_FDCWD, proc, dir, name, AT_SYMLINK_FOLLOW) < 0 ? -errno : 0;
}

enum lull_outcome lull_naming_taken(struct lull_file *f, int dir, const char *name)
{
	struct stat st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(st.st_mode))
		return lull_file_fail(f, LULL_NOTE_DANGLING, 0, f->entry.dst_path);
	return fail_create(f, EEXIST);
}

/* Replaces name by the unnamed file. Returns -EEXIST only if temporary names keep being
   taken. */
static int exchange(int fd, int dir, const char *name)
{
	char temporary[64];
	int r = -EEXIST;

	for (unsigned int i = 0; r == -EEXIST && i < LULL_TEMPORARY_TRIES; i++) {
		lull_temporary_name(i, temporary);
		r = link_unnamed(fd, dir, temporary);
	}
	return r < 0 ? r : lull_temporary_take(dir, temporary, name, true);
}

/*
 * Names the file by way of the temporary name that lull_clone() uses for it, and with
 * that lock. If this run is killed here, the next one finds what is left. sync: first
 * call fdatasync(2), which has an effect only when the file has a name. Returns 0,
 * -EEXIST if another run has the temporary name, or another -errno.
 */
static int by_way_of(int fd, int dir, const char *name, bool replaces, bool sync)
{
	_cleanup_free_ char *temporary = lull_beside_temporary(name);
	int r;

	if (!temporary)
		return -ENOMEM;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return -errno;
	r = link_unnamed(fd, dir, temporary);
	if (r < 0)
		return r;
	if (sync && fdatasync(fd) < 0) {
		r = -errno;
		(void)unlinkat(dir, temporary, 0);
		return r;
	}
	return lull_temporary_take(dir, temporary, name, replaces);
}

/* Names a single file. It is on disk before that, whatever the file system. */
static int name_alone(const struct lull_file *f, int dir, const char *name)
{
	int fd = f->done_fd;
	bool sync = !f->entry.tree->options->no_sync;

	if (sync && !(f->traits & LULL_TRAIT_SYNCS_UNNAMED))
		return by_way_of(fd, dir, name, f->replaces, true);
	if (f->replaces)
		return sync && fdatasync(fd) < 0 ? -errno
						 : by_way_of(fd, dir, name, true, false);
	if (sync && !(f->traits & LULL_TRAIT_KEEPS_ORDER) && fdatasync(fd) < 0)
		return -errno;
	return link_unnamed(fd, dir, name);
}

static enum lull_outcome give(struct lull_file *f, int dir, const char *name)
{
	int r;

	if (f->settle_err)
		return lull_file_fail(f, LULL_NOTE_SYNC, f->settle_err,
				      f->entry.dst_path);
	/* A backup, or a file that will be renamed, could never be removed. */
	if (f->replaces && lull_inode_only_grows(dir, "."))
		return fail_create(f, EPERM);
	r = lull_entry_back_up(&f->entry);
	if (r < 0)
		return lull_file_fail(f, LULL_NOTE_BACKUP, r, f->entry.dst_path);
	if (f->lone)
		r = name_alone(f, dir, name);
	else
		r = f->replaces ? exchange(f->done_fd, dir, name)
				: link_unnamed(f->done_fd, dir, name);
	if (r == -EEXIST && !f->replaces)
		return lull_naming_taken(f, dir, name);
	return r < 0 ? fail_create(f, r) : LULL_OK;
}

static void where(const struct lull_file *f, int *ret_dir, const char **ret_name)
{
	const struct lull_entry *e = &f->entry;
	bool apart = f->name_dir >= 0;

	*ret_dir = apart ? f->name_dir : e->dst_dir->fd;
	*ret_name = apart ? e->dst_last : e->dst_name;
}

void lull_naming_early(struct lull_file *f)
{
	const char *name;
	int dir;

	if (!f->due || !f->settled || f->settle_err || f->replaces || f->lone)
		return;
	where(f, &dir, &name);
	f->named = link_unnamed(f->done_fd, dir, name) == 0;
}

enum lull_outcome lull_naming_give(struct lull_file *f)
{
	enum lull_outcome outcome = LULL_OK;
	const char *name;
	int dir;

	where(f, &dir, &name);
	if (!f->named)
		outcome = give(f, dir, name);
	f->due = false;
	lull_close(&f->name_dir);
	if (outcome == LULL_OK)
		return LULL_OK;
	f->made = (struct stat){ 0 };
	lull_close(&f->done_fd);
	return outcome;
}

/* Returns true if the file must be on disk before it is named. A clone on XFS need not
   be, nor with no_sync. */
static bool must_wait(const struct lull_file *f)
{
	return !f->lone && !f->entry.tree->options->no_sync &&
	       (f->unwritten || !(f->traits & LULL_TRAIT_KEEPS_ORDER));
}

enum lull_outcome lull_naming_offer(struct lull_file *f, int fd, int dir, bool replaces,
				    enum lull_outcome outcome)
{
	enum lull_outcome named;

	f->done_fd = fd;
	f->name_dir = dir;
	f->replaces = replaces;
	f->due = true;
	if (must_wait(f))
		return outcome;
	named = lull_naming_give(f);
	return named == LULL_OK ? outcome : named;
}
