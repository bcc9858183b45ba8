// SPDX-License-Identifier: MIT
/*
 * INVARIANTS
 *  1. The checkpoint says "frozen" before the freeze hook starts and until after the thaw
 *     hook has succeeded: a run that finds nothing of the kind has nothing to thaw.
 *  2. Between lull_freeze_begin() and lull_freeze_end() the keeper lives.
 */
#include "engine/freeze.h"

#include "engine/record.h"
#include "sys/clock.h"
#include "sys/snapshot.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

/* How long the first drain may take before the file system is taken to be frozen. A drain
   waits for I/O that is on its way, which devices finish or fail within seconds. */
#define LONGEST_DRAIN_NS (10 * NSEC_PER_SEC)

static enum lull_outcome hook_failed(struct lull_job *job, enum lull_outcome outcome,
				     const struct lull_hook_status *status)
{
	enum lull_cause cause = LULL_CAUSE_ERRNO;
	int err = 0;

	switch (status->end) {
	case LULL_HOOK_EXITED:
		cause = LULL_CAUSE_HOOK_STATUS;
		break;
	case LULL_HOOK_KILLED:
		cause = LULL_CAUSE_HOOK_SIGNAL;
		break;
	case LULL_HOOK_TIMEOUT:
		cause = LULL_CAUSE_HOOK_TIMEOUT;
		break;
	case LULL_HOOK_ERROR:
		err = status->code;
		break;
	case LULL_HOOK_ABORTED:
	case LULL_HOOK_OK:
		break;
	}
	(void)lull_end(job, outcome, LULL_STAGE_HOOK, cause, err, job->hook_text);
	if (err == 0)
		job->result->failure.detail = status->code;
	return outcome;
}

enum lull_outcome lull_freeze_prepare(struct lull_job *job)
{
	const char *text = job->options->hook;
	int r;

	/* A freeze that was kept is this run's to end, with the hook that began it. */
	if (!text && job->checkpoint.kept_frozen)
		text = job->checkpoint.hook;
	if (!text)
		return LULL_OK;
	r = lull_hook_parse(text, &job->hook);
	job->hook_text = text;
	if (r < 0)
		return lull_fail(job, LULL_STAGE_HOOK,
				 r == -EINVAL ? LULL_CAUSE_HOOK_SYNTAX : LULL_CAUSE_ERRNO, r,
				 text);
	/* One that cannot even be started would leave a freeze behind that no thaw ends. */
	r = lull_hook_find(job->hook);
	if (r < 0)
		return lull_end(job, LULL_FREEZE_FAILED, LULL_STAGE_HOOK, LULL_CAUSE_ERRNO, r,
				text);
	return LULL_OK;
}

static struct lull_hook_facts facts_of(const struct lull_job *job)
{
	return (struct lull_hook_facts){
		.run_id = job->result->run_id,
		.dest = job->dest.path,
		.checkpoint = job->dest.checkpoint_path,
		.max_freeze_ns = job->options->max_freeze_ns,
		.resumed = job->resumed,
	};
}

static uint64_t hook_timeout(const struct lull_job *job)
{
	return job->options->hook ? job->options->hook_timeout_ns
				  : job->checkpoint.hook_timeout_ns;
}

/* In the keeper: the main process is gone, so nobody else will write this down. */
static void on_orphan_thawed(void *ctx, bool thawed)
{
	struct lull_job *job = ctx;
	struct lull_checkpoint *c = &job->checkpoint;
	struct lull_checkpoint now = { 0 };

	/* The main process may have recorded more since the fork; and if it had finished,
	   there is nothing left to write down. */
	if (!thawed ||
	    lull_checkpoint_load(job->dest.checkpoint_dir, job->dest.checkpoint, &now) < 0)
		return;
	if (strcmp(now.run_id, c->run_id) == 0) {
		now.frozen = false;
		now.kept_frozen = false;
		/* Should it fail, a later run thaws once more, which harms nobody. */
		if (lull_checkpoint_save(job->dest.checkpoint_dir, job->dest.checkpoint, &now) < 0)
			lull_checkpoint_done(&now);
	}
	lull_checkpoint_done(&now);
}

/* The same for a run without a hook, that takes a snapshot. */
static void on_orphaned_snapshot(void *ctx, bool thawed)
{
	struct lull_job *job = ctx;
	struct lull_checkpoint now = { 0 };

	(void)thawed;
	if (lull_snapshot_delete(job->dest.dir, job->dest.snapshot, job->src) < 0 ||
	    lull_checkpoint_load(job->dest.checkpoint_dir, job->dest.checkpoint, &now) < 0)
		return;
	if (strcmp(now.run_id, job->checkpoint.run_id) == 0 && now.snapshot) {
		free(now.snapshot);
		now.snapshot = NULL;
		/* Should it fail, a later run looks for it in vain, which harms nobody. */
		if (lull_checkpoint_save(job->dest.checkpoint_dir, job->dest.checkpoint, &now) < 0)
			lull_checkpoint_done(&now);
	}
	lull_checkpoint_done(&now);
}

static bool on_waiting(void *ctx)
{
	struct lull_job *job = ctx;

	lull_tell(job);
	return lull_should_stop(job);
}

struct drain {
	const struct lull_job *job;
	int result;
};

static void *drain(void *arg)
{
	struct drain *d = arg;
	struct stat st;

	d->result = fstat(d->job->src, &st) < 0
			    ? -errno
			    : lull_tripwire_drain(d->job->src, d->job->dest.scratch,
						  d->job->dest.fs.block, (uint64_t)st.st_size);
	return NULL;
}

/*
 * A hook that freezes the file system it clones on (fsfreeze) would block the clone for
 * ever, in a call that not even SIGKILL ends. Nothing tells a frozen file system but a
 * write that does not come back: it is made in a thread, and the thaw frees it.
 */
static enum lull_outcome first_drain(struct lull_job *job)
{
	struct drain d = { .job = job };
	struct timespec until;
	uint64_t patience = MIN(LONGEST_DRAIN_NS, hook_timeout(job));
	pthread_t thread;
	int r = pthread_create(&thread, NULL, drain, &d);

	if (r != 0)
		return lull_fail(job, LULL_STAGE_FLUSH, LULL_CAUSE_ERRNO, r, job->source);
	(void)clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += (time_t)(patience / NSEC_PER_SEC) + 1;
	r = pthread_clockjoin_np(thread, NULL, CLOCK_MONOTONIC, &until);
	if (r == ETIMEDOUT) {
		(void)lull_end(job, LULL_FREEZE_FAILED, LULL_STAGE_HOOK, LULL_CAUSE_HOST_FROZEN,
			       0, job->hook_text);
		(void)lull_freeze_end(job, "failed");
		(void)pthread_join(thread, NULL);
		return LULL_FREEZE_FAILED;
	}
	/* A source that shrank meanwhile is the tripwire's business. */
	if (d.result < 0 && d.result != -EINVAL)
		return lull_fail(job, LULL_STAGE_FLUSH, LULL_CAUSE_ERRNO, d.result, job->source);
	return LULL_OK;
}

static enum lull_outcome record_frozen(struct lull_job *job)
{
	struct lull_checkpoint *c = &job->checkpoint;
	char *hook = strdup(job->hook_text);

	if (!hook)
		return lull_fail(job, LULL_STAGE_CHECKPOINT, LULL_CAUSE_ERRNO, ENOMEM,
				 job->dest.checkpoint_path);
	c->hook_timeout_ns = hook_timeout(job);
	free(c->hook);
	c->hook = hook;
	/* job->hook_text may have been the string just freed. */
	job->hook_text = c->hook;
	if (!c->frozen)
		c->frozen_since = lull_clock_wall();
	c->frozen = true;
	c->kept_frozen = false;
	return lull_record_save(job);
}

enum lull_outcome lull_freeze_begin(struct lull_job *job)
{
	struct lull_keeper_setup setup = {
		.hook = job->hook,
		.sources = job->sources,
		.n_sources = 1,
		.facts = facts_of(job),
		.hook_timeout_ns = hook_timeout(job),
		.max_freeze_ns = job->options->max_freeze_ns,
		.frozen_already = job->checkpoint.frozen && job->checkpoint.kept_frozen,
		.orphaned = on_orphan_thawed,
		.waiting = on_waiting,
		.ctx = job,
	};
	enum lull_outcome outcome = record_frozen(job);
	struct lull_keeper_answer answer;
	int r;

	if (outcome != LULL_OK)
		return outcome;
	job->sources[0] = job->source_path;
	r = lull_keeper_start(&setup, &job->keeper);
	if (r < 0)
		return lull_fail(job, LULL_STAGE_HOOK, LULL_CAUSE_ERRNO, r, job->hook_text);

	job->freeze_started = lull_clock_now();
	answer = lull_keeper_freeze(job->keeper);
	if (answer.state == LULL_KEEPER_FROZEN) {
		if (lull_should_stop(job))
			return LULL_INTERRUPTED;
		return first_drain(job);
	}

	/* Thawed by the keeper; what is left is to tell why. */
	if (answer.state == LULL_KEEPER_LOST)
		outcome = lull_end(job, LULL_FREEZE_FAILED, LULL_STAGE_HOOK,
				   LULL_CAUSE_KEEPER_LOST, 0, job->hook_text);
	else if (answer.freeze.end == LULL_HOOK_ABORTED)
		outcome = LULL_INTERRUPTED;
	else if (answer.freeze.end == LULL_HOOK_EXITED && answer.freeze.code == 75)
		outcome = hook_failed(job, LULL_SKIPPED, &answer.freeze);
	else
		outcome = hook_failed(job, LULL_FREEZE_FAILED, &answer.freeze);
	return lull_freeze_end(job, "failed") == LULL_THAW_FAILED ? LULL_THAW_FAILED : outcome;
}

enum lull_outcome lull_freeze_guard(struct lull_job *job)
{
	struct lull_keeper_setup setup = {
		.hook_timeout_ns = NSEC_PER_SEC,
		.orphaned = on_orphaned_snapshot,
		.waiting = on_waiting,
		.ctx = job,
	};
	int r = lull_keeper_start(&setup, &job->keeper);

	if (r < 0)
		return lull_fail(job, LULL_STAGE_SNAPSHOT, LULL_CAUSE_ERRNO, r, job->source);
	(void)lull_keeper_freeze(job->keeper);
	return LULL_OK;
}

enum lull_outcome lull_freeze_check(struct lull_job *job)
{
	struct lull_keeper_answer answer;

	if (!job->keeper || !job->freeze_started || !lull_keeper_let_go(job->keeper))
		return LULL_OK;

	/* Asks for nothing more, but tells how it came. */
	answer = lull_keeper_thaw(job->keeper, "interrupted");
	if (answer.expired)
		return lull_end(job, LULL_STOPPED, LULL_STAGE_HOOK, LULL_CAUSE_MAX_FREEZE, 0,
				job->hook_text);
	return lull_end(job, LULL_STOPPED, LULL_STAGE_HOOK, LULL_CAUSE_KEEPER_LOST, 0,
			job->hook_text);
}

enum lull_outcome lull_freeze_end(struct lull_job *job, const char *result)
{
	struct lull_keeper_answer answer;

	if (!job->keeper || !job->freeze_started)
		return job->thaw_failed ? LULL_THAW_FAILED : LULL_OK;

	answer = lull_keeper_thaw(job->keeper, result);
	job->progress->freeze_ns += lull_clock_now() - job->freeze_started;
	job->freeze_started = 0;
	if (answer.thaw.end != LULL_HOOK_OK) {
		job->thaw_failed = true;
		/* This outweighs whatever went wrong before. */
		free(job->result->failure.path);
		free(job->result->failure.path2);
		job->result->failure = (struct lull_failure){ 0 };
		return hook_failed(job, LULL_THAW_FAILED, &answer.thaw);
	}
	job->checkpoint.frozen = false;
	job->checkpoint.kept_frozen = false;
	return LULL_OK;
}

void lull_freeze_keep(struct lull_job *job)
{
	lull_keeper_leave(job->keeper);
	job->progress->freeze_ns += lull_clock_now() - job->freeze_started;
	job->freeze_started = 0;
	job->checkpoint.kept_frozen = true;
	lull_warn(job, LULL_WARNING_LEFT_FROZEN, 0, job->source);
}

enum lull_outcome lull_freeze_undo(struct lull_job *job)
{
	struct lull_checkpoint *c = &job->checkpoint;
	const char *sources[] = { c->source };
	struct lull_hook_facts facts = facts_of(job);
	struct lull_hook_status status;
	/* The one that is given now may be the mended one. */
	const char *text = job->options->hook ? job->options->hook : c->hook;
	struct lull_hook *hook;
	int r = lull_hook_parse(text, &hook);

	if (r < 0)
		return lull_fail(job, LULL_STAGE_HOOK, LULL_CAUSE_HOOK_SYNTAX, r, text);
	lull_warn(job, LULL_WARNING_RETHAW, 0, c->source);
	facts.result = "interrupted";
	facts.resumed = true;
	status = lull_hook_run(hook, LULL_HOOK_THAW, sources, 1, &facts, hook_timeout(job), -1);
	lull_hook_free(hook);
	if (status.end != LULL_HOOK_OK) {
		job->thaw_failed = true;
		job->hook_text = text;
		return hook_failed(job, LULL_THAW_FAILED, &status);
	}
	c->frozen = false;
	c->kept_frozen = false;
	r = lull_checkpoint_save(job->dest.checkpoint_dir, job->dest.checkpoint, c);
	return r < 0 ? lull_fail(job, LULL_STAGE_CHECKPOINT, LULL_CAUSE_ERRNO, r,
				 job->dest.checkpoint_path)
		     : LULL_OK;
}
