// SPDX-License-Identifier: MIT
/*
 * DESIGN
 *
 *   0. lock: another restore may be between its two clones of target
 *   1. find the generation; check that it is complete, and that target is not open
 *   2. TARGET.before-restore, the undo: lull_copy() clones what target is
 *   3. lull_copy() makes target what the generation is
 *
 * Each clone has its own lock and checkpoint. If a run is cut off in step 2, target is
 * unchanged. If the undo is complete, the next run finds by their maps that it equals
 * target, and makes no other. If a run is cut off in step 3, the checkpoint of target
 * names the generation, or target equals the generation already. Then the existing undo
 * is left alone.
 *
 * INVARIANTS
 *  1. Nothing of target changes before its undo is complete and on disk.
 *  2. Of two restores of one target, the second begins when the first has ended.
 *  3. The generation is never changed. An existing undo, or one that somebody makes
 *     meanwhile, is never replaced or removed.
 */
#include "engine/base/beside.h"
#include "engine/base/lock_wait.h"
#include "engine/base/events.h"
#include "engine/clone/dest.h"
#include "engine/clone/generation_name.h"
#include "engine/clone/record.h"
#include "engine/clone/statehome.h"
#include "engine/clone/swap.h"
#include "store/checkpoint_file.h"
#include "sys/bytes.h"
#include "sys/clock.h"
#include "sys/inode.h"
#include "sys/opening.h"
#include "sys/source_lock.h"
#include "util/path.h"
#include "util/text.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define UNDO_SUFFIX ".before-restore"

/* How target gets the contents of the generation. */
enum way {
	NEW,      /* target does not exist */
	EXCHANGE, /* exchanged in one step: swap.h */
	RENAME,   /* replaced by a new file */
	IN_PLACE, /* what differs is cloned into it */
};

struct restore {
	const struct lull_options *options;
	const struct lull_observer *observer;
	struct lull_totals *totals;
	struct lull_failure failure;
	char *generation; /* its path */
	char *target;     /* its path, links resolved */
	char *undo;
	struct lull_dest lock; /* beside target, held for the whole run */
	struct stat st;        /* of target, unless way is NEW */
	enum way way;
	bool made_undo; /* this run has made the undo */
	struct stat undo_st;
};

static enum lull_outcome fail(struct restore *r, enum lull_cause cause, int err,
			      const char *path, const char *path2)
{
	r->failure = (struct lull_failure){
		.stage = LULL_STAGE_RESTORE,
		.cause = cause,
		.err = abs(err),
		.path = strdup(path),
		.path2 = path2 ? strdup(path2) : NULL,
	};
	return LULL_FAILED;
}

/* Reports a refused target like a file that could not be cloned. */
static void tell_failure(struct restore *r, enum lull_outcome outcome,
			 const char *generation, const char *target)
{
	struct lull_result result = {
		.failure = r->failure,
		.progress = {
			.source = r->generation ? r->generation : generation,
			.dest = target,
			.budget_ns = r->options->latency_budget_ns,
		},
	};

	memcpy(result.run_id, r->totals->run_id, sizeof(result.run_id));
	r->observer->file(r->observer->ctx, outcome, &result);
	lull_result_done(&result);
	r->failure = (struct lull_failure){ 0 };
}

static int open_to_read(const char *path)
{
	return open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

/* ---- steps 0 and 1 ---- */

/* Sets target and undo. Resolves a link: an undo beside it would be an undo of the
   link. */
static enum lull_outcome name_target(struct restore *r, const char *target)
{
	struct stat st;
	bool link = lstat(target, &st) == 0 && S_ISLNK(st.st_mode);

	r->target = link ? realpath(target, NULL) : strdup(target);
	if (!r->target)
		return fail(r, LULL_CAUSE_ERRNO, errno, target, NULL);
	r->undo = lull_text("%s" UNDO_SUFFIX, r->target);
	return r->undo ? LULL_OK : fail(r, LULL_CAUSE_ERRNO, ENOMEM, target, NULL);
}

static enum lull_outcome wait_for_lock(struct restore *r)
{
	struct lull_lock_wait wait = lull_lock_wait_begin(r->options);

	/* In a directory that is not writable there is no lock, and a restore will fail
	   later. */
	while (lull_dest_lock(&r->lock) == -EWOULDBLOCK) {
		if (lull_lock_wait_is_over(&wait, NULL, -1)) {
			(void)fail(r, LULL_CAUSE_ERRNO, 0, r->target, NULL);
			r->failure.stage = LULL_STAGE_LOCK;
			return LULL_BUSY;
		}
		if (r->observer->should_stop(r->observer->ctx))
			return LULL_INTERRUPTED;
		lull_clock_sleep(LULL_LOCK_LOOK_NS);
	}
	return LULL_OK;
}

static enum lull_outcome lock(struct restore *r)
{
	const char *name = lull_path_last(r->target);
	_cleanup_free_ char *parent = strndup(r->target, (size_t)(name - r->target));

	r->lock.temporary = lull_beside(name, ".lullcp-restore");
	if (!parent || !r->lock.temporary)
		return fail(r, LULL_CAUSE_ERRNO, ENOMEM, r->target, NULL);
	r->lock.dir = open(*parent ? parent : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return wait_for_lock(r);
}

/* Returns true if the generation was written in place and is not complete. */
static bool is_incomplete(const struct restore *r)
{
	struct lull_options options = *r->options;
	struct lull_report report;
	bool half;

	options.checkpoint = NULL;
	half = lull_status(&options, r->generation, &report) == LULL_OK &&
	       !report.temporary && !report.complete && !report.published;
	lull_report_done(&report);
	return half;
}

static enum lull_outcome judge_generation(struct restore *r)
{
	struct stat st;

	if (stat(r->generation, &st) < 0)
		return fail(r, LULL_CAUSE_ERRNO, errno, r->generation, NULL);
	if (!S_ISREG(st.st_mode))
		return fail(r, LULL_CAUSE_NOT_REGULAR, 0, r->generation, NULL);
	if (r->way != NEW && SAME_INODE(&st, &r->st))
		return fail(r, LULL_CAUSE_SAME_FILE, 0, r->generation, r->target);
	if (is_incomplete(r))
		return fail(r, LULL_CAUSE_GENERATION_INCOMPLETE, 0, r->generation,
			    r->target);
	return LULL_OK;
}

static bool is_open(int fd, enum lull_inode_use use)
{
	/* A lullcp that has just closed the file does not count as a writer. */
	return use == LULL_INODE_WRITTEN ? lull_source_is_written(fd)
					 : use == LULL_INODE_READ;
}

static enum lull_outcome judge_use(struct restore *r)
{
	_cleanup_close_ int fd = -1;
	enum lull_inode_use use;

	if (r->way == NEW || r->options->cp.force)
		return LULL_OK;
	fd = open_to_read(r->target);
	if (fd < 0)
		return fail(r, LULL_CAUSE_ERRNO, errno, r->target, NULL);
	use = lull_inode_use(fd);
	if (use == LULL_INODE_UNKNOWN)
		return fail(r, LULL_CAUSE_TARGET_OPEN, EPERM, r->target, NULL);
	return is_open(fd, use) ? fail(r, LULL_CAUSE_TARGET_OPEN, EBUSY, r->target, NULL)
				: LULL_OK;
}

/* Checks the target. Operands in the wrong order would change a generation, or make a
   file that would count as the latest from then on. Also, writes of a guest may be in a
   sidecar beside its image. */
static enum lull_outcome judge_target(struct restore *r)
{
	_cleanup_free_ char *row = NULL;
	_cleanup_free_ char *sidecar = NULL;

	if (r->way != NEW && lull_inode_is_immutable(AT_FDCWD, r->target))
		return fail(r, LULL_CAUSE_IMMUTABLE, EPERM, r->target, NULL);
	if (r->options->cp.force)
		return LULL_OK;
	if (lull_generation_is_meant(r->options, r->target, &row))
		return fail(r, LULL_CAUSE_TARGET_GENERATION, 0, r->target, row);
	sidecar = r->way == NEW ? NULL
				: lull_beside_sidecar(AT_FDCWD, r->target,
						      lull_path_last(r->target));
	return sidecar ? fail(r, LULL_CAUSE_TARGET_SIDECAR, 0, sidecar, r->target)
		       : LULL_OK;
}

static bool can_exchange(const struct restore *r)
{
	_cleanup_close_ int src = open_to_read(r->generation);
	_cleanup_close_ int target = open(r->target,
					  O_RDWR | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	return src >= 0 && target >= 0 && lull_swap_obstacle(src, target) == 0 &&
	       lull_swap_fits(src, target, r->options->restart);
}

static void choose_way(struct restore *r)
{
	const struct stat *st = &r->st;

	if (r->way == NEW)
		return;
	if (can_exchange(r))
		r->way = EXCHANGE;
	else if (st->st_nlink > 1 || (st->st_uid != geteuid() && geteuid() != 0) ||
		 lull_inode_is_mounted_on(AT_FDCWD, r->target))
		r->way = IN_PLACE;
	else
		r->way = RENAME;
}

static enum lull_outcome look(struct restore *r, const char *generation,
			      const char *target)
{
	enum lull_outcome outcome = name_target(r, target);

	if (outcome == LULL_OK)
		outcome = lock(r);
	if (outcome != LULL_OK)
		return outcome;
	r->way = stat(r->target, &r->st) < 0 ? NEW : RENAME;
	if (r->way == NEW && errno != ENOENT)
		return fail(r, LULL_CAUSE_ERRNO, errno, target, NULL);
	if (r->way != NEW && !S_ISREG(r->st.st_mode))
		return fail(r, LULL_CAUSE_NOT_REGULAR, 0, target, NULL);
	outcome = judge_target(r);
	if (outcome != LULL_OK)
		return outcome;
	outcome = lull_generation_find(r->options, generation, r->target, &r->generation,
				       &r->failure);
	if (outcome == LULL_OK)
		outcome = judge_generation(r);
	if (outcome == LULL_OK)
		outcome = judge_use(r);
	if (outcome == LULL_OK)
		choose_way(r);
	return outcome;
}

/* ---- step 2 ---- */

/* Returns true if an interrupted or failed restore has written target in place, so that
   it is incomplete now. The undo is of before that. The caller frees *ret_checkpoint. */
static bool is_half(const struct restore *r, char **ret_checkpoint)
{
	struct lull_report report;
	struct stat st;
	bool half;

	if (lstat(r->undo, &st) < 0 || !S_ISREG(st.st_mode))
		return false;
	half = lull_status(r->options, r->target, &report) == LULL_OK &&
	       !report.temporary && !report.published;
	if (half) {
		*ret_checkpoint = report.checkpoint;
		report.checkpoint = NULL;
	}
	lull_report_done(&report);
	return half;
}

/* Returns the options of both copies: those with which cp copies two files. */
static struct lull_options plain_options(const struct restore *r)
{
	struct lull_options options = *r->options;
	const struct lull_cp *cp = &r->options->cp;

	options.cp = (struct lull_cp){ .reflink = cp->reflink,
				       .sparse = cp->sparse,
				       .suffix = cp->suffix,
				       .follow = LULL_FOLLOW_ALWAYS,
				       .special_as_regular = true,
				       .verbose = cp->verbose,
				       .debug = cp->debug };
	options.refresh = options.in_place = false;
	return options;
}

static enum lull_outcome copy(struct restore *r, const struct lull_options *options,
			      const char *from, const char *to)
{
	struct lull_totals before = *r->totals;
	enum lull_outcome outcome = lull_copy(options, &from, 1, to, NULL, -1,
					      r->observer, r->totals);

	r->totals->files += before.files;
	r->totals->bytes_cloned += before.bytes_cloned;
	r->totals->bytes_copied += before.bytes_copied;
	return outcome;
}

/* Returns true if target is longer only by zeroes. A crash between the two steps of an
   exchange that makes target longer leaves it so: see clone/swap.c. */
static bool is_only_longer(const struct restore *r, const struct lull_comparison *found)
{
	_cleanup_close_ int fd = -1;

	if (found->size <= found->dest_size ||
	    found->first_difference != found->dest_size ||
	    found->different_bytes != found->size - found->dest_size)
		return false;
	fd = open_to_read(r->target);
	return fd >= 0 && lull_bytes_are_zero_from(fd, found->dest_size);
}

/* Compares target with another file. *ret_longer: target differs only by zeroes at its
   end. With --resume, that counts as equal. */
static enum lull_outcome compare(struct restore *r, const char *with, bool *ret_longer)
{
	struct lull_comparison found;
	enum lull_outcome outcome = lull_verify(r->options, r->target, with, r->observer,
						&found);

	*ret_longer = outcome == LULL_DIFFERENT && is_only_longer(r, &found);
	if (*ret_longer && r->options->resume)
		outcome = LULL_OK;
	lull_comparison_done(&found);
	return outcome;
}

/* Decides about an existing undo. *ret_there: it is an undo of what target is now; or
   target equals the generation already, and the undo is that of an earlier run, which may
   have been cut off. */
static enum lull_outcome judge_undo(struct restore *r, bool *ret_there)
{
	enum lull_outcome outcome;
	bool longer, other;
	struct stat st;

	*ret_there = false;
	if (lstat(r->undo, &st) < 0)
		return errno == ENOENT ? LULL_OK
				       : fail(r, LULL_CAUSE_ERRNO, errno, r->undo, NULL);
	if (!S_ISREG(st.st_mode))
		return fail(r, LULL_CAUSE_UNDO_EXISTS, 0, r->undo, r->target);
	outcome = compare(r, r->undo, &longer);
	if (outcome != LULL_OK && outcome != LULL_INTERRUPTED)
		outcome = compare(r, r->generation, &other);
	*ret_there = outcome == LULL_OK;
	if (outcome == LULL_OK || outcome == LULL_INTERRUPTED)
		return outcome;
	return fail(r, longer ? LULL_CAUSE_UNDO_SHORTER : LULL_CAUSE_UNDO_EXISTS, 0,
		    r->undo, r->target);
}

/* Removes the checkpoint of a complete undo, which would be in the way of the next one. A
   run that was cut off after the rename has left it. */
static void forget_record(const struct restore *r)
{
	const struct lull_state_wish wish = { .directory = r->options->state_directory };
	struct lull_checkpoint c = { 0 };
	struct lull_dest dest;
	enum lull_stage stage;
	enum lull_cause cause;

	lull_dest_init(&dest);
	if (lull_dest_resolve(&dest, r->undo, &wish, &stage, &cause) == 0 &&
	    dest.checkpoint_dir >= 0 &&
	    lull_checkpoint_load(dest.checkpoint_dir, dest.checkpoint, &c) == 0) {
		if (c.phase == LULL_PHASE_COMPLETE &&
		    lull_record_is_file(&c, dest.dir, dest.name))
			(void)!lull_checkpoint_remove(dest.checkpoint_dir,
						      dest.checkpoint, true);
		lull_checkpoint_done(&c);
	}
	lull_dest_done(&dest);
}

/* Copies with the attributes. to must not exist. */
static enum lull_outcome copy_undo(struct restore *r, const char *from, const char *to)
{
	struct lull_options options = plain_options(r);

	options.cp.keep_mode = options.cp.keep_owner = true;
	options.cp.keep_times = options.cp.keep_xattrs = true;
	options.checkpoint = NULL;
	/* If somebody makes a file of that name meanwhile, do not replace it. */
	options.cp.update = LULL_UPDATE_NONE_FAIL;
	return copy(r, &options, from, to);
}

static enum lull_outcome make_undo(struct restore *r)
{
	_cleanup_free_ char *checkpoint = NULL;
	enum lull_outcome outcome;
	bool there;

	if (is_half(r, &checkpoint)) {
		if (r->options->resume || r->options->restart)
			return LULL_OK;
		(void)fail(r, LULL_CAUSE_CHECKPOINT_EXISTS, 0,
			   checkpoint ? checkpoint : r->target, NULL);
		r->failure.stage = LULL_STAGE_CHECKPOINT;
		return LULL_FAILED;
	}
	outcome = judge_undo(r, &there);
	if (there)
		forget_record(r);
	if (outcome != LULL_OK || there)
		return outcome;
	outcome = copy_undo(r, r->target, r->undo);
	r->made_undo = outcome == LULL_OK;
	return outcome;
}

static enum lull_outcome have_undo(struct restore *r)
{
	enum lull_outcome outcome;

	if (r->way == NEW || r->options->no_undo)
		return LULL_OK;
	outcome = make_undo(r);
	if (outcome == LULL_OK && lstat(r->undo, &r->undo_st) < 0)
		return fail(r, LULL_CAUSE_ERRNO, errno, r->undo, NULL);
	return outcome;
}

/* Returns true if path is the undo of have_undo(), and not another file. */
static bool is_undo(const struct restore *r, const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 && SAME_INODE(&st, &r->undo_st);
}

/* Removes the undo of a restore that failed and cannot be resumed: it would be in the way
   of the next restore. */
static void take_undo_back(struct restore *r)
{
	struct lull_report report;
	bool begun, longer;

	if (!r->made_undo || r->way == IN_PLACE)
		return;
	begun = lull_status(r->options, r->target, &report) == LULL_OK;
	lull_report_done(&report);
	if (!begun && is_undo(r, r->undo) && compare(r, r->undo, &longer) == LULL_OK)
		(void)unlink(r->undo);
}

/* ---- step 3 ---- */

static void tell_way(const struct restore *r)
{
	if (r->way == IN_PLACE || (r->way != NEW && r->options->cp.verbose))
		lull_events_say(r->observer,
				.kind = r->way == EXCHANGE ? LULL_NOTE_ROLL_EXCHANGE
					: r->way == RENAME ? LULL_NOTE_ROLL_RENAME
							   : LULL_NOTE_ROLL_IN_PLACE,
				.path = r->generation, .path2 = r->target);
}

/* Returns true if both are on one file system. If not, the maps cannot be compared, and
   bytes are copied. */
static bool is_on_one_fs(const struct restore *r)
{
	_cleanup_close_ int from = open_to_read(r->generation);
	_cleanup_close_ int to = open_to_read(r->target);

	return from >= 0 && to >= 0 && lull_identity_same_fs(from, to);
}

static enum lull_outcome roll_back(struct restore *r)
{
	struct lull_options options = plain_options(r);

	tell_way(r);
	options.in_place = r->way == EXCHANGE || r->way == IN_PLACE;
	options.refresh = options.in_place && is_on_one_fs(r);
	options.over_writers = r->options->cp.force;
	options.cp.keep_mode = options.cp.keep_owner = r->way == NEW;
	/* A file that takes the name in the meantime has no undo, so do not replace
	   it. */
	if (r->way == NEW)
		options.cp.update = LULL_UPDATE_NONE_FAIL;
	return copy(r, &options, r->generation, r->target);
}

/* Replaces the undo by exchanging the names, so that a file that has taken the undo's
   name in the meantime is not lost. */
static enum lull_outcome replace_undo(struct restore *r, const char *late)
{
	_cleanup_close_ int dir = lull_open_parent(r->undo, O_RDONLY);

	if (renameat2(AT_FDCWD, late, AT_FDCWD, r->undo, RENAME_EXCHANGE) < 0)
		return fail(r, LULL_CAUSE_UNDO_LATE, errno, late, r->target);
	if (!is_undo(r, late)) {
		(void)renameat2(AT_FDCWD, late, AT_FDCWD, r->undo, RENAME_EXCHANGE);
		return fail(r, LULL_CAUSE_UNDO_LATE, 0, late, r->target);
	}
	if (dir < 0 || (!r->options->no_sync && fsync(dir) < 0))
		return fail(r, LULL_CAUSE_ERRNO, dir < 0 ? dir : errno, r->undo, NULL);
	(void)unlink(late);
	return LULL_OK;
}

/*
 * Makes the undo again if a program has written to the old target after the first one was
 * made: the file lost its name by the rename.
 */
static enum lull_outcome save_late_writes(struct restore *r, int old)
{
	_cleanup_free_ char *late = NULL;
	enum lull_outcome outcome;
	char path[32];
	struct stat now;

	if (fstat(old, &now) < 0 ||
	    (now.st_size == r->st.st_size && now.st_mtim.tv_sec == r->st.st_mtim.tv_sec &&
	     now.st_mtim.tv_nsec == r->st.st_mtim.tv_nsec))
		return LULL_OK;
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", old);
	late = lull_text("%s.late", r->undo);
	if (!late)
		return fail(r, LULL_CAUSE_ERRNO, ENOMEM, r->undo, NULL);
	outcome = copy_undo(r, path, late);
	return outcome == LULL_OK ? replace_undo(r, late) : outcome;
}

static enum lull_outcome roll_back_and_look(struct restore *r)
{
	bool look = r->way == RENAME && !r->options->no_undo;
	/* Use O_PATH: this run must not count as a program that has the file open. */
	_cleanup_close_ int old = look ? open(r->target, O_PATH | O_CLOEXEC) : -1;
	enum lull_outcome outcome = roll_back(r);

	return outcome == LULL_OK && old >= 0 ? save_late_writes(r, old) : outcome;
}

enum lull_outcome lull_restore(const struct lull_options *options, const char *generation,
			       const char *target, const struct lull_observer *observer,
			       struct lull_totals *ret_totals)
{
	struct restore r = {
		.options = options,
		.observer = observer,
		.totals = ret_totals,
	};
	enum lull_outcome outcome;

	*ret_totals = (struct lull_totals){ 0 };
	lull_dest_init(&r.lock);
	lull_identity_run_id(ret_totals->run_id);
	outcome = look(&r, generation, target);
	if (outcome == LULL_OK)
		outcome = have_undo(&r);
	/* Making the undo took time, so check again. */
	if (outcome == LULL_OK)
		outcome = judge_use(&r);
	if (outcome == LULL_OK)
		outcome = roll_back_and_look(&r);
	if (outcome == LULL_FAILED)
		take_undo_back(&r);
	if (r.failure.stage != LULL_STAGE_NONE)
		tell_failure(&r, outcome, generation, target);
	(void)lull_dest_remove(&r.lock);
	lull_dest_done(&r.lock);
	free(r.generation);
	free(r.target);
	free(r.undo);
	return outcome;
}
