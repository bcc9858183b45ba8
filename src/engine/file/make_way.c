// SPDX-License-Identifier: MIT
/* Moves existing files out of an entry's way: see make_way.h. */
#include "engine/file/make_way.h"

#include "engine/file/backup.h"
#include "sys/inode.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

static const char *strip(char *path)
{
	(void)lull_path_strip(path);
	return path;
}

/* Examines the directory of a name. For a link, that is the directory of the link itself,
   which is what cp uses too. */
static int stat_parent(int dir, const char *name, const char *last, struct stat *ret_st)
{
	_cleanup_free_ char *head = strndup(name, (size_t)(last - name));

	if (!head)
		return -ENOMEM;
	if (!*head && dir != AT_FDCWD)
		return fstat(dir, ret_st) < 0 ? -errno : 0;
	return fstatat(dir, *head ? strip(head) : ".", ret_st, AT_SYMLINK_NOFOLLOW) < 0
		       ? -errno
		       : 0;
}

bool lull_entry_is_same(int dir_a, const char *name_a, int dir_b, const char *name_b)
{
	const char *a = lull_path_last(name_a), *b = lull_path_last(name_b);
	size_t len = strcspn(a, "/");
	struct stat in_a, in_b;

	return len == strcspn(b, "/") && memcmp(a, b, len) == 0 &&
	       stat_parent(dir_a, name_a, a, &in_a) == 0 &&
	       stat_parent(dir_b, name_b, b, &in_b) == 0 && SAME_INODE(&in_a, &in_b);
}

/* Returns true if two names are of one file. */
static bool is_one(int dir, const char *a, const char *b)
{
	struct stat in_a, in_b;

	return fstatat(dir, a, &in_a, AT_SYMLINK_NOFOLLOW) == 0 &&
	       fstatat(dir, b, &in_b, AT_SYMLINK_NOFOLLOW) == 0 &&
	       SAME_INODE(&in_a, &in_b);
}

void lull_entry_undo(struct lull_entry *e)
{
	if (e->named)
		lull_idmap_remove(e->tree->links, e->named);
	e->named = NULL;
	if (!e->backup)
		return;
	/* If both names are of one file, the rename has done nothing. */
	if (!e->backup_due &&
	    renameat(e->dst_dir->fd, e->backup, e->dst_dir->fd, e->dst_name) == 0) {
		if (is_one(e->dst_dir->fd, e->backup, e->dst_name))
			(void)unlinkat(e->dst_dir->fd, e->backup, 0);
	} else if (!e->backup_due) {
		lull_run_note(e->tree, LULL_NOTE_UNBACKUP, errno, e->dst_path, NULL);
		return;
	}
	if (e->tree->cp->verbose)
		lull_run_note(e->tree, LULL_NOTE_RESTORED, 0, e->backup_path,
			      e->dst_path);
}

int lull_entry_back_up(struct lull_entry *e)
{
	const struct lull_cp *cp = e->tree->cp;
	int r;

	if (!e->backup_due)
		return 0;
	r = lull_backup_link(e->dst_dir->fd, e->dst_name, cp->backup, cp->suffix,
			     &e->backup);
	e->backup_due = r < 0;
	return r;
}

bool lull_entry_becomes_regular(const struct lull_entry *e)
{
	const struct lull_cp *cp = e->tree->cp;
	mode_t type = e->src.st_mode;

	return !cp->symbolic_link && !cp->hard_link &&
	       (S_ISREG(type) ||
		(cp->special_as_regular && !S_ISLNK(type) && !S_ISDIR(type)));
}

/*
 * Returns true if dest can keep its name until the new file takes it. If the name cannot
 * be removed, the user must learn that now, as with cp. So a link to a directory, or
 * another name of the source, is removed first.
 */
bool lull_entry_can_stay(const struct lull_entry *e)
{
	int dir = e->dst_dir->fd;

	return lull_entry_becomes_regular(e) && S_ISREG(e->dst.st_mode) &&
	       !SAME_INODE(&e->src, &e->dst) && !e->tree->options->in_place &&
	       (geteuid() == 0 || geteuid() == e->dst.st_uid) &&
	       faccessat(dir, e->dst_head, W_OK | X_OK, AT_EACCESS) == 0 &&
	       !lull_inode_is_immutable(dir, e->dst_name) &&
	       !lull_inode_is_of_other_project(dir, e->dst_head, e->dst_name) &&
	       !lull_inode_is_mounted_on(dir, e->dst_name);
}
