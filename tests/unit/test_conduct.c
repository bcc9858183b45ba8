// SPDX-License-Identifier: MIT
/*
 * The order of steps (conduct.c, frozen.c) without a file system: every step that they
 * take is a fake here, which says what is on disk, and each of them fails once, in every
 * way it can, in every kind of run. After each the promises are looked at.
 */
#include "engine/base/place.h"
#include "engine/clone/claim.h"
#include "engine/clone/conduct.h"
#include "engine/clone/copy.h"
#include "engine/clone/delta.h"
#include "engine/clone/dest.h"
#include "engine/clone/freeze.h"
#include "engine/clone/freeze_hook.h"
#include "engine/clone/methods.h"
#include "engine/clone/parallel.h"
#include "engine/clone/pass.h"
#include "engine/clone/record.h"
#include "engine/clone/refresh.h"
#include "engine/clone/resume.h"
#include "engine/clone/rotation.h"
#include "engine/clone/set_resume.h"
#include "engine/clone/shrink.h"
#include "engine/clone/snapshot.h"
#include "engine/clone/start.h"
#include "engine/clone/untouched.h"
#include "sys/ficlone.h"
#include "unit.h"

#define MOST 3

/* in a file: OTHERS are of a clone that is given up */
enum bytes { NOTHING, OTHERS, PART, ALL };

/* One kind of run. */
struct kind {
	const char *name;
	unsigned int n;
	bool hook, live, keep_frozen, in_place, exchanges, delta, short_one, copies,
		helps, rotation, no_sync, dest_exists, alters;
	enum lull_job_state found; /* what step 2 comes to */
	bool found_named;          /* of a set: the first has its name already */
	bool kept;                 /* an earlier run left the writers frozen */
};

/* What is on disk, and what the writers do. */
static struct world {
	const struct kind *kind;
	struct lull_clones clones;
	struct lull_job job[MOST];
	struct lull_result result[MOST];
	struct lull_options options;
	struct lull_hook *hook;
	struct {
		bool locked, temporary, named, synced, referenced, compared, altered;
		enum bytes bytes;
	} file[MOST];
	bool record, whole_record, frozen, kept, thaw_owed;
	unsigned int freezes, thaws;
	bool no_record_at_freeze, torn, unsynced, early, late_pass, unrecorded;
	/* the fault */
	unsigned int at, step;
	enum lull_outcome outcome;
	const char *failed;
	bool thaw_fails; /* beside it */
} w;

static unsigned int of(const struct lull_job *job)
{
	return (unsigned int)(job - w.job);
}

/* True if this is the step that fails. */
static bool fails(const char *step)
{
	if (w.step++ != w.at)
		return false;
	w.failed = step;
	return true;
}

static enum lull_outcome take(const char *step)
{
	return fails(step) ? w.outcome : LULL_OK;
}

static int do_it(const char *step)
{
	return fails(step) ? -EIO : 0;
}

/* ---- how the engine speaks ---- */

enum lull_outcome lull_end(struct lull_job *job, enum lull_outcome outcome,
			   enum lull_stage stage, enum lull_cause cause, int err,
			   const char *path UNUSED)
{
	if (job->result->failure.stage == LULL_STAGE_NONE)
		job->result->failure = (struct lull_failure){ .stage = stage,
							      .cause = cause,
							      .err = abs(err) };
	return outcome;
}

enum lull_outcome lull_fail(struct lull_job *job, enum lull_stage stage,
			    enum lull_cause cause, int err, const char *path)
{
	return lull_end(job, LULL_FAILED, stage, cause, err, path);
}

void lull_warn(struct lull_job *job UNUSED, enum lull_warning warning UNUSED,
	       int err UNUSED, const char *path UNUSED)
{
}

void lull_announce(struct lull_job *job UNUSED, enum lull_method method UNUSED,
		   uint64_t ns UNUSED)
{
}

bool lull_is_frozen(const struct lull_job *job)
{
	return job->freeze->started != 0;
}

enum lull_cause lull_clone_classify(int err UNUSED, int src UNUSED, int dest UNUSED,
				    uint64_t off UNUSED, uint64_t len UNUSED)
{
	return LULL_CAUSE_ERRNO;
}

/* ---- step 2 ---- */

enum lull_outcome lull_freeze_hook_prepare(struct lull_job *job)
{
	if (w.kind->hook)
		job->freeze->hook = w.hook;
	return take("understand the hook");
}

enum lull_outcome lull_claim_lock(struct lull_job *job)
{
	enum lull_outcome outcome = take("lock");
	unsigned int i = of(job);

	if (outcome != LULL_OK)
		return outcome;
	w.file[i].locked = true;
	job->dest.lock = 1000 + (int)i;
	job->dest.fd = job->dest.in_place ? 2000 + (int)i : job->dest.lock;
	if (!w.file[i].temporary) {
		job->dest.created = true;
		w.file[i].temporary = true;
	}
	return LULL_OK;
}

static enum lull_outcome find(struct lull_job *job, unsigned int i)
{
	enum lull_outcome outcome = take("find");

	if (outcome != LULL_OK)
		return outcome;
	job->recorded = w.record;
	job->state = w.kind->found == LULL_JOB_DISCARDING ? LULL_JOB_EMPTY
							  : w.kind->found;
	if (w.kind->found_named && i == 0)
		job->state = LULL_JOB_NAMED;
	if (job->state == LULL_JOB_FOUND) {
		job->checkpoint.frozen = job->checkpoint.kept_frozen = w.kind->kept;
		job->resumed = true;
		job->checkpoint.has_reference = true;
	}
	if (job->state == LULL_JOB_EMPTY && w.file[i].bytes == OTHERS) {
		job->state = LULL_JOB_DISCARDING;
		outcome = take("discard");
		if (outcome != LULL_OK)
			return outcome;
		w.file[i].bytes = NOTHING;
		job->state = LULL_JOB_EMPTY;
	}
	return LULL_OK;
}

enum lull_outcome lull_resume_find(struct lull_job *job)
{
	return find(job, 0);
}

enum lull_outcome lull_set_resume(struct lull_clones *clones)
{
	enum lull_outcome outcome = LULL_OK;

	for (unsigned int i = 0; i < clones->n && outcome == LULL_OK; i++) {
		clones->jobs[i]->shared = &clones->shared;
		outcome = lull_clones_blame(clones, clones->jobs[i],
					    find(clones->jobs[i], i));
	}
	clones->whole = outcome == LULL_OK && w.kind->found == LULL_JOB_WHOLE;
	return outcome;
}

enum lull_outcome lull_rotation_open(struct lull_job *job UNUSED)
{
	return take("read the generations");
}

enum lull_outcome lull_rotation_name(struct lull_job *job UNUSED)
{
	return take("name the generation");
}

enum lull_outcome lull_refresh_open(struct lull_job *job UNUSED)
{
	return take("open the older clone");
}

/* ---- steps 3 to 5 ---- */

int lull_flush_source(const struct lull_job *job UNUSED)
{
	return do_it("flush");
}

enum lull_outcome lull_start_probe(struct lull_job *job)
{
	if (job->copies)
		w.early = true;
	if (w.kind->helps && !job->copies)
		return LULL_FAILED;
	return take("probe");
}

bool lull_copy_may_help(struct lull_job *job)
{
	return w.kind->helps && !job->copies;
}

void lull_copy_choose(struct lull_job *job)
{
	job->copies = true;
}

bool lull_copy_is_short(const struct lull_job *job UNUSED)
{
	return w.kind->short_one;
}

bool lull_clone_is_atomic(int fd UNUSED)
{
	return true;
}

bool lull_pass_fits_one_call(struct lull_job *job UNUSED)
{
	return w.kind->short_one;
}

bool lull_set_keep_run(struct lull_clones *clones UNUSED)
{
	return !fails("memory");
}

enum lull_outcome lull_record_begin(struct lull_job *job UNUSED)
{
	return take("begin the record");
}

/* As record.c: what will be altered has none. */
static void write_record(void)
{
	if (w.kind->alters)
		return;
	w.record = true;
	w.whole_record = true;
	for (unsigned int i = 0; i < w.kind->n; i++) {
		w.job[i].recorded = true;
		w.whole_record = w.whole_record &&
				 w.job[i].checkpoint.phase == LULL_PHASE_COMPLETE;
	}
}

enum lull_outcome lull_record_save_all(struct lull_job **jobs UNUSED,
				       unsigned int n UNUSED)
{
	enum lull_outcome outcome = take("save the record");

	if (outcome == LULL_OK)
		write_record();
	return outcome;
}

int lull_set_record_point(struct lull_job **jobs UNUSED, unsigned int n UNUSED,
			  struct lull_job **ret_job UNUSED)
{
	return do_it("point to the record");
}

/* Fills the file; on a fault some of it is there. */
static enum lull_outcome fill(struct lull_job *job, const char *step)
{
	unsigned int i = of(job);
	enum lull_outcome outcome;

	if (w.kind->hook && !w.frozen)
		w.late_pass = true;
	if (job->state < LULL_JOB_BEGUN)
		job->state = LULL_JOB_BEGUN;
	job->emptied = job->dest.in_place;
	w.file[i].bytes = PART;
	w.file[i].synced = false;
	outcome = take(step);
	if (outcome == LULL_OK)
		w.file[i].bytes = ALL;
	return outcome;
}

/* What is not short is recorded before the file is anything but empty. */
static enum lull_outcome fill_recorded(struct lull_job *job, const char *step)
{
	enum lull_outcome outcome = LULL_OK;

	job->checkpoint.has_reference = true;
	if (!w.record) {
		outcome = take("save the record of the pass");
		if (outcome == LULL_OK)
			write_record();
	}
	if (outcome == LULL_OK && !job->recorded && !w.kind->alters)
		w.unrecorded = true;
	return outcome == LULL_OK ? fill(job, step) : outcome;
}

bool lull_delta_suits(const struct lull_job *job UNUSED)
{
	return w.kind->delta;
}

enum lull_outcome lull_delta_clone(struct lull_job *job, bool *ret_done)
{
	unsigned int i = of(job);
	enum lull_outcome outcome = take("find what differs");

	*ret_done = false;
	if (outcome != LULL_OK || fails("too much differs"))
		return outcome;
	w.file[i].bytes = PART;
	outcome = take("clone what differs");
	*ret_done = outcome == LULL_OK;
	if (*ret_done)
		w.file[i].bytes = ALL;
	w.file[i].compared = *ret_done;
	return outcome;
}

enum lull_outcome lull_method_single(struct lull_job *job)
{
	enum lull_outcome outcome = fill(job, "one call");

	w.file[of(job)].compared = outcome == LULL_OK;
	return outcome;
}

enum lull_outcome lull_copy_whole(struct lull_job *job, bool *ret_torn)
{
	enum lull_outcome outcome = fill(job, "copy all");

	*ret_torn = false;
	w.file[of(job)].compared = outcome == LULL_OK;
	return outcome;
}

enum lull_outcome lull_method_torn(struct lull_job *job UNUSED)
{
	return LULL_OK;
}

enum lull_outcome lull_method_copy(struct lull_job *job)
{
	enum lull_outcome outcome = fill_recorded(job, "copy");

	w.file[of(job)].compared = outcome == LULL_OK;
	return outcome;
}

enum lull_outcome lull_method_unfrozen(struct lull_job *job)
{
	enum lull_outcome outcome = fill_recorded(job, "clone unfrozen");

	w.file[of(job)].compared = outcome == LULL_OK;
	return outcome;
}

enum lull_outcome lull_method_live(struct lull_job *job)
{
	bool frozen = w.frozen;
	enum lull_outcome outcome;

	w.frozen = true; /* fill() minds */
	outcome = fill_recorded(job, "live pass");
	w.frozen = frozen;
	return outcome;
}

enum lull_outcome lull_method_reference(struct lull_job *job, bool *ret_taken)
{
	*ret_taken = true;
	w.file[of(job)].referenced = w.frozen;
	return take("reference");
}

enum lull_outcome lull_method_pass(struct lull_job *job, bool *ret_held, bool *ret_whole)
{
	/* Each reference is there before the first pass begins. */
	for (unsigned int i = 0; i < w.kind->n; i++)
		w.torn = w.torn || !w.file[i].referenced;
	*ret_held = *ret_whole = true;
	w.file[of(job)].compared = false;
	return fill_recorded(job, "frozen pass");
}

enum lull_outcome lull_method_written(struct lull_job *job, enum lull_cause cause)
{
	return lull_end(job, LULL_WRITTEN, LULL_STAGE_CLONE, cause, 0, NULL);
}

int lull_tripwire_look(int fd, struct lull_reference *ret)
{
	int r = do_it("compare");

	*ret = (struct lull_reference){ 0 };
	if (r == 0)
		w.file[fd - 3000].compared = w.frozen && w.file[fd - 3000].bytes == ALL;
	return r;
}

/* A look that finds another reference is a fault of its own. */
bool lull_reference_equal(const struct lull_reference *a UNUSED,
			  const struct lull_reference *b UNUSED)
{
	if (!fails("written"))
		return true;
	for (unsigned int i = 0; i < w.kind->n; i++)
		w.file[i].compared = false;
	return false;
}

enum lull_outcome lull_parallel_run(struct lull_job **jobs, unsigned int n,
				    unsigned int width UNUSED,
				    enum lull_outcome (*step)(struct lull_job *job),
				    struct lull_job **ret_failed)
{
	enum lull_outcome outcome = LULL_OK;

	for (unsigned int i = 0; i < n && outcome == LULL_OK; i++) {
		*ret_failed = jobs[i];
		outcome = step(jobs[i]);
	}
	return outcome;
}

/* Changes the whole clone; on a fault some of it is changed. */
static enum lull_outcome change(struct lull_job *job, void *ctx)
{
	unsigned int i = of(job);
	enum lull_outcome outcome;

	assert_ptr_equal(ctx, &w);
	w.torn = w.torn || w.file[i].bytes != ALL || !w.file[i].compared;
	w.file[i].bytes = PART;
	w.file[i].synced = false;
	outcome = take("alter");
	w.file[i].altered = outcome == LULL_OK;
	if (outcome == LULL_OK)
		w.file[i].bytes = ALL;
	return outcome;
}

/* ---- freeze and thaw ---- */

enum lull_outcome lull_freeze_claim(struct lull_job *job UNUSED)
{
	return take("lock the sources");
}

enum lull_outcome lull_freeze_begin(struct lull_job *job)
{
	enum lull_outcome outcome = take("record the freeze");

	if (outcome != LULL_OK)
		return outcome;
	write_record();
	w.no_record_at_freeze = w.no_record_at_freeze || !w.record;
	outcome = take("start the keeper");
	if (outcome != LULL_OK)
		return outcome;
	w.freezes++;
	job->freeze->started = 1;
	w.thaw_owed = true;
	for (unsigned int i = 0; i < w.kind->n; i++)
		w.job[i].checkpoint.frozen = true;
	outcome = take("freeze");
	w.frozen = outcome == LULL_OK;
	return outcome;
}

enum lull_outcome lull_freeze_drain(struct lull_job *job UNUSED)
{
	return LULL_OK;
}

static void forget_frozen(void)
{
	for (unsigned int i = 0; i < w.kind->n; i++)
		w.job[i].checkpoint.frozen = w.job[i].checkpoint.kept_frozen = false;
	w.frozen = w.thaw_owed = false;
}

enum lull_outcome lull_freeze_undo(struct lull_job *job)
{
	w.thaws++;
	if (fails("thaw") || w.thaw_fails) {
		job->freeze->thaw_failed = true;
		return lull_end(job, LULL_THAW_FAILED, LULL_STAGE_HOOK, LULL_CAUSE_ERRNO,
				0, NULL);
	}
	forget_frozen();
	return take("record the thaw");
}

int lull_set_record_find(struct lull_dest *dest UNUSED, struct lull_checkpoint **ret_of,
			 unsigned int *ret_n)
{
	static struct lull_checkpoint of;

	if (!w.record)
		return -ENOENT;
	of.frozen = of.kept_frozen = w.kind->kept;
	*ret_of = &of;
	*ret_n = 1;
	return 0;
}

void lull_checkpoint_free(struct lull_checkpoint *of UNUSED, unsigned int n UNUSED)
{
}

enum lull_outcome lull_freeze_check(struct lull_job *job UNUSED)
{
	return take("look whether it is frozen yet");
}

enum lull_outcome lull_freeze_end(struct lull_job *job, const char *result UNUSED)
{
	if (job->freeze->started == 0)
		return LULL_OK;
	job->freeze->started = 0;
	w.thaws++;
	if (fails("thaw") || w.thaw_fails) {
		job->freeze->thaw_failed = true;
		return lull_end(job, LULL_THAW_FAILED, LULL_STAGE_HOOK, LULL_CAUSE_ERRNO,
				0, NULL);
	}
	forget_frozen();
	return LULL_OK;
}

void lull_freeze_keep(struct lull_job *job)
{
	job->freeze->started = 0;
	w.kept = true;
}

/* ---- steps 6 and 7 ---- */

int lull_dest_finish(struct lull_job *job)
{
	unsigned int i = of(job);
	int r = do_it("finish");

	if (w.frozen && !w.job[0].freeze->thaw_failed)
		w.early = true;
	if (r == 0)
		w.file[i].synced = true;
	return r;
}

void lull_untouched_settle(int fd UNUSED)
{
}

int lull_dest_may_rename(const struct lull_job *job UNUSED)
{
	return do_it("look before the rename");
}

static void name(struct lull_job *job)
{
	unsigned int i = of(job);

	if (w.file[i].named || w.file[i].bytes != ALL ||
	    (!w.file[i].compared && w.kind->found != LULL_JOB_WHOLE))
		w.torn = true;
	if (w.kind->alters != w.file[i].altered)
		w.torn = true;
	if (!w.file[i].synced && !w.kind->no_sync)
		w.unsynced = true;
	/* No file of a set is named before the record says that all are whole. */
	if (w.kind->n > 1 && !w.whole_record && !w.kind->no_sync)
		w.early = true;
	w.file[i].named = true;
	if (!job->dest.in_place && !w.kind->exchanges)
		w.file[i].temporary = false;
	job->result->published = true;
}

int lull_dest_rename(struct lull_job *job)
{
	int r = do_it("rename");

	if (r == 0 && w.kind->exchanges && fails("somebody writes to DEST"))
		r = -EBUSY;
	if (r == 0)
		name(job);
	return r;
}

int lull_dest_publish(struct lull_job *job)
{
	int r = lull_dest_rename(job);

	return r == 0 ? do_it("sync the directory") : r;
}

int lull_rotation_publish(struct lull_job *job)
{
	return lull_dest_publish(job);
}

int __wrap_fsync(int fd);
int __wrap_fsync(int fd UNUSED)
{
	assert_false(w.kind->no_sync);
	errno = EIO;
	return do_it("sync the directory") < 0 ? -1 : 0;
}

int __wrap_unlinkat(int dir, const char *path, int flags);
int __wrap_unlinkat(int dir UNUSED, const char *path UNUSED, int flags UNUSED)
{
	/* Only what this run has made itself may go: DEST in place. */
	assert_true(w.kind->in_place && !w.kind->dest_exists);
	return 0;
}

/* ---- ways out ---- */

void lull_record_reached(struct lull_job *job UNUSED)
{
}

static void remove_record(void)
{
	w.record = false;
	for (unsigned int i = 0; i < w.kind->n; i++)
		w.job[i].recorded = false;
}

void lull_record_remove(struct lull_job *job UNUSED)
{
	remove_record();
}

void lull_record_sweep(const struct lull_job *job UNUSED)
{
}

void lull_set_record_remove(struct lull_job **jobs UNUSED, unsigned int n UNUSED)
{
	remove_record();
}

void lull_set_record_done(struct lull_set_record *shared UNUSED)
{
}

void lull_checkpoint_done(struct lull_checkpoint *checkpoint UNUSED)
{
}

enum lull_outcome lull_shrink(struct lull_job *job, int fd, uint64_t size UNUSED)
{
	unsigned int i = of(job);

	assert_true(fd == job->dest.lock || fd == job->dest.fd);
	/* What has its name is whole, and stays so: then this is a lock. */
	if (w.file[i].named)
		assert_true(fd == job->dest.lock && w.file[i].temporary);
	else
		w.file[i].bytes = NOTHING;
	return LULL_OK;
}

void lull_snapshot_clear(struct lull_job *job UNUSED)
{
}

/* Nobody else is there. */
bool lull_dest_has_name(const struct lull_dest *dest)
{
	return dest->fd >= 0;
}

bool lull_dest_is_there(const struct lull_dest *dest)
{
	return w.file[of(container_of(dest, struct lull_job, dest))].temporary;
}

int lull_dest_remove(struct lull_dest *dest)
{
	w.file[of(container_of(dest, struct lull_job, dest))].temporary = false;
	return 0;
}

/* ---- the promises ---- */

static void begin(const struct kind *kind, unsigned int at, enum lull_outcome outcome,
		  bool thaw_fails)
{
	static struct lull_hook *some_hook;
	static char names[MOST][2] = { "c", "a", "b" };
	static const struct lull_place altering = {
		.src = -1, .dir = -1, .old = -1, .alter = change, .ctx = &w
	};

	some_hook = (struct lull_hook *)(void *)names; /* never looked into */
	w = (struct world){ .kind = kind,
			    .hook = some_hook,
			    .at = at,
			    .outcome = outcome,
			    .thaw_fails = thaw_fails };
	w.options.live = kind->live;
	w.options.keep_frozen = kind->keep_frozen;
	w.options.no_sync = kind->no_sync;
	w.options.jobs = 1;
	w.options.cp.reflink = kind->copies  ? LULL_REFLINK_NEVER
			       : kind->helps ? LULL_REFLINK_AUTO
					     : LULL_REFLINK_ALWAYS;
	lull_clones_init(&w.clones, &w.options);
	w.options.resume = kind->found == LULL_JOB_FOUND;
	w.record = kind->found >= LULL_JOB_FOUND;
	w.frozen = w.thaw_owed = kind->kept;
	for (unsigned int i = 0; i < kind->n; i++) {
		struct lull_job *job = &w.job[i];

		job->options = &w.options;
		job->result = &w.result[i];
		job->progress = &w.result[i].progress;
		job->src = 3000 + (int)i;
		job->place = kind->alters ? &altering : NULL;
		job->freeze = &w.clones.freeze;
		job->dest = (struct lull_dest){ .path = names[i],
						.name = names[i],
						.temporary = names[i],
						.lock = -1,
						.fd = -1,
						.target = kind->exchanges ? 4000 : -1,
						.in_place = kind->in_place,
						.exists = kind->dest_exists };
		job->rotation = kind->rotation ? (void *)names : NULL;
		w.clones.jobs[w.clones.n++] = job;
		w.file[i].temporary = kind->found >= LULL_JOB_FOUND ||
				      kind->found == LULL_JOB_DISCARDING;
		if (kind->found == LULL_JOB_DISCARDING)
			w.file[i].bytes = OTHERS;
		if (kind->found == LULL_JOB_FOUND)
			w.file[i].bytes = PART;
		if (kind->found == LULL_JOB_WHOLE) {
			w.file[i].bytes = ALL;
			w.file[i].synced = true;
			w.whole_record = true;
			w.file[i].named = kind->found_named && i == 0;
			w.file[i].temporary = !w.file[i].named;
		}
	}
}

static unsigned int count_named(void)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < w.kind->n; i++)
		n += w.file[i].named;
	return n;
}

static void look(enum lull_outcome outcome)
{
	const struct kind *k = w.kind;
	unsigned int named = count_named();
	char where[160];
	bool found = k->found >= LULL_JOB_FOUND, owned = true;

	for (unsigned int i = 0; i < k->n; i++)
		owned = owned && w.job[i].state != LULL_JOB_LOOKING;
	(void)snprintf(where, sizeof(where), "%s, step %u (%s) fails with %d, outcome %d",
		       k->name, w.at, w.failed ? w.failed : "none", (int)w.outcome,
		       (int)outcome);
	/* Names are given to what is whole, on disk, and of one moment; of a set to all
	   of it. */
	check(where, !w.torn);
	check(where, !w.unsynced);
	check(where, !w.early);
	check(where, outcome != LULL_OK || named == k->n);
	check(where, named == 0 || named == k->n || k->found_named || w.record);
	check(where, outcome == LULL_OK || named == 0 || w.record || k->n == 1);
	check(where, named == 0 || outcome == LULL_OK || outcome == LULL_THAW_FAILED ||
			     (named < k->n) ||
			     strcmp(w.failed, "sync the directory") == 0);
	/* Writers wait as long as they must, and nobody forgets them. */
	check(where, !w.no_record_at_freeze);
	check(where, !w.late_pass);
	check(where, !w.unrecorded);
	check(where, w.freezes <= 2 && w.thaws <= w.freezes + k->kept);
	/* What was left frozen is left so only if this run has not begun with it, or
	   may. */
	check(where,
	      !w.thaw_owed || w.kept || w.clones.freeze.thaw_failed ||
		      (k->kept && (!owned || outcome == LULL_BUSY ||
				   (outcome == LULL_INTERRUPTED && k->keep_frozen))));
	check(where, !w.thaw_owed || owned || !w.failed ||
			     strcmp(w.failed, "understand the hook") != 0 ||
			     outcome == LULL_THAW_FAILED);
	check(where, !w.kept || (k->keep_frozen && outcome == LULL_INTERRUPTED));
	check(where, !w.clones.freeze.thaw_failed || outcome == LULL_THAW_FAILED);
	check(where, !w.thaw_owed || w.record);
	/* What can be resumed is kept with its record; what is not leaves nothing. */
	for (unsigned int i = 0; i < k->n; i++) {
		bool temporary = w.file[i].temporary;

		if (w.file[i].bytes == PART && temporary && !k->in_place)
			check(where, w.record);
		if (outcome == LULL_OK)
			check(where, !temporary && !w.record);
		if (found && !w.file[i].named && outcome != LULL_OK)
			check(where, temporary && w.record);
		if ((outcome == LULL_INTERRUPTED || outcome == LULL_STOPPED ||
		     outcome == LULL_WRITTEN) &&
		    w.record && !w.file[i].named)
			check(where, temporary);
		if (w.result[i].kept)
			check(where, w.record);
		/* A half altered clone is of no use to anybody. */
		if (k->alters && owned && w.job[i].state != LULL_JOB_DISCARDING)
			check(where, !temporary && !w.record && !w.result[i].kept);
		if (w.job[i].state == LULL_JOB_DISCARDING)
			check(where, temporary && w.file[i].bytes == OTHERS);
	}
	check(where, !w.record || w.clones.freeze.thaw_failed || found || named > 0 ||
			     w.result[0].kept);
	if ((outcome == LULL_INTERRUPTED || outcome == LULL_STOPPED) && owned &&
	    w.job[0].checkpoint.has_reference && w.job[0].recorded)
		check(where, w.result[0].kept);
	/* Somebody is to blame, and it is said whose failure it is. */
	check(where, (outcome == LULL_OK) == (w.clones.culprit == NULL));
}

static const struct kind kinds[] = {
	{ .name = "one, no hook", .n = 1, .found = LULL_JOB_EMPTY },
	{ .name = "one, short", .n = 1, .found = LULL_JOB_EMPTY, .short_one = true },
	{ .name = "one, without syncs",
	  .n = 1,
	  .found = LULL_JOB_EMPTY,
	  .no_sync = true },
	{ .name = "one, resumed", .n = 1, .found = LULL_JOB_FOUND },
	{ .name = "one, over a leftover", .n = 1, .found = LULL_JOB_DISCARDING },
	{ .name = "one, in place",
	  .n = 1,
	  .found = LULL_JOB_EMPTY,
	  .in_place = true,
	  .dest_exists = true },
	{ .name = "one, in place, new",
	  .n = 1,
	  .found = LULL_JOB_EMPTY,
	  .in_place = true },
	{ .name = "one, exchanged",
	  .n = 1,
	  .found = LULL_JOB_EMPTY,
	  .exchanges = true,
	  .dest_exists = true },
	{ .name = "one, exchanged, resumed",
	  .n = 1,
	  .found = LULL_JOB_FOUND,
	  .exchanges = true,
	  .dest_exists = true },
	{ .name = "one, what differs exchanged",
	  .n = 1,
	  .found = LULL_JOB_EMPTY,
	  .exchanges = true,
	  .delta = true,
	  .dest_exists = true },
	{ .name = "one, copied", .n = 1, .found = LULL_JOB_EMPTY, .copies = true },
	{ .name = "one, copied, short",
	  .n = 1,
	  .found = LULL_JOB_EMPTY,
	  .copies = true,
	  .short_one = true },
	{ .name = "one, copied in the end",
	  .n = 1,
	  .found = LULL_JOB_EMPTY,
	  .helps = true },
	{ .name = "one, copied in the end, short",
	  .n = 1,
	  .found = LULL_JOB_EMPTY,
	  .helps = true,
	  .short_one = true },
	{ .name = "one, altered", .n = 1, .found = LULL_JOB_EMPTY, .alters = true },
	{ .name = "one, altered, short",
	  .n = 1,
	  .found = LULL_JOB_EMPTY,
	  .alters = true,
	  .short_one = true },
	{ .name = "one, altered, copied in the end",
	  .n = 1,
	  .found = LULL_JOB_EMPTY,
	  .alters = true,
	  .helps = true },
	{ .name = "one, altered, over a leftover",
	  .n = 1,
	  .found = LULL_JOB_DISCARDING,
	  .alters = true },
	{ .name = "one, hook", .n = 1, .found = LULL_JOB_EMPTY, .hook = true },
	{ .name = "one, hook, short",
	  .n = 1,
	  .found = LULL_JOB_EMPTY,
	  .hook = true,
	  .short_one = true },
	{ .name = "one, hook, live",
	  .n = 1,
	  .found = LULL_JOB_EMPTY,
	  .hook = true,
	  .live = true },
	{ .name = "one, hook, keep frozen",
	  .n = 1,
	  .found = LULL_JOB_EMPTY,
	  .hook = true,
	  .keep_frozen = true },
	{ .name = "one, hook, copied in the end",
	  .n = 1,
	  .found = LULL_JOB_EMPTY,
	  .hook = true,
	  .helps = true },
	{ .name = "one, hook, resumed", .n = 1, .found = LULL_JOB_FOUND, .hook = true },
	{ .name = "one, left frozen",
	  .n = 1,
	  .found = LULL_JOB_FOUND,
	  .hook = true,
	  .kept = true },
	{ .name = "one, left frozen, keep frozen",
	  .n = 1,
	  .found = LULL_JOB_FOUND,
	  .hook = true,
	  .kept = true,
	  .keep_frozen = true },
	{ .name = "a set, without syncs",
	  .n = 3,
	  .found = LULL_JOB_EMPTY,
	  .hook = true,
	  .no_sync = true },
	{ .name = "a set, left frozen",
	  .n = 2,
	  .found = LULL_JOB_FOUND,
	  .hook = true,
	  .kept = true },
	{ .name = "a generation", .n = 1, .found = LULL_JOB_EMPTY, .rotation = true },
	{ .name = "a set", .n = 3, .found = LULL_JOB_EMPTY, .hook = true },
	{ .name = "a set, live",
	  .n = 3,
	  .found = LULL_JOB_EMPTY,
	  .hook = true,
	  .live = true },
	{ .name = "a set, keep frozen",
	  .n = 2,
	  .found = LULL_JOB_EMPTY,
	  .hook = true,
	  .keep_frozen = true },
	{ .name = "a set, copied",
	  .n = 2,
	  .found = LULL_JOB_EMPTY,
	  .hook = true,
	  .copies = true },
	{ .name = "a set, copied in the end",
	  .n = 2,
	  .found = LULL_JOB_EMPTY,
	  .hook = true,
	  .helps = true },
	{ .name = "a set, resumed", .n = 3, .found = LULL_JOB_FOUND, .hook = true },
	{ .name = "a set, over leftovers",
	  .n = 2,
	  .found = LULL_JOB_DISCARDING,
	  .hook = true },
	{ .name = "a set, whole", .n = 3, .found = LULL_JOB_WHOLE, .hook = true },
	{ .name = "a set, partly named",
	  .n = 3,
	  .found = LULL_JOB_WHOLE,
	  .hook = true,
	  .found_named = true },
};

static const enum lull_outcome outcomes[] = { LULL_FAILED,      LULL_STOPPED,
					      LULL_INTERRUPTED, LULL_FREEZE_FAILED,
					      LULL_WRITTEN,     LULL_BUSY,
					      LULL_SKIPPED };

static void fail_everywhere(bool thaw_fails)
{
	unsigned int runs = 0, ok = 0;

	for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
		for (size_t o = 0; o < sizeof(outcomes) / sizeof(outcomes[0]); o++) {
			for (unsigned int at = 0;; at++) {
				enum lull_outcome outcome;

				begin(&kinds[k], at, outcomes[o], thaw_fails);
				outcome = lull_conduct(&w.clones, LULL_OK);
				runs++;
				ok += outcome == LULL_OK;
				look(outcome);
				lull_clones_done(&w.clones);
				if (!w.failed) {
					check_int(kinds[k].name, outcome,
						  w.clones.freeze.thaw_failed
							  ? LULL_THAW_FAILED
							  : LULL_OK);
					break;
				}
			}
		}
	}
	print_message("%u runs, %u of them to the end\n", runs, ok);
	assert_true(runs > 1500);
}

static void test_every_step_fails_once(void **state UNUSED)
{
	fail_everywhere(false);
}

static void test_every_step_fails_beside_the_thaw(void **state UNUSED)
{
	fail_everywhere(true);
}

/* A file that could not be opened: nothing is made, and nothing is taken away. */
static void test_not_opened(void **state UNUSED)
{
	for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
		bool record;

		begin(&kinds[k], UINT32_MAX, LULL_OK, false);
		record = w.record;
		assert_int_equal(lull_conduct(&w.clones, LULL_FAILED), LULL_FAILED);
		check_int(kinds[k].name, w.step, 0);
		check_int(kinds[k].name, w.record, record);
		lull_clones_done(&w.clones);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_step_fails_once),
		cmocka_unit_test(test_every_step_fails_beside_the_thaw),
		cmocka_unit_test(test_not_opened),
	};

	return cmocka_run_group_tests_name("conduct", tests, NULL, NULL);
}
