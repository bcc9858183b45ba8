// SPDX-License-Identifier: MIT
/*
 * DESIGN
 *
 * The main process and the keeper talk through a SOCK_SEQPACKET pair. The sockets are
 * close-on-exec and no other process has them, so end of file means that the other
 * process is gone, however it died.
 *
 *     IDLE --freeze--> FREEZING --ok--> FROZEN --thaw, expiry, end of file--> THAWED
 *                          \--failed, aborted, end of file------------------/
 *     FROZEN --leave--> gone, still frozen
 *
 * INVARIANTS
 *  1. After the start of a freeze hook, the thaw hook runs exactly once, unless the order
 *     was to leave. Only the keeper counts: it sets the state to thawed before the hook
 *     starts. The exception is a thaw that failed for a temporary reason
 *     (lull_hook_thaw()).
 *  2. No two hooks of a run work at the same time: the first is ended, with its process
 *     group, before the second starts. A hook that a killed process has left is found by
 *     its session or its environment (hook_trail.h).
 *  3. The main process thaws only if the keeper is dead and has not reported a thaw. A
 *     keeper that was stopped (SIGSTOP) is not dead, but cannot thaw: the main process
 *     sends it SIGCONT when it waits for it.
 *
 * If a hook freezes the file system itself, a thread of the main process hangs in a call
 * that cannot be killed. It keeps the socket open even after SIGKILL. The keeper notices
 * that by the parent death signal, which is sent when the thread that forked it is gone.
 */
#include "guard/keeper.h"

#include "guard/hook_trail.h"
#include "sys/child.h"
#include "sys/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

/* How often to check whether the keeper was stopped, while waiting for it. */
#define STOPPED_LOOK_MS 250

enum say { SAY_FREEZE, SAY_THAW, SAY_LEAVE };

struct order {
	enum say say;
	char result[16];
};

struct lull_keeper {
	struct lull_keeper_setup setup;
	int socket;
	pid_t pid;
	/* main process: a freeze was requested, and no thaw has been reported */
	bool owes_thaw;
	/* main process: the keeper has reported a thaw, has left, or has died */
	bool ended;
	bool gave_up; /* main process: it has told the keeper to give up the freeze */
	struct lull_keeper_answer answer;
};

/*
 * Sends a message. If it got lost, both processes would wait for each other, with the
 * writers frozen. So if it cannot be sent, this closes the sending direction, which tells
 * the other side that this one is gone. Receiving still works.
 */
static void say_to(int socket, const void *message, size_t len)
{
	ssize_t n;

	do {
		n = send(socket, message, len, MSG_NOSIGNAL);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		(void)shutdown(socket, SHUT_WR);
}

/* ---- in the keeper ---- */

static volatile sig_atomic_t parent_gone;

static void on_parent_death(int signal)
{
	(void)signal;
	parent_gone = 1;
}

struct guard {
	const struct lull_keeper_setup *setup;
	int socket;
	uint64_t expiry; /* CLOCK_MONOTONIC, UINT64_MAX: never */
	struct lull_keeper_answer answer;
};

static bool was_killed(const struct lull_hook_status *status)
{
	return status->end == LULL_HOOK_TIMEOUT || status->end == LULL_HOOK_ABORTED ||
	       status->end == LULL_HOOK_KILLED;
}

static void guard_thaw(struct guard *g, const char *result)
{
	struct lull_hook_facts facts = g->setup->facts;
	pid_t left;

	if (g->answer.state == LULL_KEEPER_THAWED)
		return;
	g->answer.state = LULL_KEEPER_THAWED;
	facts.result = result;
	if (!g->setup->hook)
		return;
	/* A freeze hook that was killed may have left another process group, such as that
	   of timeout(1), which may still freeze. The thaw must happen even if that cannot
	   be ended. */
	if (g->setup->frozen_already || was_killed(&g->answer.freeze))
		(void)!lull_hook_trail_end(facts.run_id, 0, g->setup->hook_timeout_ns,
					   &left);
	g->answer.thaw = lull_hook_thaw(g->setup->hook, &facts,
					g->setup->hook_timeout_ns);
}

static void guard_report(const struct guard *g)
{
	say_to(g->socket, &g->answer, sizeof(g->answer));
}

/* Waits for the next order. Returns 1 with an order, 0 if the main process is gone, or -1
   if the expiry came first. */
static int guard_listen(const struct guard *g, struct order *ret_order)
{
	for (;;) {
		struct pollfd set = { .fd = g->socket, .events = POLLIN };
		uint64_t now = lull_clock_now();
		uint64_t left = g->expiry > now ? g->expiry - now : 0;
		struct timespec timeout = {
			.tv_sec = (time_t)(left / NSEC_PER_SEC),
			.tv_nsec = (long)(left % NSEC_PER_SEC),
		};
		sigset_t open_mask;

		if (left == 0)
			return -1;
		(void)sigemptyset(&open_mask);
		if (ppoll(&set, 1, g->expiry == UINT64_MAX ? NULL : &timeout,
			  &open_mask) <= 0) {
			if (parent_gone)
				return 0;
			continue;
		}

		ssize_t n = recv(g->socket, ret_order, sizeof(*ret_order), 0);

		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		return n == (ssize_t)sizeof(*ret_order) ? 1 : 0;
	}
}

static void guard_freeze(struct guard *g)
{
	const struct lull_keeper_setup *setup = g->setup;
	uint64_t timeout = setup->hook_timeout_ns;

	if (setup->max_freeze_ns > 0) {
		g->expiry = lull_clock_now() + setup->max_freeze_ns;
		timeout = MIN(timeout, setup->max_freeze_ns);
	}
	g->answer.state = LULL_KEEPER_FROZEN;
	if (setup->frozen_already || !setup->hook)
		return;
	g->answer.freeze = lull_hook_run(setup->hook, LULL_HOOK_FREEZE, &setup->facts,
					 timeout, g->socket);
	/* A hook that has not run has frozen nothing. */
	if (g->answer.freeze.not_started)
		g->answer.state = LULL_KEEPER_THAWED;
	else if (g->answer.freeze.end != LULL_HOOK_OK)
		guard_thaw(g, g->answer.freeze.end == LULL_HOOK_ABORTED ? "interrupted"
									: "failed");
}

static void guard_run(struct guard *g)
{
	struct order order;
	bool orphan = false;

	if (guard_listen(g, &order) != 1 || order.say != SAY_FREEZE)
		return;
	guard_freeze(g);
	guard_report(g);

	while (g->answer.state == LULL_KEEPER_FROZEN) {
		int r = guard_listen(g, &order);

		if (r == 1 && order.say == SAY_LEAVE)
			return;
		if (r == -1)
			g->answer.expired = true;
		orphan = r == 0;
		guard_thaw(g, r == 1 ? order.result : "interrupted");
		guard_report(g);
	}

	/* The writers are thawed after an abort or a failed freeze. Wait until the main
	   process is gone, or says to leave: only it can read the report. */
	g->expiry = UINT64_MAX;
	while (!orphan) {
		int r = guard_listen(g, &order);

		if (r == 1 && order.say == SAY_LEAVE)
			return;
		orphan = r == 0;
	}
	g->setup->orphaned(g->setup->ctx, g->answer.thaw.end == LULL_HOOK_OK);
}

static void become_keeper(const struct lull_keeper *keeper, pid_t parent)
	__attribute__((noreturn));
static void become_keeper(const struct lull_keeper *keeper, pid_t parent)
{
	static const int not_ours[] = {
		SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGPIPE
	};
	struct sigaction ignore = { .sa_handler = SIG_IGN };
	struct sigaction notice = { .sa_handler = on_parent_death };
	sigset_t blocked;
	struct guard g = {
		.setup = &keeper->setup,
		.socket = keeper->socket,
		.expiry = UINT64_MAX,
		.answer = { .state = LULL_KEEPER_THAWED },
	};
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	(void)setsid();
	(void)prctl(PR_SET_NAME, "lullcp-keeper");
	for (size_t i = 0; i < ARRAY_SIZE(not_ours); i++)
		(void)sigaction(not_ours[i], &ignore, NULL);
	/* SIGUSR2 is blocked except while listening, so that it cannot arrive between the
	   check and the wait. Unblock all others: the thread that forked may have blocked
	   them. */
	(void)sigaction(SIGUSR2, &notice, NULL);
	(void)sigemptyset(&blocked);
	(void)sigaddset(&blocked, SIGUSR2);
	(void)sigprocmask(SIG_SETMASK, &blocked, NULL);
	(void)prctl(PR_SET_PDEATHSIG, SIGUSR2);
	if (getppid() != parent)
		parent_gone = 1;
	if (null >= 0) {
		(void)dup2(null, STDIN_FILENO);
		(void)dup2(null, STDOUT_FILENO);
	}
	guard_run(&g);
	_exit(0);
}

/* ---- in the main process ---- */

int lull_keeper_start(const struct lull_keeper_setup *setup,
		      struct lull_keeper **ret_keeper)
{
	_cleanup_free_ int *keep = calloc(setup->n_fds + 1, sizeof(*keep));
	struct lull_keeper *keeper = calloc(1, sizeof(*keeper));
	pid_t parent = getpid();
	int pair[2];

	if (!keep || !keeper) {
		free(keeper);
		return -ENOMEM;
	}
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0) {
		int r = -errno;

		free(keeper);
		return r;
	}
	for (size_t i = 0; i < setup->n_fds; i++)
		keep[i] = setup->fds[i];
	keep[setup->n_fds] = pair[1];
	keeper->setup = *setup;
	/* for take_over(): a dead keeper cannot say what it has called */
	if (setup->hook)
		lull_hook_remember(setup->hook);
	keeper->socket = pair[1];
	keeper->pid = lull_child_fork(keep, setup->n_fds + 1);
	if (keeper->pid == 0)
		become_keeper(keeper, parent);
	(void)close(pair[1]);
	keeper->socket = pair[0];
	if (keeper->pid < 0) {
		int r = keeper->pid;

		(void)close(pair[0]);
		free(keeper);
		return r;
	}
	*ret_keeper = keeper;
	return 0;
}

/* The keeper is a child that has not been reaped, so no other process has its ID. */
static void wake(const struct lull_keeper *keeper)
{
	siginfo_t info = { 0 };

	if (waitid(P_PID, (id_t)keeper->pid, &info, WSTOPPED | WNOHANG | WNOWAIT) == 0 &&
	    info.si_pid == keeper->pid)
		(void)kill(keeper->pid, SIGCONT);
}

static void tell(struct lull_keeper *keeper, enum say say, const char *result)
{
	struct order order = { .say = say };

	if (result)
		strncpy(order.result, result, sizeof(order.result) - 1);
	say_to(keeper->socket, &order, sizeof(order));
}

/* Thaws instead of the keeper, which is dead. */
static void take_over(struct lull_keeper *keeper)
{
	struct lull_hook_facts facts = keeper->setup.facts;
	pid_t left;

	keeper->ended = true;
	keeper->answer.state = LULL_KEEPER_LOST;
	if (!keeper->owes_thaw || !keeper->setup.hook)
		return;
	keeper->owes_thaw = false;
	facts.result = "interrupted";
	/* The thaw must happen even if a hook cannot be ended. */
	(void)!lull_hook_trail_end(facts.run_id, keeper->pid,
				   keeper->setup.hook_timeout_ns, &left);
	keeper->answer.thaw = lull_hook_thaw(keeper->setup.hook, &facts,
					     keeper->setup.hook_timeout_ns);
}

/* Tells the keeper to give up, but only once: unread messages would fill the socket. */
static void give_up(struct lull_keeper *keeper)
{
	if (keeper->gave_up || !keeper->setup.waiting(keeper->setup.ctx))
		return;
	keeper->gave_up = true;
	tell(keeper, SAY_THAW, "interrupted");
}

/* Receives a report of the keeper. Returns false if there is none and wait is false. */
static bool hear(struct lull_keeper *keeper, bool wait)
{
	struct lull_keeper_answer answer;

	for (;;) {
		struct pollfd set = { .fd = keeper->socket, .events = POLLIN };

		/* Use a timeout: a signal that arrives before poll() does not interrupt
		   it. */
		if (wait && poll(&set, 1, STOPPED_LOOK_MS) <= 0) {
			wake(keeper);
			give_up(keeper);
			continue;
		}

		ssize_t n = recv(keeper->socket, &answer, sizeof(answer), MSG_DONTWAIT);

		if (n == (ssize_t)sizeof(answer)) {
			keeper->answer = answer;
			if (answer.state == LULL_KEEPER_THAWED) {
				keeper->owes_thaw = false;
				keeper->ended = true;
			}
			return true;
		}
		if (n < 0 && (errno == EINTR || (wait && errno == EAGAIN)))
			continue;
		if (n < 0 && errno == EAGAIN)
			return false;
		take_over(keeper);
		return true;
	}
}

struct lull_keeper_answer lull_keeper_freeze(struct lull_keeper *keeper)
{
	keeper->owes_thaw = true;
	tell(keeper, SAY_FREEZE, NULL);
	(void)hear(keeper, true);
	return keeper->answer;
}

bool lull_keeper_let_go(struct lull_keeper *keeper)
{
	if (keeper->ended)
		return true;
	/* If it was stopped, it could not thaw when max_freeze_ns had passed. */
	if (keeper->setup.max_freeze_ns > 0)
		wake(keeper);
	return hear(keeper, false) && keeper->ended;
}

struct lull_keeper_answer lull_keeper_thaw(struct lull_keeper *keeper, const char *result)
{
	if (!keeper->ended) {
		tell(keeper, SAY_THAW, result);
		while (!keeper->ended)
			(void)hear(keeper, true);
	}
	return keeper->answer;
}

void lull_keeper_leave(struct lull_keeper *keeper)
{
	if (keeper->ended)
		return;
	tell(keeper, SAY_LEAVE, NULL);
	keeper->owes_thaw = false;
	keeper->ended = true;
}

/* Reaps the keeper. Continues it if somebody stops it when it has only to end. */
static void wait_for_end(const struct lull_keeper *keeper)
{
	int status = 0;
	pid_t pid;

	do {
		pid = waitpid(keeper->pid, &status, WUNTRACED);
		if (pid > 0 && WIFSTOPPED(status))
			(void)kill(pid, SIGCONT);
	} while (pid > 0 ? WIFSTOPPED(status) : pid < 0 && errno == EINTR);
}

void lull_keeper_free(struct lull_keeper *keeper)
{
	if (!keeper)
		return;
	if (keeper->owes_thaw)
		(void)lull_keeper_thaw(keeper, "failed");
	tell(keeper, SAY_LEAVE, NULL);
	(void)close(keeper->socket);
	wait_for_end(keeper);
	free(keeper);
}
