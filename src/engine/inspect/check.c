// SPDX-License-Identifier: MIT
/*
 * Tests a hook.
 *
 * This process makes the calls itself, because a keeper counts freezes and thaws, and
 * allows one of each. But there is also a keeper, which assumes that the writers are
 * frozen: if this process is killed, the keeper thaws.
 *
 * Each call runs in a thread. Meanwhile this thread reads the hook's output and asks the
 * observer whether to stop. The sources are examined in a thread too: if the hook has
 * frozen their file system, that would not return before the thaw.
 */
#include "engine/clone/freeze_hook.h"
#include "engine/clone/job_init.h"
#include "sys/clock.h"
#include "sys/identity.h"
#include "sys/inode.h"
#include "sys/opening.h"
#include "sys/source_lock.h"
#include "sys/thread.h"
#include "util/path.h"
#include "util/text.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>

/* How long to watch the sources. A writer that continues is noticed within this time, if
   it writes at all. */
#define STILL_NS       NSEC_PER_SEC
#define STILL_AGAIN_NS (200 * NSEC_PER_MSEC)
#define LOOK_MS        50
/* How long to wait after the hook's end for processes that it leaves to close their
   output. */
#define HELD_NS (300 * NSEC_PER_MSEC)
/* After this time, the file system is assumed to be frozen, as in freeze.c. */
#define LONGEST_LOOK_NS (10 * NSEC_PER_SEC)
#define OUTPUT_ROOM     4096

struct source {
	char *path; /* absolute, links resolved */
	int fd;
	int dir;
	int scratch; /* -1: the file system cannot clone, so nothing is drained */
	uint64_t block;
	struct lull_reference reference;
	int result;
};

struct check {
	struct lull_job job; /* for a failure before the first step */
	struct lull_result result;
	struct lull_verdict *verdict;
	struct source *source;
	const char **paths;
	unsigned int n;
	char *dest; /* a clone that is never made, for the environment */
	char *checkpoint;
	struct lull_hook_facts facts;
	struct lull_hook *hook;
	struct lull_keeper *keeper;
	pthread_t looker; /* if it hangs, it is joined after the thaw */
	bool stuck;
	bool owes_thaw;
};

/* ---- a call ---- */

struct call {
	const struct check *check;
	enum lull_hook_phase phase;
	struct lull_hook_traces traces;
	struct lull_hook_status status;
	int control; /* made readable to give up the call */
	int done;    /* becomes readable when the call has ended */
};

static void *make_call(void *arg)
{
	struct call *call = arg;
	const struct check *c = call->check;

	call->status = lull_hook_watch(c->hook, call->phase, &c->facts,
				       c->job.options->hook_timeout_ns,
				       call->phase == LULL_HOOK_FREEZE ? call->control
								       : -1,
				       &call->traces);
	(void)eventfd_write(call->done, 1);
	return NULL;
}

/* Reads the available output. Returns false if no process has the other end open. */
static bool hear(int fd, struct lull_step *step, char *output)
{
	char buf[4096];

	for (;;) {
		ssize_t n = read(fd, buf, sizeof(buf));

		if (n < 0)
			return errno == EAGAIN || errno == EINTR;
		if (n == 0)
			return false;
		if (step->written < OUTPUT_ROOM - 1)
			memcpy(output + step->written, buf,
			       MIN((size_t)n, OUTPUT_ROOM - 1 - (size_t)step->written));
		step->written += (uint64_t)n;
	}
}

/* Reads output until the hook has ended. */
static void attend(struct check *c, const struct call *call, int output_fd,
		   struct lull_step *step, char *output)
{
	struct pollfd set[] = {
		{ .fd = call->done, .events = POLLIN },
		{ .fd = output_fd, .events = POLLIN },
	};

	for (;;) {
		set[0].revents = set[1].revents = 0;
		(void)poll(set, ARRAY_SIZE(set), LOOK_MS);
		if (set[1].revents && !hear(output_fd, step, output))
			set[1].fd = -1;
		if (set[0].revents)
			return;
		if (lull_should_stop(&c->job))
			(void)eventfd_write(call->control, 1);
	}
}

/* Returns true if a process that the hook has left keeps the output open. */
static bool is_held(int fd, struct lull_step *step, char *output)
{
	uint64_t until = lull_clock_now() + HELD_NS;

	while (hear(fd, step, output)) {
		struct pollfd set = { .fd = fd, .events = POLLIN };

		if (lull_clock_now() >= until)
			return true;
		(void)poll(&set, 1, LOOK_MS);
	}
	return false;
}

static void judge(struct lull_step *step, const struct lull_hook_status *status)
{
	step->failed = status->end != LULL_HOOK_OK;
	step->detail = status->code;
	step->cause = lull_freeze_hook_cause(status);
	step->err = status->end == LULL_HOOK_ERROR     ? status->code
		    : status->end == LULL_HOOK_ABORTED ? EINTR
						       : 0;
}

static void report(struct check *c, struct lull_step *step)
{
	step->kept = !step->failed && step->left == 0 && !step->output_held;
	c->verdict->steps++;
	c->verdict->broken += !step->kept;
	c->job.observer->step(c->job.observer->ctx, step);
}

/* Calls the hook and reports the step. Returns true if the hook has succeeded. */
static bool call_hook(struct check *c, enum lull_check what, enum lull_hook_phase phase,
		      struct lull_hook_status *ret_status)
{
	_cleanup_free_ char *output = calloc(1, OUTPUT_ROOM);
	struct lull_step step = { .what = what, .output = output };
	struct call call = {
		.check = c,
		.phase = phase,
		.status = { .end = LULL_HOOK_ERROR, .code = ENOMEM },
		.control = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
		.done = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
	};
	int pipe_fd[2] = { -1, -1 };
	uint64_t before = lull_clock_now();
	pthread_t thread;

	if (output && call.control >= 0 && call.done >= 0 &&
	    pipe2(pipe_fd, O_CLOEXEC) == 0) {
		call.traces.output = pipe_fd[1];
		(void)fcntl(pipe_fd[0], F_SETFL, O_NONBLOCK);
		if (phase == LULL_HOOK_FREEZE)
			c->owes_thaw = true;
		if (lull_thread_start(&thread, make_call, &call) == 0) {
			attend(c, &call, pipe_fd[0], &step, output);
			(void)pthread_join(thread, NULL);
		}
		step.elapsed_ns = call.status.end == LULL_HOOK_TIMEOUT
					  ? lull_clock_now() - before
					  : call.traces.elapsed_ns;
		(void)close(pipe_fd[1]);
		step.output_held = is_held(pipe_fd[0], &step, output);
		(void)close(pipe_fd[0]);
	}
	(void)close(call.control);
	(void)close(call.done);
	judge(&step, &call.status);
	step.left = call.traces.left;
	step.left_pid = call.traces.left_pid;
	step.left_name = call.traces.left_name;
	if (phase == LULL_HOOK_THAW && !step.failed)
		c->owes_thaw = false;
	if (ret_status)
		*ret_status = call.status;
	report(c, &step);
	return !step.failed;
}

/* ---- the sources ---- */

/* Runs in a thread, because everything here may wait for a frozen file system. */
static void *take_references(void *arg)
{
	struct check *c = arg;

	for (unsigned int i = 0; i < c->n; i++) {
		struct source *s = &c->source[i];
		_cleanup_close_ int probe = openat(s->dir, ".",
						   O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

		/* It may fail; it only has to return. */
		(void)probe;
		s->result = lull_tripwire_take(s->fd, s->scratch, s->block,
					       &s->reference);
	}
	return NULL;
}

/* Returns 0, -ETIMEDOUT if the file system seems to be frozen, or -errno if the thread
   could not be started. */
static int look(struct check *c)
{
	uint64_t patience = MIN(LONGEST_LOOK_NS, c->job.options->hook_timeout_ns);
	struct timespec until;
	int r = lull_thread_start(&c->looker, take_references, c);

	if (r < 0)
		return r;
	(void)clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += (time_t)(patience / NSEC_PER_SEC) + 1;
	r = -pthread_clockjoin_np(c->looker, NULL, CLOCK_MONOTONIC, &until);
	c->stuck = r == -ETIMEDOUT;
	return r;
}

static void wait_a_while(struct check *c, uint64_t ns)
{
	uint64_t until = lull_clock_now() + ns;

	while (lull_clock_now() < until && !lull_should_stop(&c->job))
		lull_clock_sleep(LOOK_MS * NSEC_PER_MSEC);
}

static bool was_written(const struct source *s)
{
	struct lull_reference now;

	return s->result == -EBUSY ||
	       (s->result == 0 && lull_tripwire_look(s->fd, &now) == 0 &&
		!lull_reference_equal(&s->reference, &now));
}

static void watch(struct check *c, enum lull_check what, uint64_t ns)
{
	struct lull_step step = { .what = what };
	uint64_t before = lull_clock_now();
	int r = look(c);

	if (r < 0) {
		step.failed = true;
		step.cause = r == -ETIMEDOUT ? LULL_CAUSE_HOST_FROZEN : LULL_CAUSE_ERRNO;
		step.err = -r;
	} else {
		wait_a_while(c, ns);
	}
	for (unsigned int i = 0; !step.failed && i < c->n; i++) {
		const struct source *s = &c->source[i];

		if (was_written(s))
			step.cause = LULL_CAUSE_WRITERS;
		else if (s->result < 0)
			step.err = -s->result;
		else
			continue;
		step.failed = true;
		step.path = s->path;
	}
	step.elapsed_ns = lull_clock_now() - before;
	report(c, &step);
}

/* ---- before and after ---- */

static enum lull_outcome open_source(struct check *c, unsigned int i, const char *name)
{
	struct source *s = &c->source[i];
	struct lull_fs fs;
	struct stat st;
	int r;

	/* Check this before opening: a FIFO would block, and a device might act. */
	if (stat(name, &st) < 0)
		return lull_fail_errno(&c->job, LULL_STAGE_STAT_SOURCE, errno, name);
	if (!S_ISREG(st.st_mode))
		return lull_fail(&c->job, LULL_STAGE_STAT_SOURCE, LULL_CAUSE_NOT_REGULAR,
				 EINVAL, name);
	s->fd = open(name, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	s->path = s->fd >= 0 ? realpath(name, NULL) : NULL;
	if (!s->path)
		return lull_fail_errno(&c->job, LULL_STAGE_OPEN_SOURCE, errno, name);
	if (!lull_inode_is_at(s->fd, s->path))
		return lull_fail(&c->job, LULL_STAGE_OPEN_SOURCE,
				 LULL_CAUSE_PATH_ELSEWHERE, 0, name);
	c->paths[i] = s->path;
	if (lull_source_lock(s->fd) < 0)
		return lull_end(&c->job, LULL_BUSY, LULL_STAGE_LOCK,
				LULL_CAUSE_SOURCE_FROZEN, 0, name);
	s->dir = lull_open_parent(s->path, O_RDONLY);
	if (s->dir < 0)
		return lull_fail_errno(&c->job, LULL_STAGE_OPEN_DIR, s->dir, name);
	r = lull_identity_fs(s->fd, &fs);
	if (r < 0)
		return lull_fail_errno(&c->job, LULL_STAGE_STAT_SOURCE, r, name);
	s->block = fs.block;
	s->scratch = openat(s->dir, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (s->scratch >= 0 &&
	    lull_tripwire_drain(s->fd, s->scratch, s->block, (uint64_t)st.st_size) < 0)
		lull_close(&s->scratch);
	return LULL_OK;
}

/* Makes paths for a clone and its checkpoint, which a hook may want to know. They are
   beside SOURCE, and are never made. */
static bool invent_dest(struct check *c)
{
	const char *path = c->source[0].path, *name = lull_path_last(path);

	c->dest = lull_text("%s.lullcp-check", path);
	c->checkpoint = lull_text("%.*s.%s.lullcp-check.lullcp", (int)(name - path), path,
				  name);
	return c->dest && c->checkpoint;
}

static enum lull_outcome prepare(struct check *c, const char *const *sources)
{
	const char *text = c->job.options->hook;
	enum lull_outcome outcome = lull_freeze_hook_parse(&c->job, text, &c->hook);

	if (outcome != LULL_OK)
		return outcome;
	c->source = calloc(c->n, sizeof(*c->source));
	c->paths = calloc(c->n, sizeof(*c->paths));
	if (!c->source || !c->paths)
		return lull_fail_errno(&c->job, LULL_STAGE_NONE, ENOMEM, text);
	for (unsigned int i = 0; i < c->n; i++)
		c->source[i] = (struct source){ .fd = -1, .dir = -1, .scratch = -1 };
	for (unsigned int i = 0; i < c->n; i++) {
		outcome = open_source(c, i, sources[i]);
		if (outcome != LULL_OK)
			return outcome;
	}
	return invent_dest(c) ? LULL_OK
			      : lull_fail_errno(&c->job, LULL_STAGE_NONE, ENOMEM, text);
}

static void on_orphaned(void *ctx, bool thawed)
{
	(void)ctx;
	(void)thawed;
}

static bool on_waiting(void *ctx)
{
	(void)ctx;
	return false;
}

static enum lull_outcome start_keeper(struct check *c)
{
	struct lull_keeper_setup setup = {
		.hook = c->hook,
		.facts = c->facts,
		.hook_timeout_ns = c->job.options->hook_timeout_ns,
		.frozen_already = true,
		.orphaned = on_orphaned,
		.waiting = on_waiting,
	};
	int r = lull_keeper_start(&setup, &c->keeper);

	if (r < 0)
		return lull_fail_errno(&c->job, LULL_STAGE_HOOK, r, c->job.options->hook);
	(void)lull_keeper_freeze(c->keeper);
	return LULL_OK;
}

/* Thaws as a run would, because no thaw has succeeded since the last freeze. Makes no
   other checks. */
static void thaw_at_last(struct check *c)
{
	uint64_t before = lull_clock_now();
	struct lull_keeper_answer answer = lull_keeper_thaw(c->keeper, "failed");
	struct lull_step step = { .what = LULL_CHECK_THAW_LAST };

	judge(&step, &answer.thaw);
	step.elapsed_ns = lull_clock_now() - before;
	c->owes_thaw = step.failed;
	report(c, &step);
}

static enum lull_outcome run(struct check *c)
{
	struct lull_hook_status status;
	enum lull_outcome outcome = LULL_OK;
	bool frozen, stop;

	frozen = call_hook(c, LULL_CHECK_FREEZE, LULL_HOOK_FREEZE, &status);
	if (!frozen)
		outcome = status.end == LULL_HOOK_EXITED && status.code == 75
				  ? LULL_SKIPPED
				  : LULL_FREEZE_FAILED;
	if (frozen && !lull_should_stop(&c->job))
		watch(c, LULL_CHECK_STILL, STILL_NS);
	if (frozen && !c->stuck && !lull_should_stop(&c->job) &&
	    call_hook(c, LULL_CHECK_FREEZE_AGAIN, LULL_HOOK_FREEZE, NULL))
		watch(c, LULL_CHECK_STILL_AGAIN, STILL_AGAIN_NS);
	stop = lull_should_stop(&c->job);
	c->facts.result = stop ? "interrupted" : frozen ? "ok" : "failed";
	if (!call_hook(c, LULL_CHECK_THAW, LULL_HOOK_THAW, NULL))
		outcome = LULL_THAW_FAILED;
	if (!stop)
		(void)call_hook(c, LULL_CHECK_THAW_AGAIN, LULL_HOOK_THAW, NULL);
	if (!stop) {
		/* Call it as lullcp --recover would, but for another run, if all is
		   thawed by then. */
		if (!c->owes_thaw)
			lull_identity_run_id(c->result.run_id);
		c->facts.result = "interrupted";
		c->facts.resumed = true;
		(void)call_hook(c, LULL_CHECK_THAW_ALONE, LULL_HOOK_THAW, NULL);
	}
	if (c->owes_thaw)
		thaw_at_last(c);
	else
		lull_keeper_leave(c->keeper);
	if (c->owes_thaw)
		return LULL_THAW_FAILED;
	if (stop && outcome != LULL_THAW_FAILED)
		return LULL_INTERRUPTED;
	return outcome == LULL_OK && c->verdict->broken > 0 ? LULL_FAILED : outcome;
}

static void finish(struct check *c)
{
	lull_keeper_free(c->keeper);
	if (c->stuck)
		(void)pthread_join(c->looker, NULL);
	lull_hook_free(c->hook);
	for (unsigned int i = 0; c->source && i < c->n; i++) {
		free(c->source[i].path);
		lull_close(&c->source[i].fd);
		lull_close(&c->source[i].dir);
		lull_close(&c->source[i].scratch);
	}
	free(c->source);
	free(c->paths);
	free(c->dest);
	free(c->checkpoint);
}

enum lull_outcome lull_check_hook(const struct lull_options *options,
				  const char *const *sources, unsigned int n_sources,
				  const struct lull_observer *observer,
				  struct lull_verdict *ret_verdict)
{
	struct check c = { .verdict = ret_verdict, .n = n_sources };
	enum lull_outcome outcome;

	*ret_verdict = (struct lull_verdict){ 0 };
	lull_job_look(&c.job, options, observer, NULL, NULL, &c.result);
	c.result.progress.source = sources[0];
	lull_identity_run_id(c.result.run_id);
	memcpy(ret_verdict->run_id, c.result.run_id, sizeof(c.result.run_id));
	outcome = prepare(&c, sources);
	c.facts = (struct lull_hook_facts){
		.sources = c.paths,
		.n_sources = c.n,
		.run_id = c.result.run_id,
		.dest = c.dest,
		.checkpoint = c.checkpoint,
	};
	if (outcome == LULL_OK)
		outcome = start_keeper(&c);
	if (outcome == LULL_OK)
		outcome = run(&c);
	finish(&c);
	ret_verdict->elapsed_ns = lull_job_looked(&c.job, &ret_verdict->failure);
	return outcome;
}
