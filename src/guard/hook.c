// SPDX-License-Identifier: MIT
/* Runs hooks with a time limit: see hook.h. */
#include "guard/hook_command.h"

#include "sys/clock.h"
#include "sys/family.h"
#include "sys/limits.h"
#include "sys/output.h"
#include "sys/process.h"
#include "util/text.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

/* The time between SIGTERM and SIGKILL, in which a hook can undo half a freeze. */
#define GRACE_NS NSEC_PER_SEC
/* How often to check the hook if the kernel has no pidfd_open (before 5.3). */
#define LOOK_NS      (10 * NSEC_PER_MSEC)
#define LOOKS_BEHIND 20
/* How long to wait after SIGKILL. A process that is stuck in the kernel may need the thaw
   to end. */
#define LAST_NS (5 * NSEC_PER_SEC)
/* The pauses between two attempts to thaw. */
#define FIRST_PAUSE_NS   (100 * NSEC_PER_MSEC)
#define LONGEST_PAUSE_NS (5 * NSEC_PER_SEC)

extern char **environ;

/* The variable in which the hook finds its own process ID. It distinguishes the hook from
   the processes that it starts (hook_trail.c). */
#define OWN_NUMBER "LULLCP_HOOK_PID="

/* Runs in the child. Does not use stdio, which is not safe after fork() in a process with
   threads. */
static void write_own_number(char *const *env)
{
	const size_t len = strlen(OWN_NUMBER);
	unsigned int digits = 1;
	pid_t pid = getpid(), rest;

	while (*env && strncmp(*env, OWN_NUMBER, len) != 0)
		env++;
	if (!*env)
		return;
	for (rest = pid; rest >= 10; rest /= 10)
		digits++;
	(*env)[len + digits] = '\0';
	for (; digits > 0; pid /= 10)
		(*env)[len + --digits] = (char)('0' + pid % 10);
}

/* Returns the environment of a hook: ours, with LULLCP_* replaced; NULL without
   memory. */
static char **make_environment(enum lull_hook_phase phase,
			       const struct lull_hook_facts *facts)
{
	size_t n = 0, kept = 0;
	char millis[24] = "";

	while (environ[n])
		n++;

	char **list = calloc(n + 9, sizeof(*list));

	if (!list)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		if (strncmp(environ[i], "LULLCP_", 7) == 0 &&
		    strncmp(environ[i], "LULLCP_QMP_", 11) != 0)
			continue;
		list[kept] = strdup(environ[i]);
		if (!list[kept++])
			goto oom;
	}
	if (facts->max_freeze_ns > 0)
		(void)snprintf(millis, sizeof(millis), "%llu",
			       (unsigned long long)(facts->max_freeze_ns /
						    NSEC_PER_MSEC));

	const struct {
		const char *name;
		const char *value;
	} own[] = {
		{ "PHASE", phase == LULL_HOOK_FREEZE ? "freeze" : "thaw" },
		{ "RUN_ID", facts->run_id },
		{ "DEST", facts->dest },
		{ "CHECKPOINT", facts->checkpoint },
		{ "MAX_FREEZE_MS", millis },
		{ "RESUMED", facts->resumed ? "1" : "0" },
		{ "RESULT", phase == LULL_HOOK_THAW ? facts->result : NULL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(own); i++) {
		if (!own[i].value)
			continue;
		list[kept] = lull_text("LULLCP_%s=%s", own[i].name, own[i].value);
		if (!list[kept++])
			goto oom;
	}
	list[kept] = strdup(OWN_NUMBER "          ");
	if (!list[kept])
		goto oom;
	return list;
oom:
	lull_hook_free_list(list);
	return NULL;
}

/* Returns the argv of a call: the words of the command, the phase, the sources. */
static char **make_arguments(char *const *words, size_t n_words,
			     enum lull_hook_phase phase,
			     const struct lull_hook_facts *facts)
{
	size_t n = 0;
	char **list = calloc(n_words + facts->n_sources + 2, sizeof(*list));

	if (!list)
		return NULL;
	for (size_t i = 0; i < n_words + 1 + facts->n_sources; i++) {
		const char *word = i < n_words    ? words[i]
				   : i == n_words ? (phase == LULL_HOOK_FREEZE ? "freeze"
									       : "thaw")
						  : facts->sources[i - n_words - 1];

		list[n] = strdup(word);
		if (!list[n++]) {
			lull_hook_free_list(list);
			return NULL;
		}
	}
	return list;
}

/* A call of a hook. */
struct call {
	const struct lull_hook *hook;
	/* the same hook, to note what a freeze has called; NULL: note nothing */
	struct lull_hook *memory;
	enum lull_hook_phase phase;
	const struct lull_hook_facts *facts;
	uint64_t timeout_ns;
	int control;
	struct lull_output *output;
	/* NULL: do not look for processes that stay behind */
	struct lull_hook_traces *traces;

	/* what the child needs to run a command of the hook */
	const char *file; /* the file to execute */
	char **argv;
	char **env;
	int out; /* descriptor for standard output and error; -1: none */
	pid_t parent;
};

/*
 * Runs the command in the child. Does only what is safe after fork() in a process that
 * may have threads. error is a pipe: it is closed when the command has been started, or
 * gets an errno.
 */
static void become_hook(const struct call *call, int error) __attribute__((noreturn));
static void become_hook(const struct call *call, int error)
{
	struct sigaction plain = { .sa_handler = SIG_DFL };
	const char *directory = call->hook->directory;
	sigset_t none;
	int null, err;

	(void)setpgid(0, 0);
	for (int s = 1; s < NSIG; s++)
		(void)sigaction(s, &plain, NULL);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	null = open("/dev/null", O_RDWR);
	if (null >= 0)
		(void)dup2(null, STDIN_FILENO);
	(void)dup2(call->out >= 0 ? call->out : null, STDERR_FILENO);
	(void)dup2(STDERR_FILENO, STDOUT_FILENO);
	lull_limits_restore();
	if (null > STDERR_FILENO)
		(void)close(null);
	/* The command's path is absolute, so its working directory may be gone. But then
	   a relative word must not lead to a file that somebody has put in our own
	   directory. */
	if (directory && chdir(directory) < 0 && chdir("/") < 0)
		_exit(126);
	environ = call->env;
	write_own_number(environ);
	/* A process that looks for the hooks of a killed run looks at their environment,
	   which this process does not have yet. */
	if (getppid() != call->parent)
		_exit(126);
	execvp(call->file, call->argv);
	err = errno;
	(void)!write(error, &err, sizeof(err));
	_exit(err == ENOENT ? 127 : 126);
}

static int open_pidfd(pid_t pid)
{
#ifdef SYS_pidfd_open
	return (int)syscall(SYS_pidfd_open, pid, 0);
#else
	(void)pid;
	return -1;
#endif
}

/* Returns true if the child has ended. Does not reap it: until then no other process can
   have its ID, or that of its group. */
static bool has_ended(pid_t pid)
{
	siginfo_t info = { 0 };

	return waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) < 0 ||
	       info.si_pid == pid;
}

/*
 * Waits until the child ends (returns true), or until the deadline passes or control
 * becomes readable (returns false, with *ret_why). poll() ignores a negative descriptor.
 */
static bool await(pid_t pid, int pidfd, uint64_t deadline, int control,
		  struct lull_output *output, enum lull_hook_end *ret_why)
{
	for (;;) {
		lull_output_take(output);
		if (has_ended(pid))
			return true;

		uint64_t now = lull_clock_now();

		if (now >= deadline) {
			*ret_why = LULL_HOOK_TIMEOUT;
			return false;
		}

		uint64_t left = deadline - now;
		struct pollfd set[] = {
			{ .fd = pidfd, .events = POLLIN },
			{ .fd = control, .events = POLLIN },
			{ .fd = lull_output_source(output), .events = POLLIN },
		};

		if (pidfd < 0 || (output && set[2].fd < 0))
			left = MIN(left, LOOK_NS);
		left = MIN(left, 3600 * NSEC_PER_SEC);
		(void)poll(set, ARRAY_SIZE(set), (int)(left / NSEC_PER_MSEC) + 1);
		if (set[1].revents) {
			if (has_ended(pid))
				return true;
			*ret_why = LULL_HOOK_ABORTED;
			return false;
		}
	}
}

/* Counts the processes of the group that go on. Waits a little, because a hook need not
   wait for one that is about to end. */
static void look_behind(pid_t group, struct lull_hook_traces *traces)
{
	for (unsigned int i = 0; i < LOOKS_BEHIND; i++) {
		struct lull_process one;

		traces->left = lull_process_count(group, &one);
		if (traces->left == 0)
			return;
		traces->left_pid = one.pid;
		memcpy(traces->left_name, one.name, sizeof(one.name));
		lull_clock_sleep(LOOK_NS);
	}
}

/* Ends a hook that is given up, and all processes that it started, so that none of them
   runs beside the next step. */
static void end_hook(pid_t pid, int pidfd, struct lull_output *output)
{
	struct lull_family family;
	enum lull_hook_end ignored;

	lull_family_find(pid, &family);
	(void)lull_family_signal(&family, SIGTERM);
	(void)await(pid, pidfd, lull_clock_now() + GRACE_NS, -1, output, &ignored);
	(void)lull_family_signal(&family, SIGKILL);
	(void)await(pid, pidfd, lull_clock_now() + LAST_NS, -1, output, &ignored);
	(void)lull_family_await(&family, LAST_NS);
	(void)waitpid(pid, NULL, WNOHANG);
}

static struct lull_hook_status run_one(const struct call *call, uint64_t deadline)
{
	struct lull_hook_status result = { .end = LULL_HOOK_OK };
	uint64_t before = lull_clock_now();
	int status = 0, err = 0, error[2];
	pid_t pid;

	/* Do not block on this pipe: another thread may have forked, and hold its other
	   end. */
	if (pipe2(error, O_CLOEXEC | O_NONBLOCK) < 0)
		return (struct lull_hook_status){ LULL_HOOK_ERROR, errno, true, errno };
	pid = fork();
	if (pid == 0)
		become_hook(call, error[1]);
	err = errno;
	(void)close(error[1]);
	if (pid < 0) {
		(void)close(error[0]);
		return (struct lull_hook_status){ LULL_HOOK_ERROR, err, true, err };
	}
	/* both parent and child do this, because either may run first */
	(void)setpgid(pid, pid);

	_cleanup_close_ int failed = error[0];
	_cleanup_close_ int pidfd = open_pidfd(pid);

	if (!await(pid, pidfd, deadline, call->control, call->output, &result.end)) {
		end_hook(pid, pidfd, call->output);
		return result;
	}
	if (call->traces) {
		call->traces->elapsed_ns += lull_clock_now() - before;
		look_behind(pid, call->traces);
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (read(failed, &err, sizeof(err)) == (ssize_t)sizeof(err)) {
		result.not_started = true;
		result.err = err;
	}
	if (WIFSIGNALED(status)) {
		result.end = LULL_HOOK_KILLED;
		result.code = WTERMSIG(status);
	} else if (WEXITSTATUS(status) != 0) {
		result.end = LULL_HOOK_EXITED;
		result.code = WEXITSTATUS(status);
	}
	return result;
}

/* Returns true if the status of a command says that it has done nothing. */
static bool has_done_nothing(const struct lull_hook_status *status)
{
	return status->not_started ||
	       (status->end == LULL_HOOK_EXITED && status->code == LULL_HOOK_MISUSED);
}

static struct lull_hook_status call_hook(struct call *call)
{
	const struct lull_hook *hook = call->hook;
	struct lull_hook *memory = call->memory;
	struct lull_hook_status first = { .end = LULL_HOOK_OK };
	uint64_t deadline = NSEC_AFTER(lull_clock_now(), call->timeout_ns);
	bool list = lull_hook_is_list(hook), started = false;
	bool freeze = call->phase == LULL_HOOK_FREEZE;
	char **paths = NULL;
	int n = -ENOMEM;

	call->env = make_environment(call->phase, call->facts);
	call->out = call->traces ? call->traces->output : lull_output_end(call->output);
	call->parent = getpid();
	if (call->env)
		n = memory && !freeze ? lull_hook_list_thaw(hook, &paths)
				      : lull_hook_list(hook, &paths);
	if (memory && freeze && n >= 0)
		lull_hook_set_called(memory, paths);
	if (n < 0)
		first = (struct lull_hook_status){ LULL_HOOK_ERROR, -n, true, -n };
	for (int i = 0; i < n; i++) {
		char **path = &paths[freeze ? i : n - 1 - i];
		struct lull_hook_status status = { LULL_HOOK_ERROR, ENOMEM, true,
						   ENOMEM };
		bool innocent = memory && !freeze && lull_hook_is_innocent(hook, *path);

		/* Each thaw has its own time limit, so that one that hangs does not take
		   the time of the others. */
		if (!freeze)
			deadline = NSEC_AFTER(lull_clock_now(), call->timeout_ns);
		call->file = *path;
		call->argv = make_arguments(list ? path : hook->words.we_wordv,
					    hook->words.we_wordc, call->phase,
					    call->facts);
		/* If the command was called wrongly, it has said so for the freeze
		   already. */
		if (innocent)
			lull_output_hold(call->output);
		if (call->argv)
			status = run_one(call, deadline);
		if (innocent)
			lull_output_release(call->output, has_done_nothing(&status));
		lull_hook_free_list(call->argv);
		started = started || !status.not_started;
		if (memory && has_done_nothing(&status)) {
			if (innocent)
				status.end = LULL_HOOK_OK;
		} else if (memory && freeze) {
			memory->n_frozen = (size_t)i + 1;
		}
		if (first.end == LULL_HOOK_OK)
			first = status;
		if (status.end != LULL_HOOK_OK && freeze)
			break;
	}
	first.not_started = !started;
	if (!memory || paths != memory->called)
		lull_hook_free_list(paths);
	lull_hook_free_list(call->env);
	return first;
}

struct lull_hook_status lull_hook_run(struct lull_hook *hook, enum lull_hook_phase phase,
				      const struct lull_hook_facts *facts,
				      uint64_t timeout_ns, int control)
{
	struct call call = {
		.hook = hook,
		.memory = hook,
		.phase = phase,
		.facts = facts,
		.timeout_ns = timeout_ns,
		.control = control,
		.output = lull_output_open(),
	};
	struct lull_hook_status status = call_hook(&call);

	lull_output_close(call.output);
	return status;
}

struct lull_hook_status lull_hook_watch(const struct lull_hook *hook,
					enum lull_hook_phase phase,
					const struct lull_hook_facts *facts,
					uint64_t timeout_ns, int control,
					struct lull_hook_traces *traces)
{
	struct call call = {
		.hook = hook,
		.phase = phase,
		.facts = facts,
		.timeout_ns = timeout_ns,
		.control = control,
		.traces = traces,
	};

	return call_hook(&call);
}

/* Returns true for a failure that is not the hook's, and may not occur again. */
static bool will_pass(const struct lull_hook_status *status)
{
	switch (status->end) {
	case LULL_HOOK_KILLED:
		/* The signal was sent to all processes of a unit, or by the kernel when
		   memory was short. */
		return status->code == SIGTERM || status->code == SIGKILL ||
		       status->code == SIGHUP || status->code == SIGINT;
	case LULL_HOOK_ERROR:
	case LULL_HOOK_EXITED:
		return status->err == EAGAIN || status->err == ENOMEM ||
		       status->err == ENFILE || status->err == EMFILE ||
		       status->err == ETXTBSY;
	default:
		return false;
	}
}

/* Sleeps for ns, even if signals come in. */
static void rest(uint64_t ns)
{
	uint64_t until = lull_clock_now() + ns;

	for (uint64_t now; (now = lull_clock_now()) < until;)
		lull_clock_sleep(until - now);
}

struct lull_hook_status lull_hook_thaw(struct lull_hook *hook,
				       const struct lull_hook_facts *facts,
				       uint64_t timeout_ns)
{
	uint64_t deadline = NSEC_AFTER(lull_clock_now(), timeout_ns);
	uint64_t left = timeout_ns;

	for (uint64_t pause = FIRST_PAUSE_NS;; pause = MIN(2 * pause, LONGEST_PAUSE_NS)) {
		struct lull_hook_status status = lull_hook_run(hook, LULL_HOOK_THAW,
							       facts, left, -1);

		if (!will_pass(&status) || lull_clock_now() + pause >= deadline)
			return status;
		rest(pause);
		left = deadline - lull_clock_now();
	}
}
