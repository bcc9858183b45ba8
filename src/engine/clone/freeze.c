// SPDX-License-Identifier: MIT
/*
 * INVARIANTS
 *  1. The checkpoint says "frozen" before the freeze hook starts and until after the thaw
 *     hook has succeeded: a run that finds nothing of the kind has nothing to thaw.
 *  2. Between lull_freeze_begin() and lull_freeze_end() the keeper lives.
 *  3. What is frozen together is thawed together: one call of the hook has all sources.
 */
#include "engine/clone/freeze.h"

#include "engine/clone/record.h"
#include "guard/hook_trail.h"
#include "store/checkpoint_file.h"
#include "sys/clock.h"
#include "sys/identity.h"
#include "sys/snapshot.h"
#include "sys/source_lock.h"
#include "sys/thread.h"
#include "sys/trusted.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

/* How long the first drain may take before the file system is taken to be frozen. A drain
   waits for I/O that is on its way, which devices finish or fail within seconds. */
#define LONGEST_DRAIN_NS (10 * NSEC_PER_SEC)
/* How often to look whether another run has thawed. */
#define LOCK_LOOK_NS (50 * NSEC_PER_MSEC)

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
		if (err == ENODATA)
			cause = LULL_CAUSE_HOOK_EMPTY;
		break;
	case LULL_HOOK_ABORTED:
	case LULL_HOOK_OK:
		break;
	}
	(void)lull_end(job, outcome, LULL_STAGE_HOOK, cause, err, job->freeze->hook_text);
	if (err == 0)
		job->result->failure.detail = status->code;
	return outcome;
}

/* A copy: what it comes from may be a checkpoint, which is replaced meanwhile. */
static int keep_text(char **text, const char *from)
{
	char *copy = from ? strdup(from) : NULL;

	if (from && !copy)
		return -ENOMEM;
	free(*text);
	*text = copy;
	return 0;
}

/*
 * What the checkpoint will say: the hook as it can be called from anywhere. One that
 * cannot be said so (its arguments are too long, the working directory is gone) is
 * recorded as given.
 */
static int resolve(struct lull_freeze *freeze)
{
	char *text = NULL, *directory = NULL;
	int r = lull_hook_resolve(freeze->hook, &text, &directory);

	if (r == -ENOMEM)
		return r;
	if (r < 0)
		return keep_text(&freeze->hook_recorded, freeze->hook_text);
	free(freeze->hook_recorded);
	free(freeze->hook_directory);
	freeze->hook_recorded = text;
	freeze->hook_directory = directory;
	return 0;
}

/* As the checkpoint says it. */
static int take_recorded(struct lull_freeze *freeze, const struct lull_checkpoint *c)
{
	int r = c->hook_directory
			? lull_hook_set_directory(freeze->hook, c->hook_directory)
			: 0;

	if (r == 0)
		r = keep_text(&freeze->hook_recorded, c->hook);
	return r == 0 ? keep_text(&freeze->hook_directory, c->hook_directory) : r;
}

/*
 * Where others may add files (a sticky directory) they may also rename one into it that
 * the caller made elsewhere, from a SOURCE of theirs. What it says of its own inode they
 * can have foretold: name_to_handle_at(2) tells them number and generation of the file
 * while it is cloned. So a command that it names is no command of the caller's. Nor is
 * one in a file system that was made elsewhere, whose inodes bear what their maker gave
 * them: if it says so, or if it does not say and is mounted as what holds no programs of
 * root's (nosuid).
 */
static bool may_run_recorded(const struct lull_job *job)
{
	const char *machine = job->checkpoint.machine;
	int dir = job->dest.checkpoint_dir;
	enum lull_trusted_kind kind;
	char here[LULL_MACHINE_SIZE];

	lull_identity_machine(here);
	if (machine[0] ? strcmp(machine, here) != 0 : lull_trusted_is_nosuid(dir))
		return false;
	return lull_trusted_judge(dir, &kind) == 0 && kind == LULL_TRUSTED_OWN;
}

static enum lull_outcome refuse_recorded(struct lull_job *job)
{
	return lull_fail(job, LULL_STAGE_CHECKPOINT, LULL_CAUSE_CHECKPOINT_HOOK, 0,
			 job->dest.checkpoint_path);
}

enum lull_outcome lull_freeze_parse(struct lull_job *job, const char *text,
				    struct lull_hook **ret_hook)
{
	int r = lull_hook_parse(text, ret_hook);

	if (r < 0)
		return lull_fail(job, LULL_STAGE_HOOK,
				 r == -EINVAL ? LULL_CAUSE_HOOK_SYNTAX : LULL_CAUSE_ERRNO,
				 r, text);
	r = lull_hook_find(*ret_hook);
	return r < 0 ? lull_end(job, LULL_FREEZE_FAILED, LULL_STAGE_HOOK,
				r == -ENODATA ? LULL_CAUSE_HOOK_EMPTY : LULL_CAUSE_ERRNO,
				r, text)
		     : LULL_OK;
}

enum lull_outcome lull_freeze_prepare(struct lull_job *job)
{
	const char *text = job->options->hook;
	enum lull_outcome outcome;
	int r;

	/* A freeze that was kept is this run's to end, with the hook that began it. */
	if (!text && job->checkpoint.kept_frozen) {
		if (!may_run_recorded(job))
			return refuse_recorded(job);
		text = job->checkpoint.hook;
	}
	if (!text)
		return LULL_OK;
	/* One that cannot even be started would leave a freeze behind that no thaw
	   ends. */
	outcome = lull_freeze_parse(job, text, &job->freeze->hook);
	if (outcome != LULL_OK)
		return outcome;
	r = keep_text(&job->freeze->hook_text, text);
	if (r == 0)
		r = job->options->hook ? resolve(job->freeze)
				       : take_recorded(job->freeze, &job->checkpoint);
	return r < 0 ? lull_fail(job, LULL_STAGE_HOOK, LULL_CAUSE_ERRNO, r, text)
		     : LULL_OK;
}

#define FDS_A_JOB 7

/* What a keeper needs of each job: to reach the checkpoint and a snapshot, and the locks,
   so that no other run works on DEST as long as the keeper may. To be freed; NULL without
   memory. */
static int *fds_of(const struct lull_freeze *freeze, size_t *ret_n)
{
	int *fds = calloc(freeze->n_jobs, FDS_A_JOB * sizeof(*fds)), *next = fds;

	for (unsigned int i = 0; fds && i < freeze->n_jobs; i++) {
		const struct lull_job *job = freeze->jobs[i];
		const struct lull_dest *dest = &job->dest;

		*next++ = dest->dir;
		*next++ = dest->checkpoint_dir;
		*next++ = dest->snapshot_dir;
		*next++ = dest->lock;
		*next++ = dest->fd;  /* locked if it is written in place */
		*next++ = job->base; /* locked */
		*next++ = job->src;
	}
	*ret_n = (size_t)freeze->n_jobs * FDS_A_JOB;
	return fds;
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
	const struct lull_dest *dest = &job->dest;
	struct lull_checkpoint *now = NULL;
	unsigned int n = 0;

	/* The main process may have recorded more since the fork; and if it had finished,
	   there is nothing left to write down. */
	if (!thawed || lull_checkpoint_load_set(dest->checkpoint_dir, dest->checkpoint,
						&now, &n) < 0)
		return;
	if (strcmp(now[0].run_id, job->checkpoint.run_id) == 0) {
		for (unsigned int i = 0; i < n; i++)
			now[i].frozen = now[i].kept_frozen = false;
		/* Should it fail, a later run thaws once more, which harms nobody. */
		(void)!lull_checkpoint_save_set(dest->checkpoint_dir, dest->checkpoint,
						now, n, true);
	}
	lull_checkpoint_free(now, n);
}

/* The same for a run without a hook, that takes a snapshot. */
static void on_orphaned_snapshot(void *ctx, bool thawed)
{
	struct lull_job *job = ctx;
	struct lull_checkpoint now = { 0 };

	(void)thawed;
	if (lull_snapshot_delete(job->dest.dir, job->dest.snapshot,
				 job->dest.snapshot_dir, job->src) < 0 ||
	    lull_checkpoint_load(job->dest.checkpoint_dir, job->dest.checkpoint, &now) <
		    0)
		return;
	if (strcmp(now.run_id, job->checkpoint.run_id) == 0 && now.snapshot) {
		free(now.snapshot);
		now.snapshot = NULL;
		/* Should it fail, a later run looks for it in vain, which harms
		   nobody. */
		if (lull_checkpoint_save(job->dest.checkpoint_dir, job->dest.checkpoint,
					 &now) < 0)
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
	const struct lull_freeze *freeze;
	const struct lull_job *at; /* whose source it waits for, or failed with */
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
		/* A source that shrank meanwhile is the tripwire's business. */
		if (d->result == -EINVAL)
			d->result = 0;
	}
	return NULL;
}

/*
 * A hook that freezes the file system it clones on (fsfreeze) would block the clone for
 * ever, in a call that not even SIGKILL ends. Nothing tells a frozen file system but a
 * write that does not come back: it is made in a thread, and the thaw frees it.
 */
static enum lull_outcome first_drain(struct lull_job *job)
{
	struct drain d = { .freeze = job->freeze };
	struct timespec until;
	uint64_t patience = MIN(LONGEST_DRAIN_NS, hook_timeout(job));
	pthread_t thread;
	int r = lull_thread_start(&thread, drain, &d);

	if (r < 0)
		return lull_fail(job, LULL_STAGE_FLUSH, LULL_CAUSE_ERRNO, r, job->source);
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
	return d.result < 0 ? lull_fail(job, LULL_STAGE_FLUSH, LULL_CAUSE_ERRNO, d.result,
					d.at->source)
			    : LULL_OK;
}

static enum lull_outcome record_frozen(struct lull_job *job)
{
	struct lull_freeze *freeze = job->freeze;
	uint64_t now = lull_clock_wall(), timeout = hook_timeout(job);

	for (unsigned int i = 0; i < freeze->n_jobs; i++) {
		struct lull_checkpoint *c = &freeze->jobs[i]->checkpoint;

		if (keep_text(&c->hook, freeze->hook_recorded) < 0 ||
		    keep_text(&c->hook_directory, freeze->hook_directory) < 0)
			return lull_fail(job, LULL_STAGE_CHECKPOINT, LULL_CAUSE_ERRNO,
					 ENOMEM, job->dest.checkpoint_path);
		lull_identity_machine(c->machine);
		c->hook_timeout_ns = timeout;
		if (!c->frozen)
			c->frozen_since = now;
		c->frozen = true;
		c->kept_frozen = false;
	}
	return lull_record_save_all(freeze->jobs, freeze->n_jobs);
}

/* What the hook is told: the sources, in the order of the jobs. */
static bool name_sources(struct lull_freeze *freeze, bool recorded)
{
	free(freeze->sources);
	freeze->sources = calloc(freeze->n_jobs, sizeof(*freeze->sources));
	for (unsigned int i = 0; freeze->sources && i < freeze->n_jobs; i++) {
		const struct lull_job *job = freeze->jobs[i];

		freeze->sources[i] = recorded ? job->checkpoint.source : job->source_path;
	}
	return freeze->sources != NULL;
}

static void forget_frozen(struct lull_freeze *freeze)
{
	for (unsigned int i = 0; i < freeze->n_jobs; i++) {
		freeze->jobs[i]->checkpoint.frozen = false;
		freeze->jobs[i]->checkpoint.kept_frozen = false;
	}
}

/* Whether the source of job i is that of one before: its lock would keep out ours. */
static bool is_repeated(const struct lull_freeze *freeze, unsigned int i)
{
	struct stat st, other;

	if (fstat(freeze->jobs[i]->src, &st) < 0)
		return false;
	for (unsigned int k = 0; k < i; k++) {
		if (fstat(freeze->jobs[k]->src, &other) == 0 &&
		    other.st_dev == st.st_dev && other.st_ino == st.st_ino)
			return true;
	}
	return false;
}

static void unlock_sources(const struct lull_freeze *freeze, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		lull_source_unlock(freeze->jobs[i]->src);
}

/* All or none, so that two that wait for each other's do not wait for ever. */
static enum lull_outcome lock_sources(struct lull_job *job)
{
	const struct lull_freeze *freeze = job->freeze;
	uint64_t since = lull_clock_now();

	for (;;) {
		unsigned int i = 0;

		while (i < freeze->n_jobs &&
		       (is_repeated(freeze, i) ||
			lull_source_lock(freeze->jobs[i]->src) == 0))
			i++;
		if (i == freeze->n_jobs)
			return LULL_OK;
		unlock_sources(freeze, i);
		if (lull_clock_now() - since >= job->options->lock_wait_ns)
			return lull_end(job, LULL_BUSY, LULL_STAGE_LOCK,
					LULL_CAUSE_SOURCE_FROZEN, 0,
					freeze->jobs[i]->source
						? freeze->jobs[i]->source
						: freeze->jobs[i]->checkpoint.source);
		if (lull_should_stop(job))
			return LULL_INTERRUPTED;
		lull_tell(job);
		lull_clock_sleep(LOCK_LOOK_NS);
	}
}

/*
 * A freeze that was left in force has ended if a source is not what it was then: another
 * run that froze it has thawed, or somebody by hand. A reference of a pass that began
 * before it tells nothing.
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

static enum lull_outcome thaw_recorded(struct lull_job *job);

enum lull_outcome lull_freeze_begin(struct lull_job *job)
{
	struct lull_freeze *freeze = job->freeze;
	bool kept = job->checkpoint.frozen && job->checkpoint.kept_frozen;
	enum lull_outcome outcome = lock_sources(job);
	struct lull_keeper_answer answer;
	_cleanup_free_ int *fds = NULL;
	size_t n_fds;
	int r;

	if (outcome == LULL_OK && kept && has_ended(freeze)) {
		lull_warn(job, LULL_WARNING_KEPT_WRITTEN, 0, job->source);
		outcome = thaw_recorded(job);
		kept = false;
	}
	if (outcome != LULL_OK)
		return outcome;
	outcome = record_frozen(job);
	if (outcome != LULL_OK) {
		/* The hook was not called. */
		if (!kept)
			forget_frozen(freeze);
		return outcome;
	}
	fds = fds_of(freeze, &n_fds);
	if (!fds || !name_sources(freeze, false))
		return lull_fail(job, LULL_STAGE_HOOK, LULL_CAUSE_ERRNO, ENOMEM,
				 freeze->hook_text);

	struct lull_keeper_setup setup = {
		.hook = freeze->hook,
		.sources = freeze->sources,
		.n_sources = freeze->n_jobs,
		.facts = facts_of(job),
		.hook_timeout_ns = hook_timeout(job),
		.max_freeze_ns = job->options->max_freeze_ns,
		.frozen_already = kept,
		.fds = fds,
		.n_fds = n_fds,
		.orphaned = on_orphan_thawed,
		.waiting = on_waiting,
		.ctx = job,
	};

	r = lull_keeper_start(&setup, &freeze->keeper);
	if (r < 0 && !kept)
		forget_frozen(freeze);
	if (r < 0)
		return lull_fail(job, LULL_STAGE_HOOK, LULL_CAUSE_ERRNO, r,
				 freeze->hook_text);

	freeze->started = lull_clock_now();
	answer = lull_keeper_freeze(freeze->keeper);
	if (answer.state == LULL_KEEPER_FROZEN) {
		if (lull_should_stop(job))
			return LULL_INTERRUPTED;
		return first_drain(job);
	}

	/* Thawed by the keeper; what is left is to tell why. */
	if (answer.state == LULL_KEEPER_LOST)
		outcome = lull_end(job, LULL_FREEZE_FAILED, LULL_STAGE_HOOK,
				   LULL_CAUSE_KEEPER_LOST, 0, job->freeze->hook_text);
	else if (answer.freeze.end == LULL_HOOK_ABORTED)
		outcome = LULL_INTERRUPTED;
	else if (answer.freeze.end == LULL_HOOK_EXITED && answer.freeze.code == 75)
		outcome = hook_failed(job, LULL_SKIPPED, &answer.freeze);
	else
		outcome = hook_failed(job, LULL_FREEZE_FAILED, &answer.freeze);
	return lull_freeze_end(job, "failed") == LULL_THAW_FAILED ? LULL_THAW_FAILED
								  : outcome;
}

enum lull_outcome lull_freeze_guard(struct lull_job *job)
{
	size_t n_fds;
	_cleanup_free_ int *fds = fds_of(job->freeze, &n_fds);
	struct lull_keeper_setup setup = {
		.hook_timeout_ns = NSEC_PER_SEC,
		.fds = fds,
		.n_fds = n_fds,
		.orphaned = on_orphaned_snapshot,
		.waiting = on_waiting,
		.ctx = job,
	};
	int r = fds ? lull_keeper_start(&setup, &job->freeze->keeper) : -ENOMEM;

	if (r < 0)
		return lull_fail(job, LULL_STAGE_SNAPSHOT, LULL_CAUSE_ERRNO, r,
				 job->source);
	(void)lull_keeper_freeze(job->freeze->keeper);
	return LULL_OK;
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
	/* Asks for nothing more, but tells how it came. */
	if (let_go)
		answer = lull_keeper_thaw(freeze->keeper, "interrupted");
	(void)pthread_mutex_unlock(&freeze->lock);
	if (!let_go)
		return LULL_OK;
	return lull_end(job, LULL_STOPPED, LULL_STAGE_HOOK,
			answer.expired ? LULL_CAUSE_MAX_FREEZE : LULL_CAUSE_KEEPER_LOST,
			0, freeze->hook_text);
}

/* The whole freeze, for each of them the same. */
static void note_length(struct lull_freeze *freeze)
{
	uint64_t ns = lull_clock_now() - freeze->started;

	for (unsigned int i = 0; i < freeze->n_jobs; i++)
		freeze->jobs[i]->progress->freeze_ns += ns;
	freeze->started = 0;
}

enum lull_outcome lull_freeze_end(struct lull_job *job, const char *result)
{
	struct lull_freeze *freeze = job->freeze;
	struct lull_failure was = job->result->failure;
	struct lull_keeper_answer answer;

	if (!freeze->keeper || !freeze->started)
		return freeze->thaw_failed ? LULL_THAW_FAILED : LULL_OK;

	answer = lull_keeper_thaw(freeze->keeper, result);
	note_length(freeze);
	if (answer.thaw.end != LULL_HOOK_OK) {
		freeze->thaw_failed = true;
		/* This outweighs whatever went wrong before, but for what the hook
		   did. */
		free(was.path);
		free(was.path2);
		job->result->failure = (struct lull_failure){ 0 };
		(void)hook_failed(job, LULL_THAW_FAILED, &answer.thaw);
		if (was.stage == LULL_STAGE_HOOK) {
			job->result->failure.had_failed = true;
			job->result->failure.had_cause = was.cause;
			job->result->failure.had_err = was.err;
			job->result->failure.had_detail = was.detail;
		}
		return LULL_THAW_FAILED;
	}
	unlock_sources(freeze, freeze->n_jobs);
	forget_frozen(freeze);
	return LULL_OK;
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

/* With the sources locked: the thaw of one run would end the freeze of another. */
static enum lull_outcome thaw_recorded(struct lull_job *job)
{
	struct lull_freeze *freeze = job->freeze;
	enum lull_outcome outcome;
	const struct lull_checkpoint *c = &job->checkpoint;
	struct lull_hook_facts facts = facts_of(job);
	struct lull_hook_status status;
	/* The one that is given now may be the mended one. */
	const char *text = job->options->hook ? job->options->hook : c->hook;
	struct lull_hook *hook;
	pid_t running = 0;
	int r;

	if (!job->options->hook && !may_run_recorded(job))
		return refuse_recorded(job);
	r = lull_hook_parse(text, &hook);
	if (r < 0)
		return lull_fail(job, LULL_STAGE_HOOK, LULL_CAUSE_HOOK_SYNTAX, r, text);
	if ((!job->options->hook && c->hook_directory &&
	     lull_hook_set_directory(hook, c->hook_directory) < 0) ||
	    !name_sources(freeze, true)) {
		lull_hook_free(hook);
		return lull_fail(job, LULL_STAGE_HOOK, LULL_CAUSE_ERRNO, ENOMEM, text);
	}
	for (unsigned int i = 0; i < freeze->n_jobs; i++)
		lull_warn(job, LULL_WARNING_RETHAW, 0, freeze->sources[i]);
	facts.result = "interrupted";
	facts.resumed = true;
	/* That run and its keeper were killed, and what they had called may be at work
	   still. */
	r = lull_hook_trail_end(c->run_id, 0, hook_timeout(job), &running);
	if (r < 0) {
		lull_hook_free(hook);
		freeze->thaw_failed = true;
		(void)lull_end(job, LULL_THAW_FAILED, LULL_STAGE_HOOK,
			       LULL_CAUSE_HOOK_RUNNING, 0, text);
		job->result->failure.detail = running;
		return LULL_THAW_FAILED;
	}
	status = lull_hook_thaw(hook, freeze->sources, freeze->n_jobs, &facts,
				hook_timeout(job));
	lull_hook_free(hook);
	if (status.end != LULL_HOOK_OK) {
		freeze->thaw_failed = true;
		r = keep_text(&freeze->hook_text, text);
		if (r < 0)
			return lull_end(job, LULL_THAW_FAILED, LULL_STAGE_HOOK,
					LULL_CAUSE_ERRNO, r, text);
		return hook_failed(job, LULL_THAW_FAILED, &status);
	}
	forget_frozen(freeze);
	outcome = lull_record_save_as_is(freeze->jobs, freeze->n_jobs);
	if (outcome != LULL_OK)
		lull_warn(job, LULL_WARNING_THAW_UNRECORDED, 0, freeze->sources[0]);
	return outcome;
}

enum lull_outcome lull_freeze_undo(struct lull_job *job)
{
	enum lull_outcome outcome = lock_sources(job);

	if (outcome != LULL_OK)
		return outcome;
	outcome = thaw_recorded(job);
	unlock_sources(job->freeze, job->freeze->n_jobs);
	return outcome;
}

void lull_freeze_done(struct lull_freeze *freeze)
{
	lull_keeper_free(freeze->keeper);
	lull_hook_free(freeze->hook);
	free(freeze->hook_text);
	free(freeze->hook_recorded);
	free(freeze->hook_directory);
	free(freeze->sources);
}
