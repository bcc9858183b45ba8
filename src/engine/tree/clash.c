// SPDX-License-Identifier: MIT
/*
 * Decides whether what has the name of dest may be replaced, and what must be removed
 * first. Follows cp's rules for two names of one file, in cp's order.
 */
#include "engine/tree/clash.h"

#include "engine/file/backup.h"
#include "engine/file/copy_run.h"
#include "engine/file/make_way.h"
#include "engine/file/queue.h"
#include "engine/tree/node.h"
#include "plan/update.h"
#include "sys/inode.h"
#include "util/text.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

/* How source and dest relate. */
enum sameness {
	DIFFERENT, /* they are different files */
	SAME,      /* a copy would destroy the source */
	NOTHING,   /* they are the same, which is right */
};

static bool same_entry(const struct lull_entry *e)
{
	return lull_entry_is_same(AT_FDCWD, e->src_path, e->dst_dir->fd, e->dst_name);
}

static int stat_source(const struct lull_entry *e, struct stat *ret_st, int flags)
{
	return fstatat(e->src_dir->fd, e->src_name, ret_st, flags);
}

static int stat_dest(const struct lull_entry *e, struct stat *ret_st, int flags)
{
	return fstatat(e->dst_dir->fd, e->dst_name, ret_st, flags);
}

/* Compares what source and dest are after all links. */
static enum sameness compare_targets(const struct lull_entry *e, const struct stat *src,
				     const struct stat *dst)
{
	struct stat a = *src, b = *dst;

	if (S_ISLNK(src->st_mode) && stat_source(e, &a, 0) < 0)
		return DIFFERENT;
	if (S_ISLNK(dst->st_mode) && stat_dest(e, &b, 0) < 0)
		return DIFFERENT;
	if (!SAME_INODE(&a, &b))
		return DIFFERENT;
	if (!e->tree->cp->hard_link)
		return SAME;
	/* Otherwise dest would be removed, to be linked to itself. */
	return S_ISLNK(dst->st_mode) ? DIFFERENT : NOTHING;
}

static enum sameness compare(const struct lull_entry *e)
{
	const struct lull_cp *cp = e->tree->cp;
	bool same = SAME_INODE(&e->src, &e->dst), backup = cp->backup != LULL_BACKUP_NONE;
	struct stat src = e->src, dst = e->dst;
	bool same_link = same;

	if (same && cp->hard_link)
		return NOTHING;
	if (cp->follow == LULL_FOLLOW_NEVER) {
		if (S_ISLNK(src.st_mode) && S_ISLNK(dst.st_mode)) {
			if (same_entry(e))
				return SAME;
			/* Two names of one symbolic link stay that. */
			return same && !backup ? NOTHING : DIFFERENT;
		}
	} else {
		if (!same || stat_dest(e, &dst, AT_SYMLINK_NOFOLLOW) < 0 ||
		    stat_source(e, &src, AT_SYMLINK_NOFOLLOW) < 0)
			return DIFFERENT;
		same_link = SAME_INODE(&src, &dst);
		if (S_ISLNK(src.st_mode) && S_ISLNK(dst.st_mode) &&
		    cp->remove_destination)
			return DIFFERENT;
	}
	if (backup) {
		if (same_link)
			return same_entry(e) ? SAME : DIFFERENT;
		/* The backup would rename the file to which the source links. */
		return cp->follow != LULL_FOLLOW_NEVER && S_ISLNK(src.st_mode) &&
				       !S_ISLNK(dst.st_mode)
			       ? SAME
			       : DIFFERENT;
	}
	if (cp->remove_destination) {
		if (S_ISLNK(dst.st_mode))
			return DIFFERENT;
		if (same_link && dst.st_nlink > 1 && !same_entry(e))
			return DIFFERENT;
	}
	if (!S_ISLNK(src.st_mode) && !S_ISLNK(dst.st_mode)) {
		if (!SAME_INODE(&src, &dst))
			return DIFFERENT;
		if (cp->hard_link)
			return NOTHING;
	}
	if (cp->symbolic_link && S_ISLNK(dst.st_mode))
		return DIFFERENT;
	return cp->follow == LULL_FOLLOW_NEVER ? compare_targets(e, &src, &dst) : SAME;
}

/* Returns true if nothing is replaced: then a directory may be copied onto itself. */
static bool replaces_nothing(const struct lull_cp *cp)
{
	return cp->overwrite == LULL_OVERWRITE_NO || cp->update == LULL_UPDATE_NONE ||
	       cp->update == LULL_UPDATE_NONE_FAIL;
}

static enum lull_clash complain(struct lull_entry *e, enum lull_note_kind kind, int err,
				const char *path, const char *path2)
{
	lull_run_note(e->tree, kind, err, path, path2);
	return LULL_CLASH_FAIL;
}

static enum lull_clash skip(struct lull_entry *e)
{
	if (e->tree->cp->debug)
		lull_run_note(e->tree, LULL_NOTE_SKIPPED, 0, e->dst_path, NULL);
	return LULL_CLASH_SKIP;
}

/* Handles a dest that is up to date. Further names of the source will be linked to it. */
static enum lull_clash is_current(struct lull_entry *e)
{
	struct lull_idmap *links = e->tree->links;
	struct lull_named *earlier = lull_idmap_find(links, e->src.st_dev, e->src.st_ino,
						     NULL);
	struct stat st;

	/* An earlier copy may still be queued; if it fails, it is forgotten. */
	if (earlier) {
		lull_queue_drain(e->tree);
		earlier = lull_idmap_find(links, e->src.st_dev, e->src.st_ino, NULL);
	}
	if (earlier)
		return lull_node_link_earlier(e, earlier) ? LULL_CLASH_SKIP
							  : LULL_CLASH_FAIL;
	earlier = lull_idmap_add(links, e->src.st_dev, e->src.st_ino, e->dst_rel);
	if (!earlier)
		return complain(e, LULL_NOTE_MEMORY, ENOMEM, e->src_path, NULL);
	/* If dest is a link, further names will be linked to what it leads to. */
	if (e->follow && stat_dest(e, &st, 0) == 0) {
		earlier->other_dev = st.st_dev;
		earlier->other_inode = st.st_ino;
	}
	return skip(e);
}

static struct lull_mtime mtime(const struct stat *st)
{
	return (struct lull_mtime){ .sec = st->st_mtim.tv_sec,
				    .nsec = (uint32_t)st->st_mtim.tv_nsec };
}

static bool ask(struct lull_entry *e)
{
	const struct lull_cp *cp = e->tree->cp;
	const struct lull_observer *observer = e->tree->observer;
	struct lull_question question = {
		.dest = e->dst_path,
		.mode = e->dst.st_mode & 07777,
		.unwritable = !S_ISLNK(e->dst.st_mode) && geteuid() != 0 &&
			      faccessat(e->dst_dir->fd, e->dst_name, W_OK, AT_EACCESS) <
				      0,
		.replaces = cp->remove_destination || cp->force,
	};

	lull_queue_drain(e->tree);
	return observer->ask(observer->ctx, &question);
}

static enum lull_clash carry_out(struct lull_entry *e, enum lull_update_verdict verdict)
{
	switch (verdict) {
	case LULL_VERDICT_LEAVE:
		return skip(e);
	case LULL_VERDICT_CURRENT:
		return is_current(e);
	case LULL_VERDICT_REFUSE:
		return complain(e, LULL_NOTE_NOT_REPLACING, 0, e->dst_path, NULL);
	case LULL_VERDICT_ASK:
		return ask(e) ? LULL_CLASH_GO : skip(e);
	case LULL_VERDICT_REPLACE:
		break;
	}
	return LULL_CLASH_GO;
}

bool lull_clash_was_made(const struct lull_entry *e, const struct stat *st)
{
	struct lull_named *seen = NULL;

	while ((seen = lull_idmap_find(e->tree->made, st->st_dev, st->st_ino, seen))) {
		if (strcmp(seen->name, e->dst_rel) == 0)
			return true;
	}
	return false;
}

/* Returns true if this run made dest for another operand. */
static bool is_just_created(const struct lull_entry *e)
{
	return e->operand && e->tree->made &&
	       e->tree->cp->backup != LULL_BACKUP_NUMBERED &&
	       lull_clash_was_made(e, &e->dst);
}

/* Returns true if a simple backup of dest would have the source's name. */
static bool is_backup_source(const struct lull_entry *e)
{
	const char *suffix = e->tree->cp->suffix;
	const char *src = e->src_last, *dst = e->dst_last;
	size_t len = strlen(dst);
	_cleanup_free_ char *name = NULL;
	struct stat st;

	if (strlen(src) != len + strlen(suffix) || strncmp(src, dst, len) != 0 ||
	    strcmp(src + len, suffix) != 0)
		return false;
	name = lull_text("%s%s", e->dst_name, suffix);
	return name && fstatat(e->dst_dir->fd, name, &st, 0) == 0 &&
	       SAME_INODE(&st, &e->src);
}

static enum lull_clash back_up(struct lull_entry *e)
{
	const struct lull_cp *cp = e->tree->cp;
	int r;

	if (cp->backup != LULL_BACKUP_NUMBERED && is_backup_source(e))
		return complain(e, LULL_NOTE_BACKUP_IS_SOURCE, 0, e->dst_path,
				e->src_path);
	e->backup_due = lull_entry_can_stay(e);
	r = e->backup_due ? lull_backup_name(e->dst_dir->fd, e->dst_name, cp->backup,
					     cp->suffix, &e->backup)
			  : lull_backup_make(e->dst_dir->fd, e->dst_name, cp->backup,
					     cp->suffix, &e->backup);
	if (r < 0)
		return complain(e, LULL_NOTE_BACKUP, r, e->dst_path, NULL);
	if (e->backup)
		e->backup_path = lull_path_beside(e->dst_path, e->backup);
	e->fresh = true;
	return LULL_CLASH_GO;
}

static enum lull_clash make_way(struct lull_entry *e)
{
	const struct lull_cp *cp = e->tree->cp;
	bool links = cp->keep_links && e->dst.st_nlink > 1;
	bool node = cp->follow == LULL_FOLLOW_NEVER && !S_ISREG(e->src.st_mode);

	if (S_ISDIR(e->dst.st_mode))
		return LULL_CLASH_GO;
	if (cp->backup != LULL_BACKUP_NONE && !lull_path_is_dots(e->src_last))
		return back_up(e);
	if (!cp->remove_destination && (cp->attributes_only || !(links || node)))
		return LULL_CLASH_GO;
	e->removal_due = lull_entry_can_stay(e);
	if (!e->removal_due && unlinkat(e->dst_dir->fd, e->dst_name, 0) < 0 &&
	    errno != ENOENT)
		return complain(e, LULL_NOTE_REMOVE, errno, e->dst_path, NULL);
	e->fresh = true;
	if (cp->verbose)
		lull_run_note(e->tree, LULL_NOTE_REMOVED, 0, e->dst_path, NULL);
	return LULL_CLASH_GO;
}

enum lull_clash lull_clash_settle(struct lull_entry *e)
{
	struct lull_mtime source = mtime(&e->src), dest = mtime(&e->dst);
	enum lull_update_verdict verdict =
		lull_update_judge(e->tree->cp, S_ISDIR(e->src.st_mode), &source, &dest);
	enum sameness same;
	enum lull_clash clash;

	/* This comes before any complaint. */
	if (verdict == LULL_VERDICT_LEAVE)
		return skip(e);
	same = replaces_nothing(e->tree->cp) ? DIFFERENT : compare(e);
	if (same == SAME)
		return complain(e, LULL_NOTE_SAME_FILE, 0, e->src_path, e->dst_path);
	clash = carry_out(e, verdict);
	if (clash != LULL_CLASH_GO)
		return clash;
	if (same == NOTHING)
		return LULL_CLASH_SKIP;
	if (!S_ISDIR(e->dst.st_mode)) {
		if (S_ISDIR(e->src.st_mode))
			return complain(e, LULL_NOTE_DIRECTORY_OVER, 0, e->dst_path,
					e->src_path);
		if (is_just_created(e))
			return complain(e, LULL_NOTE_JUST_CREATED, 0, e->dst_path,
					e->src_path);
	} else if (!S_ISDIR(e->src.st_mode)) {
		return complain(e, LULL_NOTE_OVER_DIRECTORY, 0, e->dst_path, NULL);
	}
	return make_way(e);
}
