// SPDX-License-Identifier: MIT
/*
 * DESIGN
 *
 * A file that one call clones has no lock, no checkpoint and no keeper:
 *
 *   new         an unnamed file (O_TMPFILE) gets data and attributes, then the name:
 *               naming.c
 *   replaced    the same, by a rename; the new inode takes over what a write into the old
 *               one would have left as it was
 *   in place    links, devices, several names, and where the directory or the owner does
 *               not allow the others: opened and written into, as cp does; or by an
 *               exchange with an unnamed file, where the file system can
 *
 * lull_clone() gets files that are larger, or that need more because of an option. It
 * gets a single small file only if this way fails (lone.h).
 *
 * INVARIANTS
 *  1. A new file gets its name only when it is complete and, without --no-sync, on disk:
 *     see naming.h.
 *  2. The file that is open is the one that was examined: device and inode are compared.
 */
#include "engine/file/file.h"

#include "engine/base/events.h"
#include "engine/clone/swap.h"
#include "engine/file/big.h"
#include "engine/file/data.h"
#include "engine/file/dress.h"
#include "engine/file/durable.h"
#include "engine/file/lone.h"
#include "engine/file/make_way.h"
#include "engine/file/naming.h"
#include "engine/file/queue.h"
#include "engine/file/temporary.h"
#include "sys/clock.h"
#include "sys/exchange.h"
#include "sys/inode.h"
#include "sys/opening.h"
#include "sys/traits.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

/* Copying more than this takes some seconds. */
#define LONG_COPY (64u << 20)

static void note(const struct lull_file *f, enum lull_note_kind kind, int err,
		 const char *path)
{
	lull_events_say(f->observer, .kind = kind, .err = abs(err), .path = path);
}

static enum lull_outcome fail_create(const struct lull_file *f, int err)
{
	return lull_file_fail(f, LULL_NOTE_CREATE, err, f->entry.dst_path);
}

/* Opens the directory of dest, if its name has several parts. */
static int open_parent(const struct lull_entry *e, const char **ret_name)
{
	int dir = e->dst_dir->fd, fd;

	*ret_name = e->dst_last;
	if (*e->dst_name == '\0')
		return -ENOENT;
	if (strchr(e->dst_last, '/'))
		return -ENOTDIR;
	fd = openat(dir, e->dst_head, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 && errno == EACCES)
		fd = openat(dir, e->dst_head, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static bool has_no_unnamed(int err)
{
	return err == EOPNOTSUPP || err == EISDIR || err == EINVAL;
}

static enum lull_outcome transfer_fresh(struct lull_file *f, int src, int fd,
					const struct stat *st)
{
	struct stat dst;
	enum lull_outcome outcome;
	int r = lull_inode_look(fd, &dst);

	if (r < 0)
		return fail_create(f, r);
	outcome = lull_data_transfer(f, src, fd, st, &dst);
	if (outcome != LULL_OK)
		return outcome;
	f->made = dst;
	return lull_dress_keep(f, src, fd, &dst, true) ? LULL_OK : LULL_FAILED;
}

/* Returns true if the file has its data. As with cp, that is so even if an attribute
   could not be set. */
static bool is_whole(const struct lull_file *f, enum lull_outcome outcome)
{
	return outcome == LULL_OK ||
	       (outcome == LULL_FAILED && f->made.st_ino && !f->reported);
}

/* Makes the file to which a dangling link leads. */
static enum lull_outcome create_through(struct lull_file *f, int src,
					const struct stat *st, int dir, const char *name)
{
	_cleanup_close_ int fd = openat(dir, name, O_WRONLY | O_CREAT | O_CLOEXEC,
					f->mode & ~f->omitted);
	enum lull_outcome outcome;

	if (fd < 0)
		return fail_create(f, errno);
	outcome = transfer_fresh(f, src, fd, st);
	if (!is_whole(f, outcome))
		(void)unlinkat(dir, name, 0);
	else
		f->done_fd = lull_steal_fd(&fd);
	return outcome;
}

static int open_beside(int dir, mode_t mode, char ret_name[static 64])
{
	int fd = -1;

	errno = EEXIST;
	for (unsigned int i = 0; fd < 0 && errno == EEXIST && i < LULL_TEMPORARY_TRIES;
	     i++) {
		lull_temporary_name(i, ret_name);
		fd = openat(dir, ret_name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	}
	return fd;
}

/* Makes the file with a temporary name until it is on disk, because the file system has
   no files without a name. */
static enum lull_outcome create_beside(struct lull_file *f, int src,
				       const struct stat *st, int dir, const char *name)
{
	struct lull_entry *e = &f->entry;
	bool replaces = e->backup_due || e->removal_due;
	char temporary[64];
	_cleanup_close_ int fd = open_beside(dir, f->mode & ~f->omitted, temporary);
	enum lull_outcome outcome;
	int r = 0, backed;

	if (fd < 0)
		return fail_create(f, errno);
	outcome = transfer_fresh(f, src, fd, st);
	if (!is_whole(f, outcome)) {
		(void)unlinkat(dir, temporary, 0);
		return outcome;
	}
	if (!e->tree->options->no_sync && fsync(fd) < 0 && errno != EINVAL)
		r = -errno;
	backed = r == 0 ? lull_entry_back_up(e) : 0;
	if (r < 0 || backed < 0)
		(void)unlinkat(dir, temporary, 0);
	else
		r = lull_temporary_take(dir, temporary, name, replaces);
	if (r == 0 && backed == 0) {
		f->done_fd = lull_steal_fd(&fd);
		return outcome;
	}
	f->made = (struct stat){ 0 };
	if (backed < 0)
		return lull_file_fail(f, LULL_NOTE_BACKUP, backed, e->dst_path);
	return r == -EEXIST ? lull_naming_taken(f, dir, name) : fail_create(f, r);
}

/* Returns the traits for an unnamed file. It is in the entry's directory, unless
   other_dir is open. */
static uint32_t traits_of(const struct lull_file *f, int fd, int other_dir)
{
	uint32_t traits = other_dir < 0 ? lull_dirref_traits(f->entry.dst_dir) : 0;

	return traits != 0 ? traits : lull_traits_at(fd);
}

static enum lull_outcome create(struct lull_file *f, int src, const struct stat *st)
{
	const struct lull_entry *e = &f->entry;
	const char *name = e->dst_name;
	_cleanup_close_ int opened = strchr(name, '/') || !*name ? open_parent(e, &name)
								 : -1;
	int dir = opened >= 0 ? opened : e->dst_dir->fd;
	struct stat link;
	enum lull_outcome outcome;

	if (opened < -1 || (opened < 0 && name != e->dst_name))
		return fail_create(f, opened);
	if (opened == -1 && !*e->dst_name)
		return fail_create(f, ENOENT);
	if (e->tree->cp->through_dangling &&
	    fstatat(dir, name, &link, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(link.st_mode))
		return create_through(f, src, st, dir, name);

	_cleanup_close_ int fd = openat(dir, ".", O_TMPFILE | O_RDWR | O_CLOEXEC,
					f->mode);

	/* Nobody can open the file before it has its name, so give it all permissions. */
	if (fd < 0 && has_no_unnamed(errno) && !f->lone)
		return create_beside(f, src, st, dir, name);
	if (fd < 0)
		return fail_create(f, errno);
	f->omitted = 0;
	f->traits = traits_of(f, fd, opened);
	outcome = transfer_fresh(f, src, fd, st);
	if (!is_whole(f, outcome))
		return outcome;
	return lull_naming_offer(f, lull_steal_fd(&fd), lull_steal_fd(&opened),
				 e->backup_due || e->removal_due, outcome);
}

static bool may_replace(const struct lull_file *f, int old)
{
	const struct lull_entry *e = &f->entry;
	const struct lull_options *options = e->tree->options;
	struct stat named;

	/* A link stays a link, and a file with several names keeps its inode. If it has
	   no name at all, another program is just renaming a file over it. */
	return S_ISREG(e->src.st_mode) && S_ISREG(e->dst.st_mode) &&
	       e->dst.st_nlink <= 1 &&
	       !lull_inode_is_mounted_on(e->dst_dir->fd, e->dst_name) &&
	       !lull_inode_only_grows(e->dst_dir->fd, e->dst_head) &&
	       !options->in_place && !options->cp.attributes_only && old >= 0 &&
	       fstatat(e->dst_dir->fd, e->dst_name, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
	       SAME_INODE(&named, &e->dst);
}

/* Replaces dest by a new file. Returns false if nothing has happened, and dest must be
   written in place. */
static bool replace(struct lull_file *f, int src, int old, const struct stat *st,
		    enum lull_outcome *ret_outcome)
{
	struct lull_entry *e = &f->entry;
	const char *name = e->dst_name;
	_cleanup_close_ int opened = strchr(name, '/') ? open_parent(e, &name) : -1;
	int dir = opened >= 0 ? opened : e->dst_dir->fd;
	_cleanup_close_ int fd = openat(dir, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	struct stat dst;
	int r;

	if (fd < 0 || faccessat(dir, ".", W_OK | X_OK, AT_EACCESS) < 0 ||
	    lull_inode_look(fd, &dst) < 0 || !lull_dress_can_own(f, fd))
		return false;
	f->traits = traits_of(f, fd, opened);
	*ret_outcome = lull_data_transfer(f, src, fd, st, &dst);
	if (*ret_outcome != LULL_OK)
		return true;
	f->made = dst;
	r = lull_dress_as_old(f, old, fd);
	if (r < 0) {
		f->made = (struct stat){ 0 };
		*ret_outcome = lull_file_fail(f, LULL_NOTE_MODE, r, e->dst_path);
		return true;
	}
	if (!lull_dress_keep(f, src, fd, &e->dst, false))
		*ret_outcome = LULL_FAILED;
	*ret_outcome = lull_naming_offer(f, lull_steal_fd(&fd), lull_steal_fd(&opened),
					 true, *ret_outcome);
	return true;
}

/* Exchanges the contents of dest with those of a new file. Returns false if nothing has
   happened, and dest must be written to. If it returns true, dest has its new contents,
   or is unchanged. */
static bool exchange(struct lull_file *f, int src, int old, const struct stat *st,
		     enum lull_outcome *ret_outcome)
{
	const struct lull_entry *e = &f->entry;
	const char *name = e->dst_name;
	_cleanup_close_ int opened = strchr(name, '/') ? open_parent(e, &name) : -1;
	int dir = opened >= 0 ? opened : e->dst_dir->fd;
	_cleanup_close_ int both = -1;
	_cleanup_close_ int fd = -1;
	struct stat dst, named;

	/* If dest would become longer, more is needed: see swap.c. */
	if (opened < -1 || st->st_size > e->dst.st_size ||
	    lull_swap_obstacle(src, old) != 0 || !lull_swap_fits(src, old, true))
		return false;
	both = openat(dir, name, O_RDWR | LULL_OPEN_WARILY);
	fd = both < 0 ? -1 : openat(dir, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fd < 0 || fstat(both, &named) < 0 || !SAME_INODE(&named, &e->dst) ||
	    lull_inode_look(fd, &dst) < 0)
		return false;
	*ret_outcome = lull_data_transfer(f, src, fd, st, &dst);
	if (*ret_outcome == LULL_OK) {
		/* lull_durable_add() will sync the file. */
		const struct lull_freshness any = { 0 };
		int r = lull_exchange(fd, both, &any, 0);

		if (r < 0)
			*ret_outcome = fail_create(f, r);
	}
	return true;
}

static enum lull_outcome write_in_place(struct lull_file *f, int src, int *fd_of_old,
					const struct stat *st)
{
	struct lull_entry *e = &f->entry;
	int fd = *fd_of_old;
	enum lull_outcome outcome;
	bool emptied = S_ISREG(e->dst.st_mode) && !e->tree->cp->attributes_only;

	if (emptied && exchange(f, src, fd, st, &outcome)) {
		if (outcome != LULL_OK)
			return outcome;
		emptied = false;
	} else {
		if (emptied) {
			outcome = lull_data_try(f, src, fd, st);
			if (outcome != LULL_OK)
				return outcome;
			if (ftruncate(fd, 0) < 0)
				return fail_create(f, errno);
		}
		outcome = lull_data_transfer(f, src, fd, st, &e->dst);
	}
	if (outcome != LULL_OK) {
		if (emptied)
			lull_events_warn(f->observer, LULL_WARNING_IN_PLACE, 0,
					 e->dst_path);
		return outcome;
	}
	f->made = e->dst;
	if (!lull_dress_keep(f, src, fd, &e->dst, false))
		outcome = LULL_FAILED;
	f->done_fd = lull_steal_fd(fd_of_old);
	return outcome;
}

/* Opens a file that may be a FIFO. Such an open waits for the other end, and a signal may
   come before it returns. Returns a descriptor, -ECANCELED if a signal requests a stop,
   or another -errno. */
static int open_patiently(const struct lull_file *f, int dir, const char *name, int flags)
{
	const struct lull_observer *observer = f->entry.tree->observer;

	return lull_open_patiently(dir, name, flags, 0, observer->should_stop,
				   observer->ctx);
}

/* Returns true if the file may be replaced although it is not the one that was examined.
   Another program, perhaps another lullcp, has put it there. It must be like the other:
   anything else may be there to be written to. */
static bool is_successor(const struct lull_entry *e, const struct stat *now)
{
	return S_ISREG(e->dst.st_mode) && S_ISREG(now->st_mode) && e->dst.st_nlink <= 1 &&
	       now->st_nlink <= 1 && now->st_uid == e->dst.st_uid &&
	       now->st_dev == e->dst.st_dev && now->st_ino != e->src.st_ino;
}

/* Opens dest for writing, as cp does, which shows whether the user may write to it. */
static int open_old(struct lull_file *f)
{
	struct lull_entry *e = &f->entry;
	int flags = O_WRONLY | O_CLOEXEC | O_NOCTTY;
	int fd = open_patiently(f, e->dst_dir->fd, e->dst_name,
				flags | (S_ISREG(e->dst.st_mode) ? O_NONBLOCK : 0) |
					(e->dst_is_itself ? O_NOFOLLOW : 0));
	struct stat st;

	if (fd < 0)
		return fd;
	if (fstat(fd, &st) == 0) {
		if (SAME_INODE(&st, &e->dst))
			return fd;
		if (is_successor(e, &st)) {
			e->dst = st;
			return fd;
		}
	}
	(void)close(fd);
	return -ESTALE;
}

/* Warns if a program has the replaced file open, such as a guest its image: it continues
   with the old one. */
static void warn_of_users(const struct lull_file *f, int old)
{
	if (old >= 0 && lull_inode_use(old) == LULL_INODE_WRITTEN)
		lull_events_warn(f->observer, LULL_WARNING_OPEN, 0, f->entry.dst_path);
}

/* Tries to do without a lock: see lone.h. */
static enum lull_outcome try_alone(struct lull_file *f, int src, int old,
				   const struct stat *st)
{
	enum lull_outcome outcome = LULL_FAILED;
	mode_t omitted = f->omitted;

	if (f->entry.fresh)
		outcome = create(f, src, st);
	else if (may_replace(f, old) && replace(f, src, old, st, &outcome) &&
		 is_whole(f, outcome))
		warn_of_users(f, old);
	if (is_whole(f, outcome))
		return outcome;
	lull_lone_forget(f);
	f->omitted = omitted;
	return lull_big_copy(f, src, old);
}

/* Returns true if the files before this one must not wait for it. */
static bool takes_long(const struct lull_file *f, const struct stat *st)
{
	return f->entry.tree->cp->reflink != LULL_REFLINK_ALWAYS &&
	       (uint64_t)st->st_blocks * 512 > LONG_COPY;
}

static enum lull_outcome copy_open(struct lull_file *f, int src, const struct stat *st)
{
	struct lull_entry *e = &f->entry;
	_cleanup_close_ int old = -1;
	enum lull_outcome outcome;

	/* Check this before dest is opened: a FIFO would block, and a device might
	   act. */
	if (lull_big_cannot(f, st))
		return LULL_FAILED;
	if (!e->fresh) {
		old = open_old(f);
		if (old == -ECANCELED)
			return LULL_INTERRUPTED;
		if (old < 0 && e->tree->cp->force) {
			e->removal_due = lull_entry_can_stay(e);
			if (!e->removal_due &&
			    unlinkat(e->dst_dir->fd, e->dst_name, 0) < 0 &&
			    errno != ENOENT)
				return lull_file_fail(f, LULL_NOTE_REMOVE, errno,
						      e->dst_path);
			if (e->tree->cp->verbose)
				note(f, LULL_NOTE_REMOVED, 0, e->dst_path);
			e->fresh = true;
		} else if (old < 0) {
			return fail_create(f, old);
		}
	}
	if (lull_big_wants(f, src, st)) {
		lull_queue_directly(f);
		return lull_big_may_be_lone(f) && lull_lone_suits(f, src, st)
			       ? try_alone(f, src, old, st)
			       : lull_big_copy(f, src, old);
	}
	if (takes_long(f, st))
		lull_queue_directly(f);
	if (e->tree->dated)
		return lull_data_failed(f, LULL_STAGE_PROBE, EINVAL,
					LULL_CAUSE_NOT_REGULAR);
	if (e->fresh)
		return create(f, src, st);
	if (may_replace(f, old) && replace(f, src, old, st, &outcome))
		return outcome;
	return write_in_place(f, src, &old, st);
}

/* Returns true if opening would wait for somebody at the other end, only to fail. */
static bool is_vain(const struct lull_entry *e)
{
	const struct lull_cp *cp = e->tree->cp;

	return cp->reflink == LULL_REFLINK_ALWAYS && !cp->attributes_only &&
	       (S_ISFIFO(e->src.st_mode) || (!e->fresh && S_ISFIFO(e->dst.st_mode)));
}

/* Opens the source. Returns a descriptor, -1 after a message, or -ECANCELED if a signal
   requests a stop. */
static int open_source(struct lull_file *f, struct stat *ret_st)
{
	const struct lull_entry *e = &f->entry;
	int flags = O_RDONLY | O_CLOEXEC | O_NOCTTY;
	_cleanup_close_ int src =
		open_patiently(f, e->src_dir->fd, e->src_name,
			       flags | (S_ISREG(e->src.st_mode) ? O_NONBLOCK : 0) |
				       (e->follow ? 0 : O_NOFOLLOW));

	if (src == -ECANCELED)
		return src;
	if (src < 0)
		note(f, LULL_NOTE_OPEN, src, e->src_path);
	else if (fstat(src, ret_st) < 0)
		note(f, LULL_NOTE_STAT, errno, e->src_path);
	else if (!SAME_INODE(ret_st, &e->src))
		note(f, LULL_NOTE_REPLACED, 0, e->src_path);
	else
		return lull_steal_fd(&src);
	return -1;
}

bool lull_file_open(struct lull_file *f, int *ret_src, int *ret_old)
{
	struct stat st;
	_cleanup_close_ int src = open_source(f, &st);
	int old = -1;

	if (src < 0)
		return false;
	if (!f->entry.fresh) {
		old = open_old(f);
		if (old < 0) {
			(void)fail_create(f, old);
			return false;
		}
	}
	*ret_src = lull_steal_fd(&src);
	*ret_old = old;
	return true;
}

static enum lull_outcome copy(struct lull_file *f)
{
	const struct lull_entry *e = &f->entry;
	_cleanup_close_ int src = -1;
	struct stat st;

	if (is_vain(e))
		return lull_data_failed(f, LULL_STAGE_PROBE, EINVAL,
					LULL_CAUSE_NOT_REGULAR);
	/* The open may wait for somebody at the other end. */
	if (!S_ISREG(e->src.st_mode))
		lull_queue_directly(f);
	src = open_source(f, &st);
	if (src < 0)
		return src == -ECANCELED ? LULL_INTERRUPTED : LULL_FAILED;
	return copy_open(f, src, &st);
}

void lull_file_copy(struct lull_file *f)
{
	uint64_t before = lull_clock_now();

	lull_file_begin(f);
	f->outcome = copy(f);
	f->result.published = f->result.published || f->outcome == LULL_OK;
	if (f->result.progress.elapsed_ns == 0)
		f->result.progress.elapsed_ns = lull_clock_now() - before;
}

void lull_file_name(struct lull_file *f)
{
	if (lull_naming_give(f) == LULL_OK)
		return;
	f->outcome = LULL_FAILED;
	f->result.published = false;
}

static void add_up(const struct lull_file *f)
{
	struct lull_totals *totals = f->entry.tree->totals;
	const struct lull_progress *p = &f->result.progress;

	totals->bytes_cloned += p->bytes_cloned;
	totals->bytes_copied += p->bytes_copied;
	totals->files += f->outcome == LULL_OK;
	if (f->result.not_cloned == 0)
		return;
	if (totals->files_not_cloned++ == 0) {
		totals->cause = f->result.not_cloned_cause;
		totals->err = f->result.not_cloned;
		(void)snprintf(totals->not_cloned, sizeof(totals->not_cloned), "%s",
			       p->source);
	}
	totals->bytes_not_cloned += p->bytes_copied;
}

bool lull_file_finish(struct lull_file *f)
{
	struct lull_entry *e = &f->entry;
	struct lull_copy_run *tree = e->tree;
	const struct lull_observer *observer = tree->observer;

	add_up(f);
	/* The name of the generation was not known before. */
	if (f->result.generation && tree->cp->verbose && f->outcome == LULL_OK)
		lull_events_say(observer, .kind = LULL_NOTE_COPIED, .path = e->src_path,
				.path2 = f->result.generation);
	if (tree->cp->debug && f->outcome == LULL_OK)
		lull_events_say(observer, .kind = LULL_NOTE_HOW,
				.path = f->offload ? f->offload : "unknown",
				.path2 = f->reflink ? f->reflink : "yes",
				.path3 = f->holes ? f->holes : "unknown");
	/* Do not report files that were not begun. */
	if (f->outcome == LULL_OK || f->reported ||
	    (f->outcome == LULL_INTERRUPTED && f->result.progress.source))
		observer->file(observer->ctx, f->outcome, &f->result);
	if (e->named && f->made.st_ino) {
		e->named->other_dev = f->made.st_dev;
		e->named->other_inode = f->made.st_ino;
	}
	if (f->done_fd >= 0) {
		lull_durable_add(tree, f->made.st_dev, lull_steal_fd(&f->done_fd));
		if (f->lone)
			lull_lone_done(f);
	}
	lull_run_ended(tree, f->outcome);
	if (f->outcome != LULL_OK && !f->result.published &&
	    (f->reported || !f->made.st_ino))
		lull_entry_undo(e);
	return f->outcome == LULL_OK;
}
