// SPDX-License-Identifier: MIT
/*
 * The freeze (freeze*.c) without writers, hook and keeper: each thing that it asks of
 * them is answered here, and fails once, in every kind of run. What the writers do and
 * what is on disk is known here, so that after each fault the promises can be looked at.
 */
#include "engine/clone/freeze.h"
#include "engine/clone/freeze_hook.h"
#include "engine/clone/freeze_keeper.h"
#include "engine/clone/record.h"
#include "guard/hook_trail.h"
#include "store/checkpoint_file.h"
#include "sys/clock.h"
#include "sys/identity.h"
#include "sys/snapshot.h"
#include "sys/source_lock.h"
#include "sys/thread.h"
#include "sys/trusted.h"
#include "unit.h"

#include <sys/mman.h>

#define MOST 3
#define HERE "0123456789abcdef"

/* One kind of run. */
struct kind {
	const char *name;
	unsigned int n;
	bool repeated; /* the first two have the same source */
	bool kept;     /* an earlier run left the writers frozen */
	bool written;  /* and somebody has written since: it ended */
	bool recorded; /* no hook is given but the one that the checkpoint names */
	bool stale;    /* what the checkpoint has of the source comes from no freeze */
};

static struct world {
	const struct kind *kind;
	struct lull_freeze freeze;
	struct lull_job job[MOST], *jobs[MOST];
	struct lull_result result[MOST];
	struct lull_options options;
	bool locked[MOST];
	bool frozen, on_disk, keeper, called, left;
	unsigned int thaws, warned;
	struct lull_keeper_setup setup;
	uint64_t now, slept;
	/* the fault, and how the freeze hook fails if that is it */
	unsigned int at, step, lock_fails;
	const char *failed;
	struct lull_keeper_answer how;
	bool thaw_fails, hangs, let_go, stops;
	/* whose the directory of the checkpoint is, and where that was written */
	enum lull_trusted_kind whose;
	const char *machine;
	bool nosuid;
	bool expected; /* what is recorded of a directory of hooks, by its thaw */
	/* what is on disk for the keeper, and what it saved */
	const char *run_on_disk;
	unsigned int saved;
} w;

static char some_hook[] = "hook", path[] = "/d", state[] = "/d/.d.lullcp", name[] = ".d",
	    snap[] = ".s";

static bool fails(const char *step)
{
	if (w.step++ != w.at)
		return false;
	w.failed = step;
	return true;
}

static unsigned int of(int src)
{
	for (unsigned int i = 0; i < w.freeze.n_jobs; i++) {
		if (w.job[i].src == src)
			return i;
	}
	fail_msg("a descriptor that is no source");
	return 0;
}

/* ---- how the engine speaks ---- */

enum lull_outcome lull_end(struct lull_job *job, enum lull_outcome outcome,
			   enum lull_stage stage, enum lull_cause cause, int err,
			   const char *text)
{
	struct lull_failure *failure = &job->result->failure;

	if (failure->stage == LULL_STAGE_NONE)
		*failure = (struct lull_failure){ .stage = stage,
						  .cause = cause,
						  .err = abs(err),
						  .path = text ? strdup(text) : NULL };
	return outcome;
}

enum lull_outcome lull_fail(struct lull_job *job, enum lull_stage stage,
			    enum lull_cause cause, int err, const char *text)
{
	return lull_end(job, LULL_FAILED, stage, cause, err, text);
}

void lull_warn(struct lull_job *job UNUSED, enum lull_warning warning UNUSED,
	       int err UNUSED, const char *text UNUSED)
{
	w.warned++;
}

void lull_tell(struct lull_job *job UNUSED)
{
}

bool lull_should_stop(struct lull_job *job UNUSED)
{
	return w.stops || fails("stop");
}

/* ---- clock, machine, directories ---- */

uint64_t lull_clock_now(void)
{
	return w.now += 1000;
}

uint64_t lull_clock_wall(void)
{
	return 1;
}

void lull_clock_sleep(uint64_t ns)
{
	w.now += ns;
	w.slept += ns;
}

void lull_identity_machine(char ret_machine[LULL_MACHINE_SIZE])
{
	memcpy(ret_machine, HERE, LULL_MACHINE_SIZE);
}

int lull_trusted_judge(int dir UNUSED, enum lull_trusted_kind *ret_kind)
{
	*ret_kind = w.whose;
	return fails("look at the directory") ? -EIO : 0;
}

bool lull_trusted_is_nosuid(int dir UNUSED)
{
	return w.nosuid;
}

int lull_snapshot_delete(int dir UNUSED, const char *snapshot UNUSED, int inner UNUSED,
			 int source UNUSED)
{
	return fails("delete the snapshot") ? -EIO : 0;
}

/* ---- the sources ---- */

bool lull_source_lock_is_left(int fd UNUSED)
{
	return false;
}

int lull_source_lock(int fd)
{
	unsigned int i = of(fd);

	/* flock(2) of another open file: our own lock would keep it out. */
	if (w.kind->repeated && i < 2)
		assert_false(w.locked[0] || w.locked[1]);
	if (fails("lock") || w.lock_fails > 0) {
		w.lock_fails -= w.lock_fails > 0;
		return -EWOULDBLOCK;
	}
	w.locked[i] = true;
	return 0;
}

void lull_source_unlock(int fd)
{
	w.locked[of(fd)] = false;
}

static bool all_locked(void)
{
	for (unsigned int i = w.kind->repeated; i < w.kind->n; i++) {
		if (!w.locked[i] && !(w.kind->repeated && i == 1 && w.locked[0]))
			return false;
	}
	return true;
}

int lull_tripwire_look(int fd UNUSED, struct lull_reference *ret)
{
	*ret = (struct lull_reference){ 0 };
	return fails("look at the source") ? -EIO : 0;
}

bool lull_reference_equal(const struct lull_reference *a UNUSED,
			  const struct lull_reference *b UNUSED)
{
	return !w.kind->written;
}

int lull_tripwire_drain(int src UNUSED, int scratch UNUSED, uint64_t block UNUSED,
			uint64_t size UNUSED)
{
	assert_true(w.frozen);
	/* A source that shrank is the comparison's to find. */
	return fails("drain") ? -EIO : fails("a source that shrank") ? -EINVAL : 0;
}

/* What it runs is done before it returns, or never joined. */
int lull_thread_start(pthread_t *ret_thread, void *(*run)(void *arg), void *arg)
{
	*ret_thread = pthread_self();
	if (fails("start a thread"))
		return -EAGAIN;
	(void)run(arg);
	return 0;
}

int __wrap_pthread_clockjoin_np(pthread_t thread, void **ret, clockid_t clock,
				const struct timespec *until);
int __wrap_pthread_clockjoin_np(pthread_t thread UNUSED, void **ret UNUSED,
				clockid_t clock UNUSED,
				const struct timespec *until UNUSED)
{
	return w.hangs ? ETIMEDOUT : 0;
}

int __wrap_pthread_join(pthread_t thread, void **ret);
int __wrap_pthread_join(pthread_t thread UNUSED, void **ret UNUSED)
{
	/* Only the thaw ends a call that a frozen file system holds. */
	assert_true(w.hangs && w.thaws == 1);
	return 0;
}

/* ---- the checkpoint ---- */

static enum lull_outcome save(const char *step, struct lull_job **jobs, unsigned int n)
{
	if (fails(step))
		return LULL_FAILED;
	/* What is frozen together is recorded together. */
	for (unsigned int i = 1; i < n; i++)
		assert_int_equal(jobs[i]->checkpoint.frozen, jobs[0]->checkpoint.frozen);
	if (!jobs[0]->checkpoint.frozen)
		assert_false(w.frozen);
	w.on_disk = jobs[0]->checkpoint.frozen;
	return LULL_OK;
}

enum lull_outcome lull_record_save_all(struct lull_job **jobs, unsigned int n)
{
	return save("save the record", jobs, n);
}

enum lull_outcome lull_record_save_as_is(struct lull_job **jobs, unsigned int n)
{
	return save("record the thaw", jobs, n);
}

static int load(struct lull_checkpoint *c)
{
	*c = (struct lull_checkpoint){ .frozen = true,
				       .kept_frozen = true,
				       .snapshot = strdup(snap) };
	(void)snprintf(c->run_id, sizeof(c->run_id), "%s", w.run_on_disk);
	return 0;
}

int lull_checkpoint_load_set(int dir UNUSED, const char *file UNUSED,
			     struct lull_checkpoint **ret_of, unsigned int *ret_n)
{
	if (fails("load"))
		return -ENOENT;
	*ret_n = 2;
	*ret_of = calloc(2, sizeof(**ret_of));
	(void)load(&(*ret_of)[0]);
	return load(&(*ret_of)[1]);
}

int lull_checkpoint_save_set(int dir UNUSED, const char *file UNUSED,
			     const struct lull_checkpoint *of, unsigned int n,
			     bool sync UNUSED)
{
	for (unsigned int i = 0; i < n; i++)
		assert_false(of[i].frozen || of[i].kept_frozen);
	w.saved++;
	return 0;
}

void lull_checkpoint_done(struct lull_checkpoint *c)
{
	free(c->snapshot);
	*c = (struct lull_checkpoint){ 0 };
}

void lull_checkpoint_free(struct lull_checkpoint *of, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		lull_checkpoint_done(&of[i]);
	free(of);
}

int lull_checkpoint_load(int dir UNUSED, const char *file UNUSED,
			 struct lull_checkpoint *c)
{
	return fails("load") ? -ENOENT : load(c);
}

int lull_checkpoint_save(int dir UNUSED, const char *file UNUSED,
			 const struct lull_checkpoint *c)
{
	assert_null(c->snapshot);
	w.saved++;
	return fails("save") ? -EIO : 0;
}

/* ---- the hook, called from here ---- */

int lull_hook_parse(const char *text UNUSED, const char *directory,
		    struct lull_hook **ret_hook)
{
	/* One that the checkpoint names is called where it was. */
	assert_true(!directory == (w.options.hook != NULL));
	if (fails("parse the hook"))
		return -EINVAL;
	if (fails("memory for the hook"))
		return -ENOMEM;
	*ret_hook = (struct lull_hook *)(void *)some_hook;
	return 0;
}

const char *lull_hook_text(const struct lull_hook *hook UNUSED)
{
	return "hook";
}

int lull_hook_find(const struct lull_hook *hook UNUSED)
{
	return fails("find the hook") ? -ENOENT : fails("an empty hook") ? -ENODATA : 0;
}

int lull_hook_resolve(struct lull_hook *hook UNUSED)
{
	return fails("resolve the hook") ? -ENOMEM : 0;
}

int lull_hook_record(const struct lull_hook *hook UNUSED, char **command,
		     char **directory, char **files)
{
	if (fails("record the hook"))
		return -ENOMEM;
	free(*command);
	free(*directory);
	*command = strdup("/hook");
	*directory = strdup("/");
	free(*files);
	*files = NULL;
	return 0;
}

bool lull_hook_is_recorded(const struct lull_hook *hook UNUSED, const char *command)
{
	return strcmp(command, "/hook") == 0;
}

int lull_hook_expect(struct lull_hook *hook UNUSED, const char *files)
{
	if (fails("expect the recorded files"))
		return -ENOMEM;
	assert_string_equal(files, "10/20/");
	w.expected = true;
	return 0;
}

void lull_hook_free(struct lull_hook *hook UNUSED)
{
}

int lull_hook_trail_end(const char *run_id UNUSED, pid_t session UNUSED,
			uint64_t timeout_ns UNUSED, pid_t *ret_pid)
{
	*ret_pid = 42;
	return fails("end what ran") ? -EBUSY : 0;
}

struct lull_hook_status lull_hook_thaw(struct lull_hook *hook UNUSED,
				       const struct lull_hook_facts *facts,
				       uint64_t timeout_ns UNUSED)
{
	struct lull_hook_status failed = { .end = LULL_HOOK_EXITED, .code = 3 };

	/* The thaw of one run would end the freeze of another. */
	assert_true(all_locked());
	assert_int_equal(facts->n_sources, w.kind->n);
	assert_true(facts->resumed);
	w.thaws++;
	if (fails("thaw"))
		return failed;
	w.frozen = false;
	return (struct lull_hook_status){ .end = LULL_HOOK_OK };
}

/* ---- the keeper ---- */

int lull_keeper_start(const struct lull_keeper_setup *setup,
		      struct lull_keeper **ret_keeper)
{
	if (fails("start the keeper"))
		return -ENOMEM;
	w.setup = *setup;
	w.keeper = true;
	*ret_keeper = (struct lull_keeper *)(void *)&w;
	return 0;
}

struct lull_keeper_answer lull_keeper_freeze(struct lull_keeper *keeper UNUSED)
{
	/* Invariant 1, and nobody else's freeze is joined. */
	if (w.setup.hook)
		assert_true(w.on_disk && all_locked());
	w.called = true;
	if (fails("freeze"))
		return w.how;
	w.frozen = true;
	return (struct lull_keeper_answer){ .state = LULL_KEEPER_FROZEN };
}

bool lull_keeper_let_go(struct lull_keeper *keeper UNUSED)
{
	return w.let_go;
}

struct lull_keeper_answer lull_keeper_thaw(struct lull_keeper *keeper UNUSED,
					   const char *result UNUSED)
{
	struct lull_keeper_answer answer = w.how;

	assert_true(w.keeper);
	answer.state = LULL_KEEPER_THAWED;
	w.thaws++;
	if (fails("thaw") || w.thaw_fails) {
		answer.thaw = (struct lull_hook_status){ .end = LULL_HOOK_TIMEOUT };
		return answer;
	}
	w.frozen = false;
	return answer;
}

void lull_keeper_leave(struct lull_keeper *keeper UNUSED)
{
	w.left = true;
}

void lull_keeper_free(struct lull_keeper *keeper UNUSED)
{
	w.keeper = false;
}

/* ---- the runs ---- */

static const struct kind kinds[] = {
	{ .name = "one", .n = 1 },
	{ .name = "three", .n = 3 },
	{ .name = "the same source twice", .n = 2, .repeated = true },
	{ .name = "kept", .n = 2, .kept = true },
	{ .name = "kept, by the hook that is recorded",
	  .n = 1,
	  .kept = true,
	  .recorded = true },
	{ .name = "kept, and written", .n = 2, .kept = true, .written = true },
	{ .name = "kept, written, recorded",
	  .n = 1,
	  .kept = true,
	  .written = true,
	  .recorded = true },
	{ .name = "kept, of an earlier pass",
	  .n = 1,
	  .kept = true,
	  .written = true,
	  .stale = true },
};

static void begin(const struct kind *kind, unsigned int at)
{
	w = (struct world){ .kind = kind, .at = at, .machine = HERE, .run_on_disk = "r" };
	w.options.hook = kind->recorded ? NULL : "hook";
	w.freeze = (struct lull_freeze){ .jobs = w.jobs, .n_jobs = kind->n };
	(void)pthread_mutex_init(&w.freeze.lock, NULL);
	w.frozen = w.on_disk = kind->kept;
	w.how = (struct lull_keeper_answer){
		.state = LULL_KEEPER_THAWED,
		.freeze = { .end = LULL_HOOK_EXITED, .code = 1 },
	};
	for (unsigned int i = 0; i < kind->n; i++) {
		struct lull_job *job = w.jobs[i] = &w.job[i];

		*job = (struct lull_job){
			.options = &w.options,
			.result = &w.result[i],
			.progress = &w.result[i].progress,
			.freeze = &w.freeze,
			.source = path,
			.source_path = path,
			.dest = { .path = path,
				  .checkpoint_path = state,
				  .checkpoint = name,
				  .snapshot = snap },
			.checkpoint = { .source = path,
					.frozen = kind->kept,
					.kept_frozen = kind->kept,
					.hook = kind->kept ? strdup("/hook") : NULL,
					.hook_directory = kind->kept ? strdup("/") : NULL,
					.hook_files = kind->kept ? strdup("10/20/")
								 : NULL,
					.has_reference = kind->kept },
		};
		(void)strcpy(job->checkpoint.run_id, "r");
		(void)snprintf(job->checkpoint.machine, LULL_MACHINE_SIZE, "%s",
			       w.machine);
		job->checkpoint.reference.ctime_ns = 1;
		if (kind->stale)
			job->checkpoint.reference.ctime_ns = LULL_NO_CTIME;
		job->src = kind->repeated && i == 1
				   ? fcntl(w.job[0].src, F_DUPFD_CLOEXEC, 3)
				   : memfd_create("source", MFD_CLOEXEC);
		assert_true(job->src >= 0);
	}
}

static void end(void)
{
	lull_freeze_done(&w.freeze);
	for (unsigned int i = 0; i < w.kind->n; i++) {
		free(w.job[i].checkpoint.hook);
		free(w.job[i].checkpoint.hook_directory);
		free(w.job[i].checkpoint.hook_files);
		free(w.result[i].failure.path);
		free(w.result[i].failure.path2);
		(void)close(w.job[i].src);
	}
}

#define promise(condition) check(what, condition)

/* Whatever failed, the disk says who is frozen, and somebody will thaw. */
static void look(const char *what)
{
	const struct lull_checkpoint *c = &w.job[0].checkpoint;

	promise(!w.frozen || w.on_disk);
	promise(!w.frozen || c->frozen);
	for (unsigned int i = 1; i < w.kind->n; i++)
		promise(w.job[i].checkpoint.frozen == c->frozen);
}

static enum lull_outcome claim_and_begin(struct lull_job *job)
{
	enum lull_outcome outcome = lull_freeze_claim(job);

	if (outcome == LULL_OK)
		outcome = lull_freeze_begin(job);
	return outcome == LULL_OK ? lull_freeze_drain(job) : outcome;
}

/* What the conductor does: prepare, claim, begin, end. */
static void run(const char *what, bool ends_well)
{
	struct lull_job *job = &w.job[0];
	enum lull_outcome outcome = lull_freeze_hook_prepare(job);
	bool thawed = w.kind->written && !w.kind->stale;

	look(what);
	if (outcome != LULL_OK) {
		promise(!w.called && w.thaws == 0 && !w.keeper);
		promise(job->result->failure.stage != LULL_STAGE_NONE);
		return;
	}
	promise(w.freeze.hook && w.freeze.hook_text);
	/* Of state that others could have made nothing is believed. */
	promise(w.expected ==
		(w.kind->kept &&
		 !(w.failed && strcmp(w.failed, "look at the directory") == 0)));
	outcome = claim_and_begin(job);
	look(what);
	/* What cannot be looked at is not said to be written. */
	if (w.failed && strcmp(w.failed, "look at the source") == 0 && w.kind->n == 1)
		thawed = false;
	if (outcome == LULL_OK) {
		promise(w.frozen && w.keeper && w.freeze.started && all_locked());
		promise(w.setup.facts.n_sources == w.kind->n);
		/* A kept freeze that somebody ended is begun again. */
		promise(w.setup.frozen_already == (w.kind->kept && !thawed));
		promise(w.thaws == (w.kind->kept && thawed));
		promise(!job->checkpoint.kept_frozen && job->checkpoint.hook);
	} else if (!w.called) {
		/* The hook was not called: those that were frozen before still are. */
		promise(job->checkpoint.frozen ==
			(w.kind->kept && (!thawed || w.freeze.thaw_failed || w.frozen)));
	} else {
		promise(!w.frozen || w.freeze.started || w.freeze.thaw_failed);
	}
	outcome = lull_freeze_end(job, ends_well ? "ok" : "failed");
	look(what);
	promise(w.freeze.started == 0);
	promise((outcome == LULL_THAW_FAILED) == w.freeze.thaw_failed);
	if (w.freeze.thaw_failed) {
		promise(job->result->failure.stage == LULL_STAGE_HOOK);
		promise(job->checkpoint.frozen);
	} else if (w.called) {
		promise(!w.frozen && !job->checkpoint.frozen);
		for (unsigned int i = 0; i < w.kind->n; i++)
			promise(!w.locked[i]);
	}
}

/* Each answer fails once, and beside it the thaw works and does not. */
static void test_every_fault(void **unused UNUSED)
{
	unsigned int runs = 0;

	for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
		for (unsigned int at = 0;; at++) {
			bool failed = false;

			for (unsigned int thaw = 0; thaw < 2; thaw++) {
				char what[160];

				begin(&kinds[k], at);
				w.thaw_fails = thaw;
				(void)snprintf(what, sizeof(what), "%s, step %u%s",
					       kinds[k].name, at,
					       thaw ? ", no thaw" : "");
				run(what, at % 2);
				failed = failed || w.failed;
				runs++;
				end();
			}
			if (!failed)
				break;
		}
	}
	print_message("%u runs\n", runs);
	assert_true(runs > 150);
}

/* In each way that the hook can fail, and with what the user reads of it. */
static void test_how_the_hook_fails(void **unused UNUSED)
{
	static const struct {
		const char *name;
		struct lull_keeper_answer how;
		enum lull_outcome outcome;
		enum lull_cause cause;
		int err, detail;
	} ways[] = {
		{ "status",
		  { .state = LULL_KEEPER_THAWED, .freeze = { LULL_HOOK_EXITED, 1 } },
		  LULL_FREEZE_FAILED,
		  LULL_CAUSE_HOOK_STATUS,
		  0,
		  1 },
		{ "nothing to freeze",
		  { .state = LULL_KEEPER_THAWED, .freeze = { LULL_HOOK_EXITED, 75 } },
		  LULL_SKIPPED,
		  LULL_CAUSE_HOOK_STATUS,
		  0,
		  75 },
		{ "signal",
		  { .state = LULL_KEEPER_THAWED, .freeze = { LULL_HOOK_KILLED, 11 } },
		  LULL_FREEZE_FAILED,
		  LULL_CAUSE_HOOK_SIGNAL,
		  0,
		  11 },
		{ "timeout",
		  { .state = LULL_KEEPER_THAWED, .freeze = { LULL_HOOK_TIMEOUT, 0 } },
		  LULL_FREEZE_FAILED,
		  LULL_CAUSE_HOOK_TIMEOUT,
		  0,
		  0 },
		{ "empty",
		  { .state = LULL_KEEPER_THAWED, .freeze = { LULL_HOOK_ERROR, ENODATA } },
		  LULL_FREEZE_FAILED,
		  LULL_CAUSE_HOOK_EMPTY,
		  ENODATA,
		  0 },
		{ "not run",
		  { .state = LULL_KEEPER_THAWED, .freeze = { LULL_HOOK_ERROR, ENOENT } },
		  LULL_FREEZE_FAILED,
		  LULL_CAUSE_ERRNO,
		  ENOENT,
		  0 },
		{ "aborted",
		  { .state = LULL_KEEPER_THAWED, .freeze = { LULL_HOOK_ABORTED, 0 } },
		  LULL_INTERRUPTED,
		  LULL_CAUSE_ERRNO,
		  0,
		  0 },
		{ "keeper killed",
		  { .state = LULL_KEEPER_LOST },
		  LULL_FREEZE_FAILED,
		  LULL_CAUSE_KEEPER_LOST,
		  0,
		  0 },
	};
	unsigned int at = 0;

	/* The step at which the freeze fails. */
	for (bool found = false; !found; at++) {
		begin(&kinds[0], at);
		(void)lull_freeze_hook_prepare(&w.job[0]);
		(void)claim_and_begin(&w.job[0]);
		found = w.failed && strcmp(w.failed, "freeze") == 0;
		end();
	}
	at--;
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		const struct lull_failure *failure = &w.result[0].failure;

		for (unsigned int thaw = 0; thaw < 2; thaw++) {
			const char *what = ways[i].name;

			begin(&kinds[0], at);
			w.how = ways[i].how;
			w.thaw_fails = thaw;
			assert_int_equal(lull_freeze_hook_prepare(&w.job[0]), LULL_OK);
			check_int(what, claim_and_begin(&w.job[0]),
				  thaw ? LULL_THAW_FAILED : ways[i].outcome);
			look(what);
			promise(!w.frozen);
			if (thaw) {
				/* The worse news, and what had failed before. */
				check_int(what, failure->cause, LULL_CAUSE_HOOK_TIMEOUT);
				check_int(what, failure->had_failed,
					  ways[i].outcome != LULL_INTERRUPTED);
				check_int(what, failure->had_cause, ways[i].cause);
				promise(w.job[0].checkpoint.frozen && w.on_disk);
			} else {
				check_int(what, failure->cause, ways[i].cause);
				check_int(what, failure->err, ways[i].err);
				check_int(what, failure->detail, ways[i].detail);
				promise(!w.job[0].checkpoint.frozen);
			}
			end();
		}
	}
}

/* A hook that freezes the file system of the clone: the thaw ends the wait for it. */
static void test_frozen_host(void **unused UNUSED)
{
	begin(&kinds[1], UINT32_MAX);
	w.hangs = true;
	assert_int_equal(lull_freeze_hook_prepare(&w.job[0]), LULL_OK);
	assert_int_equal(claim_and_begin(&w.job[0]), LULL_FREEZE_FAILED);
	assert_int_equal(w.result[0].failure.cause, LULL_CAUSE_HOST_FROZEN);
	assert_false(w.frozen);
	assert_int_equal(lull_freeze_end(&w.job[0], "failed"), LULL_OK);
	assert_int_equal(w.thaws, 1);
	end();
}

/* Another run has frozen the source: it is waited for, as long as --wait says. */
static void test_waiting_for_the_source(void **unused UNUSED)
{
	struct lull_job *job = &w.job[0];

	begin(&kinds[1], UINT32_MAX);
	w.options.lock_wait_ns = 10 * NSEC_PER_SEC;
	w.lock_fails = 3;
	assert_int_equal(lull_freeze_hook_prepare(job), LULL_OK);
	assert_int_equal(claim_and_begin(job), LULL_OK);
	assert_true(w.slept > 0 && w.slept < NSEC_PER_SEC && all_locked());
	assert_int_equal(lull_freeze_end(job, "ok"), LULL_OK);
	end();

	begin(&kinds[1], UINT32_MAX);
	w.options.lock_wait_ns = 10 * NSEC_PER_SEC;
	w.lock_fails = UINT32_MAX;
	assert_int_equal(lull_freeze_undo(job), LULL_BUSY);
	assert_int_equal(job->result->failure.cause, LULL_CAUSE_SOURCE_FROZEN);
	assert_true(w.slept >= 9 * NSEC_PER_SEC && w.slept < 12 * NSEC_PER_SEC);
	end();

	begin(&kinds[1], UINT32_MAX);
	w.options.lock_wait_ns = 10 * NSEC_PER_SEC;
	w.lock_fails = UINT32_MAX;
	w.stops = true;
	assert_int_equal(lull_freeze_undo(job), LULL_INTERRUPTED);
	assert_int_equal(w.slept, 0);
	end();
}

/* --recover and --restart: what an earlier run left frozen, with each fault. */
static void test_undo(void **unused UNUSED)
{
	for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
		for (unsigned int at = 0;; at++) {
			const char *what = kinds[k].name;
			struct lull_job *job = &w.job[0];
			enum lull_outcome outcome;
			bool failed;

			if (!kinds[k].kept)
				break;
			begin(&kinds[k], at);
			outcome = lull_freeze_undo(job);
			look(what);
			promise(w.thaws <= 1);
			for (unsigned int i = 0; i < w.kind->n; i++)
				promise(!w.locked[i]);
			if (outcome == LULL_OK)
				promise(!w.frozen && !w.on_disk && w.thaws == 1);
			promise(job->checkpoint.frozen == w.frozen);
			promise(w.freeze.thaw_failed == (outcome == LULL_THAW_FAILED));
			failed = w.failed != NULL;
			if (failed && strcmp(w.failed, "end what ran") == 0)
				check_int(what, job->result->failure.detail, 42);
			/* The writers go on; that it is not recorded is a warning. */
			if (failed && strcmp(w.failed, "record the thaw") == 0)
				promise(!w.frozen && w.warned == w.kind->n + 1);
			end();
			if (!failed)
				break;
		}
	}
}

/* A command that the checkpoint names is run only if nobody else can have put it
   there. */
static void test_recorded_hook_is_trusted(void **unused UNUSED)
{
	static const struct kind kind = { .n = 1, .kept = true, .recorded = true };
	static const struct {
		const char *name;
		enum lull_trusted_kind whose;
		const char *machine;
		bool nosuid, runs;
	} rows[] = {
		{ "ours", LULL_TRUSTED_OWN, HERE, false, true },
		{ "ours, on a mount for others' programs", LULL_TRUSTED_OWN, HERE, true,
		  true },
		{ "sticky", LULL_TRUSTED_STICKY, HERE, false, false },
		{ "open", LULL_TRUSTED_OPEN, HERE, false, false },
		{ "of another machine", LULL_TRUSTED_OWN, "f", false, false },
		{ "of none", LULL_TRUSTED_OWN, "", false, true },
		{ "of none, nosuid", LULL_TRUSTED_OWN, "", true, false },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		for (unsigned int undo = 0; undo < 2; undo++) {
			const char *what = rows[i].name;
			struct lull_job *job = &w.job[0];
			enum lull_outcome outcome;

			begin(&kind, UINT32_MAX);
			w.whose = rows[i].whose;
			w.nosuid = rows[i].nosuid;
			(void)snprintf(job->checkpoint.machine, LULL_MACHINE_SIZE, "%s",
				       rows[i].machine);
			outcome = undo ? lull_freeze_undo(job)
				       : lull_freeze_hook_prepare(job);
			promise((outcome == LULL_OK) == rows[i].runs);
			promise(w.frozen == !(undo && rows[i].runs));
			promise(w.frozen == w.on_disk);
			if (!rows[i].runs)
				check_int(what, job->result->failure.cause,
					  LULL_CAUSE_CHECKPOINT_HOOK);
			end();
		}
	}
}

/* Called in the keeper when the run is gone: it writes down that the writers go on. */
static void test_orphans(void **unused UNUSED)
{
	struct lull_job *job = &w.job[0];

	for (unsigned int i = 0; i < 8; i++) {
		bool thawed = i & 1, of_this_run = i & 2, there = i & 4;

		begin(&kinds[0], UINT32_MAX);
		w.run_on_disk = of_this_run ? "r" : "another";
		assert_int_equal(lull_freeze_hook_prepare(job), LULL_OK);
		assert_int_equal(claim_and_begin(job), LULL_OK);
		w.at = there ? UINT32_MAX : w.step;
		w.setup.orphaned(w.setup.ctx, thawed);
		w.at = UINT32_MAX;
		assert_int_equal(w.saved, thawed && of_this_run && there);
		assert_int_equal(lull_freeze_end(job, "ok"), LULL_OK);
		end();
	}
	/* A snapshot that stays is still named by the checkpoint. */
	for (unsigned int i = 0; i < 5; i++) {
		bool of_this_run = i != 3;

		begin(&kinds[0], UINT32_MAX);
		w.run_on_disk = of_this_run ? "r" : "another";
		assert_int_equal(lull_freeze_keeper_guard(job), LULL_OK);
		assert_null(w.setup.hook);
		/* 0: deleting fails, 1: loading, 2: saving */
		w.at = i < 3 ? w.step + i : UINT32_MAX;
		w.setup.orphaned(w.setup.ctx, false);
		assert_int_equal(w.saved, i == 2 || i == 4);
		end();
	}
	begin(&kinds[0], 0);
	assert_int_equal(lull_freeze_keeper_guard(job), LULL_FAILED);
	assert_int_equal(job->result->failure.stage, LULL_STAGE_SNAPSHOT);
	end();
}

/* While it waits for the hook a signal is heard of. */
static void test_waiting(void **unused UNUSED)
{
	begin(&kinds[0], UINT32_MAX);
	assert_int_equal(lull_freeze_hook_prepare(&w.job[0]), LULL_OK);
	assert_int_equal(claim_and_begin(&w.job[0]), LULL_OK);
	assert_false(w.setup.waiting(w.setup.ctx));
	w.stops = true;
	assert_true(w.setup.waiting(w.setup.ctx));
	end();
}

/* The keeper has let the writers go: no call is made any more, and why is told. */
static void test_let_go(void **unused UNUSED)
{
	struct lull_job *job = &w.job[0];

	for (unsigned int i = 0; i < 2; i++) {
		begin(&kinds[0], UINT32_MAX);
		assert_int_equal(lull_freeze_check(job), LULL_OK);
		assert_int_equal(lull_freeze_hook_prepare(job), LULL_OK);
		assert_int_equal(claim_and_begin(job), LULL_OK);
		assert_int_equal(lull_freeze_check(job), LULL_OK);
		w.let_go = true;
		w.how = (struct lull_keeper_answer){ .expired = i };
		assert_int_equal(lull_freeze_check(job), LULL_STOPPED);
		assert_int_equal(job->result->failure.cause,
				 i ? LULL_CAUSE_MAX_FREEZE : LULL_CAUSE_KEEPER_LOST);
		assert_int_equal(lull_freeze_end(job, "failed"), LULL_OK);
		assert_true(job->progress->freeze_ns > 0);
		end();
	}
}

/* --keep-frozen: all stay frozen and locked, and the checkpoint will say so. */
static void test_keep(void **unused UNUSED)
{
	begin(&kinds[1], UINT32_MAX);
	assert_int_equal(lull_freeze_hook_prepare(&w.job[0]), LULL_OK);
	assert_int_equal(claim_and_begin(&w.job[0]), LULL_OK);
	lull_freeze_keep(&w.job[0]);
	assert_true(w.left && w.frozen && w.freeze.started == 0);
	assert_int_equal(w.thaws, 0);
	assert_int_equal(w.warned, 3);
	for (unsigned int i = 0; i < 3; i++) {
		assert_true(w.job[i].checkpoint.frozen);
		assert_true(w.job[i].checkpoint.kept_frozen);
		assert_true(w.job[i].progress->freeze_ns > 0);
	}
	assert_int_equal(lull_freeze_end(&w.job[0], "ok"), LULL_OK);
	assert_true(w.frozen);
	end();
}

/* Without a hook nothing is asked of anybody. */
static void test_no_hook(void **unused UNUSED)
{
	begin(&kinds[0], UINT32_MAX);
	w.options.hook = NULL;
	assert_int_equal(lull_freeze_hook_prepare(&w.job[0]), LULL_OK);
	assert_null(w.freeze.hook);
	assert_int_equal(lull_freeze_end(&w.job[0], "ok"), LULL_OK);
	assert_int_equal(w.step, 0);
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_fault),
		cmocka_unit_test(test_how_the_hook_fails),
		cmocka_unit_test(test_frozen_host),
		cmocka_unit_test(test_waiting_for_the_source),
		cmocka_unit_test(test_undo),
		cmocka_unit_test(test_recorded_hook_is_trusted),
		cmocka_unit_test(test_orphans),
		cmocka_unit_test(test_waiting),
		cmocka_unit_test(test_let_go),
		cmocka_unit_test(test_keep),
		cmocka_unit_test(test_no_hook),
	};

	return cmocka_run_group_tests_name("freeze", tests, NULL, NULL);
}
