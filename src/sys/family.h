/* SPDX-License-Identifier: MIT */
/*
 * A process with all that it has started: its process group, and its descendants in
 * whatever group or session they are. timeout(1) makes a group of its own and "setsid -w"
 * a session, and both are a part of the command that waits for them.
 *
 * A descendant is found by the chain of its parents (proc(5)). What has been orphaned, as
 * a daemon orphans itself, is none any more. Without /proc there is the group alone.
 */
#pragma once

#include <stdint.h>
#include <sys/types.h>

/* More descendants are left out. */
#define LULL_FAMILY_MOST 256

struct lull_family {
	pid_t leader;            /* whose group has its number */
	unsigned long long born; /* as in struct lull_process */
	unsigned int n;
	struct {
		pid_t pid;
		unsigned long long born;
	} member[LULL_FAMILY_MOST];
};

/* The family of a process that has not been reaped, or is not ours to reap and has not
   ended. */
void lull_family_find(pid_t leader, struct lull_family *ret_family);

/*
 * Sends a signal to all, those included that members have started since they were found.
 * 0, or -EPERM if one may not be signalled.
 */
int lull_family_signal(struct lull_family *family, int signal);

/* Waits until nobody is left: 0, or -ETIMEDOUT after ns nanoseconds. */
int lull_family_await(const struct lull_family *family, uint64_t ns);

/*
 * Ends all: SIGTERM; SIGKILL when grace_ns are over and somebody is left. Waits for the
 * end of them, 0, or -ETIMEDOUT for one that the kernel does not let go, -EPERM for one
 * that may not be ended.
 */
int lull_family_end(pid_t leader, uint64_t grace_ns);
