// SPDX-License-Identifier: MIT
/*
 * INVARIANTS
 *  1. The checkpoint says "frozen" from before the freeze hook starts until after the
 *     thaw hook has succeeded. If a run finds no such checkpoint, it has nothing to thaw.
 *  2. Between lull_freeze_begin() and lull_freeze_end() there is a keeper.
 *  3. What is frozen together is thawed together: one call of the hook has all sources.
 */
#include "engine/clone/freeze.h"

#include "engine/clone/freeze_hook.h"
#include "engine/clone/freeze_keeper.h"
#include "engine/clone/freeze_lock.h"
#include "engine/clone/record.h"
#include "guard/hook_trail.h"
#include "sys/clock.h"
#include "sys/identity.h"
#include "sys/thread.h"

#include <errno.h>
#include <pthread.h>

/* If the first drain takes longer than this, the file system is assumed to be frozen. A
   drain waits for I/O that is in flight, which devices finish or fail within seconds. */
#define LONGEST_DRAIN_NS (10 * NSEC_PER_SEC)

struct drain {
	const struct lull_freeze *freeze;
	/* the job whose source it waits for, or whose drain failed */
	const struct lull_job *at;
	int result;
};

static void *drain(void *arg)
{
	struct drain *d = arg;
	struct stat st;

	for (unsigned int i = 0; i < d->freeze->n_jobs && d->result == 0; i++) {
		const struct lull_job *job = d->at = d->freeze->jobs[i];

		d->result = fstat(job->src, &st) < 0
				    ? -errno
				    : lull_tripwire_drain(job->src, job->dest.scratch,
							  job->dest.fs.block,
							  (uint64_t)st.st_size);
		/* The source shrank meanwhile, which the tripwire will notice. */
		if (d->result == -EINVAL)
			d->result = 0;
	}
	return NULL;
}

/*
 * Drains in a thread. If the hook freezes the file system that holds the clone
 * (fsfreeze), the clone would block for ever, in a call that not even SIGKILL ends. The
 * only sign of a frozen file system is a write that does not return. So a thread makes
 * one, and the thaw lets it return.
 */
enum lull_outcome lull_freeze_drain(struct lull_job *job)
{
	struct drain d = { .freeze = job->freeze };
	struct timespec until;
	uint64_t patience = MIN(LONGEST_DRAIN_NS, job->freeze->hook_timeout_ns);
	pthread_t thread;
	int r;

	if (lull_should_stop(job))
		return LULL_INTERRUPTED;
	r = lull_thread_start(&thread, drain, &d);
	if (r < 0)
		return lull_fail_errno(job, LULL_STAGE_FLUSH, r, job->source);
	(void)clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += (time_t)(patience / NSEC_PER_SEC) + 1;
	r = pthread_clockjoin_np(thread, NULL, CLOCK_MONOTONIC, &until);
	if (r == ETIMEDOUT) {
		(void)lull_end(job, LULL_FREEZE_FAILED, LULL_STAGE_HOOK,
			       LULL_CAUSE_HOST_FROZEN, 0, job->freeze->hook_text);
		(void)lull_freeze_end(job, "failed");
		(void)pthread_join(thread, NULL);
		return LULL_FREEZE_FAILED;
	}
	return d.result < 0
		       ? lull_fail_errno(job, LULL_STAGE_FLUSH, d.result, d.at->source)
		       : LULL_OK;
}

static void forget_frozen(struct lull_freeze *freeze)
{
	for (unsigned int i = 0; i < freeze->n_jobs; i++) {
		freeze->jobs[i]->checkpoint.frozen = false;
		freeze->jobs[i]->checkpoint.kept_frozen = false;
	}
}

/* Undoes note_frozen(), because the hook was not called. Writers that were frozen before
   remain so. */
static enum lull_outcome call_off(struct lull_freeze *freeze, enum lull_outcome outcome)
{
	if (!freeze->kept)
		forget_frozen(freeze);
	return outcome;
}

/* Notes in the checkpoints what a later run must know about this freeze. */
static enum lull_outcome note_frozen(struct lull_job *job)
{
	struct lull_freeze *freeze = job->freeze;
	uint64_t now = lull_clock_wall();

	for (unsigned int i = 0; i < freeze->n_jobs; i++) {
		struct lull_checkpoint *c = &freeze->jobs[i]->checkpoint;
		int r = lull_hook_record(freeze->hook, &c->hook, &c->hook_directory,
					 &c->hook_files);

		if (r < 0)
			return call_off(freeze,
					lull_fail_errno(job, LULL_STAGE_CHECKPOINT, r,
							job->dest.checkpoint_path));
		lull_identity_machine(c->machine);
		c->hook_timeout_ns = freeze->hook_timeout_ns;
		if (!c->frozen)
			c->frozen_since = now;
		c->frozen = true;
		c->kept_frozen = false;
	}
	return LULL_OK;
}

/*
 * Returns true if a freeze that was left in force has ended: a source has changed since.
 * Another run that had frozen it has thawed it, or somebody has by hand. The reference of
 * a pass that began before the freeze shows nothing.
 */
static bool has_ended(const struct lull_freeze *freeze)
{
	for (unsigned int i = 0; i < freeze->n_jobs; i++) {
		const struct lull_checkpoint *c = &freeze->jobs[i]->checkpoint;
		struct lull_reference now;

		if (c->has_reference && c->reference.ctime_ns != LULL_NO_CTIME &&
		    lull_tripwire_look(freeze->jobs[i]->src, &now) == 0 &&
		    !lull_reference_equal(&now, &c->reference))
			return true;
	}
	return false;
}

/* Reports why the freeze failed. The keeper has thawed already. */
static enum lull_outcome explain(struct lull_job *job,
				 const struct lull_keeper_answer *answer)
{
	const char *text = job->freeze->hook_text;
	bool skipped = answer->freeze.end == LULL_HOOK_EXITED &&
		       answer->freeze.code == 75;

	if (answer->state == LULL_KEEPER_LOST)
		return lull_end(job, LULL_FREEZE_FAILED, LULL_STAGE_HOOK,
				LULL_CAUSE_KEEPER_LOST, 0, text);
	if (answer->freeze.end == LULL_HOOK_ABORTED)
		return LULL_INTERRUPTED;
	return lull_freeze_hook_failed(job, skipped ? LULL_SKIPPED : LULL_FREEZE_FAILED,
				       text, &answer->freeze);
}

enum lull_outcome lull_freeze_check(struct lull_job *job)
{
	struct lull_freeze *freeze = job->freeze;
	struct lull_keeper_answer answer = { 0 };
	bool let_go;

	if (!freeze->keeper || !freeze->started)
		return LULL_OK;
	(void)pthread_mutex_lock(&freeze->lock);
	let_go = lull_keeper_let_go(freeze->keeper);
	/* The keeper has thawed already; this only gets its answer. */
	if (let_go)
		answer = lull_keeper_thaw(freeze->keeper, "interrupted");
	(void)pthread_mutex_unlock(&freeze->lock);
	if (!let_go)
		return LULL_OK;
	return lull_end(job, LULL_STOPPED, LULL_STAGE_HOOK,
			answer.expired ? LULL_CAUSE_MAX_FREEZE : LULL_CAUSE_KEEPER_LOST,
			0, freeze->hook_text);
}

/* Adds the length of the freeze to the progress of each job. */
static void note_length(struct lull_freeze *freeze)
{
	uint64_t ns = lull_clock_now() - freeze->started;

	for (unsigned int i = 0; i < freeze->n_jobs; i++)
		freeze->jobs[i]->progress->freeze_ns += ns;
	freeze->started = 0;
}

/* Reports how the thaw ended. */
static enum lull_outcome conclude(struct lull_job *job,
				  const struct lull_keeper_answer *answer)
{
	struct lull_freeze *freeze = job->freeze;
	struct lull_failure was = job->result->failure;

	note_length(freeze);
	if (answer->thaw.end != LULL_HOOK_OK) {
		freeze->thaw_failed = true;
		/* A failed thaw is more important than what failed before, of which only
		   a failure of the hook is kept. */
		free(was.path);
		free(was.path2);
		job->result->failure = (struct lull_failure){ 0 };
		(void)lull_freeze_hook_failed(job, LULL_THAW_FAILED, freeze->hook_text,
					      &answer->thaw);
		if (was.stage == LULL_STAGE_HOOK) {
			job->result->failure.had_failed = true;
			job->result->failure.had_cause = was.cause;
			job->result->failure.had_err = was.err;
			job->result->failure.had_detail = was.detail;
		}
		return LULL_THAW_FAILED;
	}
	forget_frozen(freeze);
	lull_freeze_unlock(freeze);
	return LULL_OK;
}

enum lull_outcome lull_freeze_end(struct lull_job *job, const char *result)
{
	struct lull_freeze *freeze = job->freeze;
	struct lull_keeper_answer answer;

	if (!freeze->keeper || !freeze->started)
		return freeze->thaw_failed ? LULL_THAW_FAILED : LULL_OK;
	answer = lull_keeper_thaw(freeze->keeper, result);
	return conclude(job, &answer);
}

void lull_freeze_keep(struct lull_job *job)
{
	struct lull_freeze *freeze = job->freeze;

	lull_keeper_leave(freeze->keeper);
	note_length(freeze);
	for (unsigned int i = 0; i < freeze->n_jobs; i++) {
		freeze->jobs[i]->checkpoint.kept_frozen = true;
		lull_warn(job, LULL_WARNING_LEFT_FROZEN, 0, freeze->jobs[i]->source);
	}
}

/* Ends a hook that may still be running because lullcp or its keeper was killed. */
static enum lull_outcome end_hooks(struct lull_job *job, const char *text)
{
	pid_t running = 0;

	if (lull_hook_trail_end(job->checkpoint.run_id, 0, lull_freeze_hook_timeout(job),
				&running) == 0)
		return LULL_OK;
	(void)lull_end(job, LULL_THAW_FAILED, LULL_STAGE_HOOK, LULL_CAUSE_HOOK_RUNNING, 0,
		       text);
	job->result->failure.detail = running;
	return LULL_THAW_FAILED;
}

static enum lull_outcome call_thaw(struct lull_job *job, struct lull_hook *hook)
{
	struct lull_freeze *freeze = job->freeze;
	const char *text = lull_hook_text(hook);
	struct lull_hook_facts facts;
	struct lull_hook_status status;
	enum lull_outcome outcome;

	if (!lull_freeze_hook_sources(freeze, true))
		return lull_fail_errno(job, LULL_STAGE_HOOK, ENOMEM, text);
	for (unsigned int i = 0; i < freeze->n_jobs; i++)
		lull_warn(job, LULL_WARNING_RETHAW, 0, freeze->sources[i]);
	outcome = end_hooks(job, text);
	if (outcome != LULL_OK)
		return outcome;
	facts = lull_freeze_hook_facts(job);
	facts.result = "interrupted";
	facts.resumed = true;
	status = lull_hook_thaw(hook, &facts, lull_freeze_hook_timeout(job));
	return status.end == LULL_HOOK_OK
		       ? LULL_OK
		       : lull_freeze_hook_failed(job, LULL_THAW_FAILED, text, &status);
}

/* Thaws what the checkpoint says is frozen. The sources must be locked: the thaw of one
   run would end the freeze of another. */
static enum lull_outcome thaw_recorded(struct lull_job *job)
{
	struct lull_freeze *freeze = job->freeze;
	struct lull_hook *hook = NULL;
	enum lull_outcome outcome = lull_freeze_hook_open(job, &hook);

	if (outcome == LULL_OK)
		outcome = call_thaw(job, hook);
	lull_hook_free(hook);
	freeze->thaw_failed = freeze->thaw_failed || outcome == LULL_THAW_FAILED;
	if (outcome != LULL_OK)
		return outcome;
	forget_frozen(freeze);
	outcome = lull_record_save_as_is(freeze->jobs, freeze->n_jobs);
	if (outcome != LULL_OK)
		lull_warn(job, LULL_WARNING_THAW_UNRECORDED, 0, freeze->sources[0]);
	return outcome;
}

enum lull_outcome lull_freeze_claim(struct lull_job *job)
{
	const struct lull_checkpoint *c = &job->checkpoint;
	enum lull_outcome outcome = lull_freeze_lock(job);

	if (outcome == LULL_OK && c->frozen && c->kept_frozen && has_ended(job->freeze)) {
		lull_warn(job, LULL_WARNING_KEPT_WRITTEN, 0, job->source);
		outcome = thaw_recorded(job);
	}
	if (outcome != LULL_OK)
		return outcome;
	job->freeze->kept = c->frozen && c->kept_frozen;
	return note_frozen(job);
}

enum lull_outcome lull_freeze_begin(struct lull_job *job)
{
	struct lull_freeze *freeze = job->freeze;
	struct lull_keeper_answer froze, thawed;
	enum lull_outcome outcome;
	int r = lull_freeze_hook_sources(freeze, false) ? lull_freeze_keeper_start(job)
							: -ENOMEM;

	if (r < 0)
		return call_off(freeze, lull_fail_errno(job, LULL_STAGE_HOOK, r,
							freeze->hook_text));
	/* Invariant 1. */
	outcome = lull_record_save_all(freeze->jobs, freeze->n_jobs);
	if (outcome != LULL_OK) {
		outcome = call_off(freeze, outcome);
		lull_keeper_free(lull_steal(&freeze->keeper));
		return outcome;
	}
	freeze->started = lull_clock_now();
	froze = lull_keeper_freeze(freeze->keeper);
	if (froze.state == LULL_KEEPER_FROZEN)
		return LULL_OK;
	thawed = lull_keeper_thaw(freeze->keeper, "failed");
	outcome = explain(job, &froze);
	return conclude(job, &thawed) == LULL_THAW_FAILED ? LULL_THAW_FAILED : outcome;
}

enum lull_outcome lull_freeze_undo(struct lull_job *job)
{
	enum lull_outcome outcome = lull_freeze_lock(job);

	if (outcome != LULL_OK)
		return outcome;
	outcome = thaw_recorded(job);
	lull_freeze_unlock(job->freeze);
	return outcome;
}

void lull_freeze_done(struct lull_freeze *freeze)
{
	lull_keeper_free(freeze->keeper);
	lull_hook_free(freeze->hook);
	free(freeze->sources);
}
