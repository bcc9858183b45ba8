/* SPDX-License-Identifier: MIT */
/*
 * A process with all that it has started: its process group, and its descendants in any
 * group or session. timeout(1) makes another group and "setsid -w" another session, and
 * both are a part of the command that waits for them.
 *
 * Descendants are found by their parents (proc(5)). A process that was orphaned, as a
 * daemon does to itself, is not found. Without /proc, there is only the group.
 */
#pragma once

#include <stdint.h>
#include <sys/types.h>

/* The most descendants; others are ignored. */
#define LULL_FAMILY_MOST 256

struct lull_family {
	pid_t leader;            /* its group has the same ID */
	unsigned long long born; /* as in struct lull_process */
	unsigned int n;
	struct {
		pid_t pid;
		unsigned long long born;
	} member[LULL_FAMILY_MOST];
};

/* Finds the family of leader. That process must not have been reaped, or, if it is not
   ours to reap, must not have ended. */
void lull_family_find(pid_t leader, struct lull_family *ret_family);

/*
 * Sends a signal to all, including processes that members have started since. Returns 0,
 * or -EPERM if one may not be signalled.
 */
int lull_family_signal(struct lull_family *family, int signal);

/* Waits until all have ended. Returns 0, or -ETIMEDOUT after ns nanoseconds. */
int lull_family_await(const struct lull_family *family, uint64_t ns);

/*
 * Ends all: sends SIGTERM, and SIGKILL after grace_ns if some remain. Waits for their
 * end. Returns 0, -ETIMEDOUT if the kernel does not let one end, or -EPERM if one may not
 * be ended.
 */
int lull_family_end(pid_t leader, uint64_t grace_ns);
