// SPDX-License-Identifier: MIT
/*
 * DESIGN
 *
 * clone.c's order of steps, each taken with all files of the set before the next:
 *
 *   1. open all, judge them                                     nothing
 *   2. lock all, find the checkpoint (set_resume.c)                 nothing new
 *   3. flush, probe; record the set                             empty temporary files
 *   4. --live: passes, several files side by side               the same, filling
 *   5. freeze once; a reference of each; the passes, side by    temporary files + checkpoint
 *      side; each compared; thaw once
 *   6. make each what its DEST must be, sync it
 *   7. record "complete" for all, in one step                   publishable
 *   8. rename one after the other; sync the directories;        the new DESTs
 *      remove the checkpoint
 *
 * All references are taken before the first pass, and all are compared after the last: so
 * each source rested in a time that is common to all, and the clones are of one moment.
 *
 * INVARIANTS
 *  1. No DEST changes before all clones are whole, on disk, and recorded to be so.
 *  2. A file system has no rename of several files: cut off in step 8, some DESTs are new and
 *     some are old. The checkpoint knows, stays until all are new, and --resume finishes it.
 *  3. What fails in one file fails in all.
 */
#include "engine/set/set.h"

#include "engine/clone/copy.h"
#include "engine/clone/dest.h"
#include "engine/clone/freeze.h"
#include "engine/clone/job_init.h"
#include "engine/clone/methods.h"
#include "engine/clone/record.h"
#include "engine/clone/shrink.h"
#include "engine/clone/start.h"
#include "engine/clone/statehome.h"
#include "engine/clone/untouched.h"
#include "engine/file/big.h"
#include "engine/file/file.h"
#include "engine/file/queue.h"
#include "engine/set/parallel.h"
#include "engine/set/set_open.h"
#include "engine/set/set_resume.h"
#include "sys/clock.h"
#include "sys/ficlone.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static enum lull_outcome side_by_side(struct lull_set *set,
				      enum lull_outcome (*step)(struct lull_job *job))
{
	struct lull_job *failed = NULL;
	enum lull_outcome outcome =
		lull_parallel_run(set->jobs, set->n, set->tree->options->jobs, step, &failed);

	return lull_set_blame(set, failed, outcome);
}

/* ---- step 3 ---- */

static enum lull_outcome begin_one(struct lull_job *job)
{
	int r = lull_flush_source(job);
	enum lull_outcome outcome = LULL_OK;

	if (r < 0)
		return lull_fail(job, LULL_STAGE_FLUSH, LULL_CAUSE_ERRNO, r, job->source);
	if (job->options->cp.reflink == LULL_REFLINK_NEVER)
		lull_copy_choose(job);
	else
		outcome = lull_start_probe(job);
	if (outcome == LULL_FAILED && lull_copy_may_help(job)) {
		lull_copy_choose(job);
		outcome = LULL_OK;
	}
	if (outcome == LULL_OK && !job->resumed)
		outcome = lull_record_begin(job);
	return outcome;
}

static enum lull_outcome begin(struct lull_set *set)
{
	struct lull_job *first = set->jobs[0];
	enum lull_outcome outcome = LULL_OK;
	int r;

	for (unsigned int i = 0; i < set->n; i++) {
		outcome = begin_one(set->jobs[i]);
		if (outcome != LULL_OK)
			return lull_set_blame(set, set->jobs[i], outcome);
		set->jobs[i]->progress->method = LULL_METHOD_FROZEN;
	}
	if (!lull_set_keep_run(set))
		outcome = lull_fail(first, LULL_STAGE_CHECKPOINT, LULL_CAUSE_ERRNO, ENOMEM,
				    first->dest.checkpoint_path);
	if (outcome == LULL_OK)
		outcome = lull_record_save_all(set->jobs, set->n);
	if (outcome != LULL_OK)
		return lull_set_blame(set, first, outcome);
	r = lull_set_record_point(set->jobs, set->n, &first);
	return r == 0 ? LULL_OK
		      : lull_set_blame(set, first,
				       lull_fail(first, LULL_STAGE_CHECKPOINT, LULL_CAUSE_ERRNO, r,
						 first->dest.checkpoint_path));
}

/* ---- steps 4 and 5 ---- */

/* How long the frozen passes take if as many as there are jobs are made side by side. */
static uint64_t estimate_freeze(const struct lull_set *set)
{
	uint64_t load[LULL_CHECKPOINT_MOST] = { 0 }, longest = 0;
	unsigned int width = MAX(1u, MIN(set->tree->options->jobs, set->n));

	for (unsigned int i = 0; i < set->n; i++) {
		unsigned int least = 0;

		/* The next one goes to whoever is free first. */
		for (unsigned int k = 1; k < width; k++)
			least = load[k] < load[least] ? k : least;
		load[least] += lull_method_frozen_ns(set->jobs[i]);
		longest = MAX(longest, load[least]);
	}
	return longest;
}

static enum lull_outcome frozen_step(struct lull_job *job)
{
	bool held, whole;
	enum lull_outcome outcome = lull_method_pass(job, &held, &whole);

	return outcome == LULL_OK && !held ? lull_method_written(job, LULL_CAUSE_WRITERS) : outcome;
}

static enum lull_outcome take_references(struct lull_set *set)
{
	for (unsigned int i = 0; i < set->n; i++) {
		struct lull_job *job = set->jobs[i];
		bool taken;
		enum lull_outcome outcome = lull_method_reference(job, &taken);

		if (outcome == LULL_OK && !taken)
			outcome = lull_method_written(job, LULL_CAUSE_WRITERS);
		if (outcome != LULL_OK)
			return lull_set_blame(set, job, outcome);
	}
	return LULL_OK;
}

static enum lull_outcome compare_all(struct lull_set *set)
{
	for (unsigned int i = 0; i < set->n; i++) {
		struct lull_job *job = set->jobs[i];
		struct lull_reference now;
		enum lull_outcome outcome = LULL_OK;
		int r = lull_tripwire_look(job->src, &now);

		if (r < 0)
			outcome = lull_fail(job, LULL_STAGE_STAT_SOURCE, LULL_CAUSE_ERRNO, r,
					    job->source);
		else if (!lull_reference_equal(&now, &job->reference))
			outcome = lull_method_written(job, LULL_CAUSE_WRITERS);
		if (outcome != LULL_OK)
			return lull_set_blame(set, job, outcome);
	}
	return LULL_OK;
}

static bool has_come_somewhere(const struct lull_set *set)
{
	for (unsigned int i = 0; i < set->n; i++) {
		if (set->jobs[i]->checkpoint.has_reference)
			return true;
	}
	return false;
}

static enum lull_outcome thaw(struct lull_set *set, enum lull_outcome outcome)
{
	struct lull_job *first = set->jobs[0];
	enum lull_outcome ended;

	if (outcome == LULL_INTERRUPTED && first->options->keep_frozen && lull_is_frozen(first) &&
	    has_come_somewhere(set)) {
		lull_freeze_keep(first);
		return outcome;
	}
	ended = lull_freeze_end(first, outcome == LULL_OK	     ? "ok"
				       : outcome == LULL_INTERRUPTED ? "interrupted"
								     : "failed");
	/* This is what must be heard of. */
	if (ended != LULL_OK)
		set->culprit = first;
	/* Whole copies stay that even if the thaw failed: see publish(). */
	return outcome == LULL_OK || ended == LULL_OK ? outcome : ended;
}

static enum lull_outcome clone_frozen(struct lull_set *set)
{
	struct lull_job *first = set->jobs[0];
	enum lull_outcome outcome = LULL_OK;

	/* A freeze that an earlier run left in force is not the time for passes before. */
	if (first->options->live && !first->checkpoint.kept_frozen) {
		outcome = side_by_side(set, lull_method_live);
		if (outcome == LULL_OK)
			outcome = lull_set_blame(set, first, lull_method_announce(
							first, estimate_freeze(set)));
	}
	if (outcome == LULL_OK)
		outcome = lull_set_blame(set, first, lull_freeze_begin(first));
	if (outcome == LULL_OK)
		outcome = take_references(set);
	if (outcome == LULL_OK)
		outcome = side_by_side(set, frozen_step);
	if (outcome == LULL_OK)
		outcome = compare_all(set);
	/* The freeze may have ended between the last call and the comparison. */
	if (outcome == LULL_OK)
		outcome = lull_set_blame(set, first, lull_freeze_check(first));
	return thaw(set, outcome);
}

/* ---- steps 6 to 8 ---- */

static enum lull_outcome sync_failed(struct lull_set *set, struct lull_job *job,
				     enum lull_stage stage, int r)
{
	return lull_set_blame(set, job,
			      lull_fail(job, stage, lull_clone_classify(-r, -1, -1, 0, 0), r,
					job->dest.path));
}

static enum lull_outcome make_whole(struct lull_set *set)
{
	for (unsigned int i = 0; i < set->n; i++) {
		int r = lull_dest_finish(set->jobs[i]);

		if (r < 0)
			return sync_failed(set, set->jobs[i], LULL_STAGE_SYNC, r);
	}
	/* What is recorded now must be found again by a run that has nothing to do but renames. */
	for (unsigned int i = 0; i < set->n; i++)
		lull_untouched_settle(set->jobs[i]->dest.fd);
	for (unsigned int i = 0; i < set->n; i++) {
		struct lull_checkpoint *c = &set->jobs[i]->checkpoint;

		c->phase = LULL_PHASE_COMPLETE;
		c->offset = c->dest_size;
	}
	return lull_set_blame(set, set->jobs[0], lull_record_save_all(set->jobs, set->n));
}

static unsigned int count_published(const struct lull_set *set)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < set->n; i++)
		n += set->member[i]->published || set->jobs[i]->result->published;
	return n;
}

static enum lull_outcome rename_all(struct lull_set *set)
{
	int r = 0;

	/* What shows beforehand is not found out half way. */
	for (unsigned int i = 0; i < set->n; i++) {
		if (!set->member[i]->published)
			r = lull_dest_may_rename(set->jobs[i]);
		if (r < 0)
			return sync_failed(set, set->jobs[i], LULL_STAGE_PUBLISH, r);
	}
	for (unsigned int i = 0; i < set->n; i++) {
		struct lull_job *job = set->jobs[i];

		if (set->member[i]->published) {
			job->result->published = true;
			continue;
		}
		r = lull_dest_rename(job);
		if (r < 0 && count_published(set) > 0)
			return lull_set_blame(set, job,
					      lull_fail(job, LULL_STAGE_PUBLISH,
							LULL_CAUSE_PARTLY_PUBLISHED, r,
							job->dest.path));
		if (r < 0)
			return sync_failed(set, job, LULL_STAGE_PUBLISH, r);
	}
	for (unsigned int i = 0; i < set->n; i++) {
		if (fsync(set->jobs[i]->dest.dir) < 0)
			return sync_failed(set, set->jobs[i], LULL_STAGE_PUBLISH, -errno);
	}
	return LULL_OK;
}

static enum lull_outcome publish(struct lull_set *set)
{
	enum lull_outcome outcome = rename_all(set);

	if (outcome != LULL_OK)
		return outcome;
	/* The checkpoint of a failed thaw stays: lullcp --recover needs it. */
	if (set->freeze.thaw_failed)
		return LULL_THAW_FAILED;
	lull_set_record_remove(set->jobs, set->n);
	return LULL_OK;
}

/* ---- all steps ---- */

static enum lull_outcome conduct(struct lull_set *set)
{
	struct lull_job *first = set->jobs[0];
	enum lull_outcome outcome = lull_set_open(set);

	/* A hook that cannot be understood must be heard of before anything is made. */
	if (outcome == LULL_OK)
		outcome = lull_set_blame(set, first, lull_freeze_prepare(first));
	if (outcome == LULL_OK)
		outcome = lull_set_lock(set);
	if (outcome == LULL_OK)
		outcome = lull_set_resume(set);
	if (outcome == LULL_OK && set->whole)
		return publish(set);
	if (outcome == LULL_OK && !set->freeze.hook)
		outcome = lull_set_blame(set, first, lull_freeze_prepare(first));
	if (outcome == LULL_OK && !set->freeze.hook)
		outcome = lull_set_blame(set, first,
					 lull_fail(first, LULL_STAGE_HOOK, LULL_CAUSE_HOOK_MISSING,
						   0, first->dest.checkpoint_path));
	if (outcome == LULL_OK)
		outcome = begin(set);
	if (outcome == LULL_OK)
		outcome = clone_frozen(set);
	if (outcome == LULL_OK)
		outcome = make_whole(set);
	return outcome == LULL_OK ? publish(set) : outcome;
}

static void remove_temporary(struct lull_job *job)
{
	enum lull_outcome outcome =
		lull_dest_is_there(&job->dest) ? lull_shrink(job, job->dest.lock, 0) : LULL_OK;
	int r = lull_dest_remove(&job->dest);

	(void)outcome; /* the kernel frees the rest in one go */
	if (r < 0)
		lull_warn(job, LULL_WARNING_CLEANUP, r, job->dest.temporary);
}

/* As clone.c's invariant 3, for all alike. */
static void settle(struct lull_set *set, enum lull_outcome outcome)
{
	struct lull_job *first = set->jobs[0];
	unsigned int published = count_published(set);
	bool resumable = outcome == LULL_STOPPED || outcome == LULL_INTERRUPTED ||
			 outcome == LULL_WRITTEN || set->whole;
	bool kept;

	for (unsigned int i = 0; i < set->n; i++)
		resumable = resumable || set->jobs[i]->had_content;
	if (!set->owned) {
		for (unsigned int i = 0; i < set->n; i++) {
			if (set->jobs[i]->dest.created)
				(void)lull_dest_remove(&set->jobs[i]->dest);
		}
		return;
	}
	kept = first->recorded &&
	       (published > 0 || set->freeze.thaw_failed ||
		(resumable && (has_come_somewhere(set) || set->whole)));
	for (unsigned int i = 0; kept && i < set->n; i++) {
		struct lull_job *job = set->jobs[i];

		job->result->kept = true;
		if (published == 0 && !set->whole)
			lull_record_reached(job);
	}
	if (kept && published == 0 && !set->whole)
		(void)lull_record_save_all(set->jobs, set->n);
	if (!kept && first->recorded)
		lull_set_record_remove(set->jobs, set->n);
	/* Of those that have their names it is the lock alone. */
	for (unsigned int i = 0; i < set->n; i++) {
		bool named = set->member[i]->published || set->jobs[i]->result->published;

		if (!kept || named)
			remove_temporary(set->jobs[i]);
	}
}

static void finish(struct lull_set *set, enum lull_outcome outcome)
{
	uint64_t now = lull_clock_now();

	for (unsigned int i = 0; i < set->n; i++) {
		struct lull_member *m = set->member[i];
		struct lull_result *result = &m->file.result;

		result->elsewhere = outcome != LULL_OK && set->culprit != &m->job;
		if (m->begun)
			result->progress.elapsed_ns = now - set->jobs[0]->started;
		lull_big_done(&m->file, outcome);
	}
	for (unsigned int i = 0; i < set->n; i++)
		(void)lull_file_finish(&set->member[i]->file);
}

void lull_set_run(struct lull_set *set)
{
	enum lull_outcome outcome;
	unsigned int begun = 0;

	if (set->n == 0)
		return;
	outcome = conduct(set);
	while (begun < set->n && set->member[begun]->begun)
		begun++;
	/* One that could not be opened was the last to be looked at: nothing is made yet. */
	if (begun == set->n)
		settle(set, outcome);
	finish(set, outcome);
	lull_freeze_done(&set->freeze);
	lull_set_record_done(&set->shared);
	for (unsigned int i = 0; i < begun; i++)
		lull_job_done(set->jobs[i]);
}

/* ---- what belongs to it ---- */

/* What chooses among the files, or does away with older ones, is not for a set: the command
   line refuses it where a hook says that one is wanted. */
static bool suits(const struct lull_options *options)
{
	const struct lull_cp *cp = &options->cp;

	return !cp->attributes_only && cp->backup == LULL_BACKUP_NONE && !cp->force &&
	       !cp->hard_link && !cp->symbolic_link && !cp->remove_destination &&
	       cp->overwrite == LULL_OVERWRITE_YES && cp->update == LULL_UPDATE_ALL &&
	       !options->in_place && !options->no_sync && !options->refresh && options->keep == 0;
}

bool lull_set_is_wanted(const struct lull_options *options, const char *const *sources,
			unsigned int n_sources, const char *target)
{
	_cleanup_free_ char *name = NULL, *path = NULL;
	struct lull_checkpoint *of = NULL;
	const struct lull_state_wish wish = {
		.checkpoint = options->checkpoint,
		.directory = options->state_directory,
	};
	struct lull_dest dest;
	enum lull_stage stage;
	enum lull_cause cause;
	unsigned int n = 0;

	if (n_sources < 2 || !target || !suits(options))
		return false;
	if (options->hook || options->checkpoint || !(options->resume || options->restart))
		return options->hook || options->checkpoint;
	name = strdup(options->cp.parents ? sources[0] : lull_path_last(sources[0]));
	if (!name)
		return false;
	(void)lull_path_strip(name);
	if (asprintf(&path, "%s/%s", target, name) < 0)
		return false;
	lull_dest_init(&dest);
	if (lull_dest_resolve(&dest, path, &wish, &stage, &cause) < 0 ||
	    lull_set_record_find(&dest, &of, &n) < 0)
		n = 0;
	lull_checkpoint_free(of, n);
	lull_dest_done(&dest);
	return n > 1;
}

struct lull_set *lull_set_new(struct lull_copy_run *tree)
{
	struct lull_set *set = calloc(1, sizeof(*set));

	if (!set)
		return NULL;
	set->tree = tree;
	set->observer = *tree->observer;
	set->freeze.jobs = set->jobs;
	(void)pthread_mutex_init(&set->freeze.lock, NULL);
	return set;
}

void lull_set_free(struct lull_set *set)
{
	if (!set)
		return;
	for (unsigned int i = 0; i < set->n; i++) {
		struct lull_member *m = set->member[i];

		if (m->src >= 0)
			(void)close(m->src);
		if (m->old >= 0)
			(void)close(m->old);
		lull_result_done(&m->file.result);
		lull_file_disown(&m->file);
		free(m);
	}
	lull_checkpoint_done(&set->run);
	(void)pthread_mutex_destroy(&set->freeze.lock);
	free(set);
}

bool lull_set_add(struct lull_set *set, const struct lull_file *file)
{
	struct lull_member *m;

	if (set->n == LULL_CHECKPOINT_MOST) {
		lull_run_note(set->tree, LULL_NOTE_SET_FULL, 0, file->entry.src_path, NULL);
		return false;
	}
	m = calloc(1, sizeof(*m));
	if (!m) {
		lull_run_note(set->tree, LULL_NOTE_MEMORY, ENOMEM, file->entry.src_path, NULL);
		return false;
	}
	m->file = *file;
	m->src = m->old = -1;
	set->member[set->n] = m;
	set->jobs[set->n++] = &m->job;
	set->freeze.n_jobs = set->n;
	if (!lull_file_own(&m->file)) {
		lull_run_note(set->tree, LULL_NOTE_MEMORY, ENOMEM, file->entry.src_path, NULL);
		return false;
	}
	lull_file_begin(&m->file);
	return true;
}
