// SPDX-License-Identifier: MIT
/*
 * INVARIANTS
 *  1. The caller holds the locks of the run, or is its main process. A process that was
 *     forked to become a hook holds the locks too, until it has executed the hook. So
 *     when another run gets the locks, the hook has its environment. The main process may
 *     look earlier, but it knows the session.
 *  2. No process is ended unless its own environment or its session says that it is a
 *     hook of the run.
 */
#include "guard/hook_trail.h"

#include "sys/clock.h"
#include "sys/family.h"
#include "sys/process.h"
#include "util/macros.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* As in hook.c: time to undo a half-done freeze. */
#define GRACE_NS NSEC_PER_SEC
/* During execve(2), a process has no environment for a moment. */
#define BLANK_LOOKS 20
#define BLANK_NS    (5 * NSEC_PER_MSEC)
/* More hooks than a run can have at the same time. Another would be found when one of
   them is gone. */
#define MOST 8

static int read_variable(pid_t pid, const char *name, char *ret_value, size_t size)
{
	int r = lull_process_variable(pid, name, ret_value, size);

	for (unsigned int i = 0; r == -ENODATA && i < BLANK_LOOKS; i++) {
		lull_clock_sleep(BLANK_NS);
		r = lull_process_variable(pid, name, ret_value, size);
	}
	return r;
}

static bool is_thaw(pid_t pid)
{
	char phase[16];

	return read_variable(pid, "LULLCP_PHASE", phase, sizeof(phase)) == 1 &&
	       strcmp(phase, "thaw") == 0;
}

/* Returns true for the process that a keeper started, and false for one that the hook
   started. */
static bool is_called(pid_t pid)
{
	char number[16];

	return read_variable(pid, "LULLCP_HOOK_PID", number, sizeof(number)) == 1 &&
	       atoi(number) == pid;
}

/* Returns true if a process is, or belongs to, a hook of the run that may still be
   running. */
static bool is_at_work(const char *run_id, pid_t session, const struct lull_process *p,
		       bool called)
{
	char id[64];

	/* A forked process that has not made its own group yet is in the group of the
	   keeper. */
	if (session > 0 && p->session == session &&
	    (p->group == p->pid || p->group == session))
		return true;
	if (p->group != p->pid ||
	    read_variable(p->pid, "LULLCP_RUN_ID", id, sizeof(id)) != 1 ||
	    strcmp(id, run_id) != 0)
		return false;
	/* Processes of a killed freeze hook in a group may still freeze. Processes that
	   remain after a thaw, and those with their own session, were meant to go on. */
	return called || (p->session != p->pid && !is_thaw(p->pid));
}

/* Finds a running hook. Returns the hook itself rather than a process that it started: it
   would go on when that is ended. */
static bool find(const char *run_id, pid_t session, pid_t *ret_pid)
{
	_cleanup_list_ DIR *list = lull_process_list();
	struct lull_process p;
	bool found = false, called = false;

	while (!called && lull_process_next(list, &p)) {
		if (p.pid == session ||
		    (p.group != p.pid && (session <= 0 || p.session != session)))
			continue;
		called = is_called(p.pid);
		if ((found && !called) || !is_at_work(run_id, session, &p, called)) {
			called = false;
			continue;
		}
		found = true;
		*ret_pid = p.pid;
	}
	return found;
}

/* Waits for a thaw to end. Does not wait for its process group: what a thaw leaves in it
   is not the hook. Returns false when the time is over. */
static bool await(const char *run_id, pid_t session, uint64_t until, pid_t thaw)
{
	pid_t pid;

	do {
		if (lull_clock_now() >= until)
			return false;
		lull_clock_sleep(10 * NSEC_PER_MSEC);
	} while (find(run_id, session, &pid) && pid == thaw);
	return true;
}

int lull_hook_trail_end(const char *run_id, pid_t session, uint64_t timeout_ns,
			pid_t *ret_pid)
{
	for (unsigned int i = 0; i < MOST; i++) {
		uint64_t until = NSEC_AFTER(lull_clock_now(), timeout_ns);

		if (!find(run_id, session, ret_pid))
			return 0;
		if (is_thaw(*ret_pid) && await(run_id, session, until, *ret_pid))
			continue;
		if (lull_family_end(*ret_pid, GRACE_NS) < 0)
			return -EBUSY;
	}
	return -EBUSY;
}
