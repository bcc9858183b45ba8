// SPDX-License-Identifier: MIT
/* Passes files of lull_copy() to lull_clone(). */
#include "engine/file/big.h"

#include "engine/base/beside.h"
#include "engine/base/events.h"
#include "engine/clone/clone.h"
#include "engine/file/data.h"
#include "engine/file/dress.h"
#include "engine/file/make_way.h"
#include "engine/file/queue.h"
#include "sys/inode.h"
#include "sys/opening.h"
#include "sys/source_lock.h"
#include "sys/trusted.h"

#include <errno.h>
#include <string.h>

/* Returns true for options that need a clone with a lock and a checkpoint, and must not
   be ignored. */
static bool is_demanding(const struct lull_copy_run *tree)
{
	const struct lull_options *o = tree->options;

	return o->hook || o->refresh || o->checkpoint || o->live || o->keep_frozen ||
	       tree->dated;
}

static bool wants_everything(const struct lull_file *f)
{
	const struct lull_copy_run *tree = f->entry.tree;

	return is_demanding(tree) || tree->options->in_place;
}

static bool is_dangling_link(const struct lull_entry *e)
{
	struct stat st;

	return e->fresh &&
	       fstatat(e->dst_dir->fd, e->dst_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       S_ISLNK(st.st_mode);
}

/* Returns true if something is mounted on dest. Nothing can be renamed to it, and its
   neighbours may be in another directory. */
static bool is_mounted_on(const struct lull_entry *e)
{
	return !e->fresh && !e->tree->options->in_place &&
	       lull_inode_is_mounted_on(e->dst_dir->fd, e->dst_name);
}

/* Returns true if an earlier run has left its temporary file here. If others may write to
   the directory, the checkpoint is elsewhere. */
static bool has_own_temporary(const struct lull_file *f)
{
	int dir = f->entry.dst_dir->fd;
	_cleanup_free_ char *name = lull_beside_temporary(f->entry.dst_name);
	enum lull_trusted_kind kind;
	struct stat st;

	return name && lull_trusted_judge(dir, &kind) == 0 && kind == LULL_TRUSTED_OPEN &&
	       fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) &&
	       st.st_uid == geteuid();
}

/* Returns true if an earlier run began a clone here and was cut off. */
static bool was_begun(const struct lull_file *f)
{
	const struct lull_options *o = f->entry.tree->options;
	_cleanup_free_ char *record = NULL;
	int dir = f->entry.dst_dir->fd;

	if (!o->resume && !o->restart)
		return false;
	if (strchr(f->entry.dst_name, '/'))
		return false;
	record = lull_beside_checkpoint(f->entry.dst_name);
	return record && (faccessat(dir, record, F_OK, AT_SYMLINK_NOFOLLOW) == 0 ||
			  has_own_temporary(f));
}

/* Returns true if the lock and the checkpoint can be made beside dest, synced with the
   directory, and removed again. */
static bool has_room_beside(const struct lull_entry *e)
{
	return faccessat(e->dst_dir->fd, e->dst_head, R_OK | W_OK | X_OK, AT_EACCESS) ==
		       0 &&
	       !lull_inode_only_grows(e->dst_dir->fd, e->dst_head);
}

bool lull_big_may_be_lone(const struct lull_file *f)
{
	return !wants_everything(f) && has_room_beside(&f->entry);
}

bool lull_big_wants(struct lull_file *f, int src, const struct stat *st)
{
	const struct lull_entry *e = &f->entry;
	const struct lull_cp *cp = e->tree->cp;

	if (e->tree->dated)
		return S_ISREG(st->st_mode);
	/* A file that seems to be empty is cloned at once, or is one of /proc, which has
	   more data. */
	if (!S_ISREG(st->st_mode) ||
	    (st->st_size == 0 && !e->tree->options->refresh && !e->tree->options->hook) ||
	    (!e->fresh && !S_ISREG(e->dst.st_mode)) || cp->attributes_only ||
	    *e->dst_last == '\0' || strchr(e->dst_last, '/') ||
	    (cp->through_dangling && is_dangling_link(e)) || is_mounted_on(e))
		return false;
	/* Without permission to make the lock this will fail, and tell the user why. */
	if (is_demanding(e->tree))
		return true;
	if (!e->fresh && !e->tree->options->refresh &&
	    lull_inode_is_open_file_link(e->dst_path))
		return false;
	if (wants_everything(f) || was_begun(f))
		return e->tree->options->in_place || e->fresh || has_room_beside(e);
	if (e->tree->sole && e->operand)
		return has_room_beside(e);
	return !lull_data_is_small(f, src, st) && has_room_beside(e);
}

/* Returns true if a program has dest open for writing. It would go on with a mixture of
   its data and the source's. */
static bool is_written_to(const struct lull_entry *e)
{
	_cleanup_close_ int fd = openat(e->dst_dir->fd, e->dst_name,
					O_RDONLY | LULL_OPEN_WARILY);

	/* Does not count another lullcp, for whose lock this run will wait. */
	return fd >= 0 && lull_source_is_written(fd);
}

bool lull_big_cannot(const struct lull_file *f, const struct stat *st)
{
	const struct lull_entry *e = &f->entry;
	const struct lull_cp *cp = e->tree->cp;
	enum lull_note_kind why;

	if (e->tree->options->in_place && !e->tree->options->over_writers && !e->fresh &&
	    S_ISREG(e->dst.st_mode) && !cp->attributes_only && is_written_to(e)) {
		(void)lull_file_fail(f, LULL_NOTE_DEST_WRITTEN, 0, e->dst_path);
		return true;
	}
	if (!is_demanding(e->tree) || e->tree->dated || cp->attributes_only)
		return false;
	if (!S_ISREG(st->st_mode))
		why = LULL_NOTE_SOURCE_NOT_REGULAR;
	else if (!e->fresh && !S_ISREG(e->dst.st_mode))
		why = LULL_NOTE_DEST_NOT_REGULAR;
	else if (is_mounted_on(e))
		why = LULL_NOTE_DEST_MOUNTED;
	else if (cp->through_dangling && is_dangling_link(e))
		why = LULL_NOTE_DEST_DANGLING;
	else
		return false;
	(void)lull_file_fail(f, why, 0,
			     why == LULL_NOTE_SOURCE_NOT_REGULAR ? e->src_path
								 : e->dst_path);
	return true;
}

static void lost_owner(struct lull_file *f)
{
	lull_events_warn(f->observer, LULL_WARNING_OWNER_LOST, EPERM, f->entry.dst_path);
}

int lull_big_dress(struct lull_file *f, int fd, int dir, bool settled)
{
	const struct lull_entry *e = &f->entry;
	struct stat st;
	int src = f->src_fd, r = 0;
	bool same;

	if (fstat(fd, &st) < 0)
		return -errno;
	same = !e->fresh && SAME_INODE(&st, &e->dst);
	if (!settled && e->fresh) {
		r = lull_dress_as_new(f, dir, fd);
		if (r == 0 && fstat(fd, &st) < 0)
			r = -errno;
	} else if (!settled && !same) {
		if (!lull_dress_can_own(f, fd))
			lost_owner(f);
		r = lull_dress_as_old(f, f->old_fd, fd);
	}
	if (r < 0)
		return r;
	f->made = st;
	f->kept = lull_dress_keep(f, src, fd, settled || e->fresh ? &st : &e->dst,
				  e->fresh && !settled);
	/* This is the last moment before dest's name is taken. */
	r = lull_entry_back_up(&f->entry);
	if (r < 0) {
		f->made = (struct stat){ 0 };
		f->unbacked = true;
	}
	return r;
}

void lull_big_place(struct lull_file *f, int src, int old, struct lull_options *options,
		    struct lull_place *ret_place)
{
	const struct lull_entry *e = &f->entry;
	struct lull_place place = {
		.src = src, .dir = -1, .dress = lull_big_dress, .file = f, .old = old
	};
	struct stat named;

	/* Use the directory and the name, except for a link, which is followed. */
	if (!strchr(e->dst_name, '/') &&
	    (e->fresh ||
	     (fstatat(e->dst_dir->fd, e->dst_name, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
	      !S_ISLNK(named.st_mode)))) {
		place.dir = e->dst_dir->fd;
		place.name = e->dst_name;
	}
	f->src_fd = src;
	f->old_fd = old;
	f->kept = true;
	/* If the caller may not give files away, the file keeps its owner only if it is
	   written in place. */
	if (!e->fresh && e->dst.st_uid != geteuid() && geteuid() != 0)
		options->in_place = true;
	*ret_place = place;
}

void lull_big_done(struct lull_file *f, enum lull_outcome outcome)
{
	bool copied = f->result.progress.bytes_copied > 0 ||
		      f->result.progress.method == LULL_METHOD_COPY;
	bool never = f->entry.tree->cp->reflink == LULL_REFLINK_NEVER;

	f->reported = outcome != LULL_OK;
	if (f->unbacked && f->result.failure.stage == LULL_STAGE_SYNC)
		f->result.failure.stage = LULL_STAGE_BACKUP;
	f->offload = never ? "avoided" : "unknown";
	f->reflink = !copied ? "yes" : never ? "no" : "unsupported";
	f->holes = copied ? "no" : "unknown";
	f->outcome = outcome == LULL_OK && !f->kept ? LULL_FAILED : outcome;
}

enum lull_outcome lull_big_copy(struct lull_file *f, int src, int old)
{
	const struct lull_entry *e = &f->entry;
	struct lull_options options = *e->tree->options;
	bool removes = e->backup_due || e->removal_due;
	/* If dest will be removed, the new file takes only its name. */
	_cleanup_close_ int backup = removes ? openat(e->dst_dir->fd, e->dst_name,
						      O_PATH | O_NOFOLLOW | O_CLOEXEC)
					     : -1;
	struct lull_place place;

	lull_big_place(f, src, old, &options, &place);
	if (removes) {
		place.old = backup;
		place.replaces = true;
	}
	lull_big_done(f, lull_clone(&options, e->src_path, e->dst_path, &place,
				    f->observer, &f->result));
	return f->outcome;
}
