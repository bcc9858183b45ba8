/* SPDX-License-Identifier: MIT */
/* Processes and their groups, as /proc shows them (proc(5)). Without /proc there are none. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct lull_process {
	pid_t pid;
	pid_t group;
	pid_t session;
	char name[32];
};

/*
 * Calls see with each process that has not ended (a zombie has) until it returns false. What
 * starts or ends meanwhile may be missed.
 */
void lull_process_walk(bool (*see)(void *ctx, const struct lull_process *process), void *ctx);

/* How many processes of a group have not ended; one of them in *ret_one, unless it is NULL. */
unsigned int lull_process_count(pid_t group, struct lull_process *ret_one);

/*
 * What the environment with which a process was started says of a variable: 1 and its value
 * in ret_value (cut off at size), 0 if it is not set, -errno if it cannot be read.
 */
int lull_process_variable(pid_t pid, const char *name, char *ret_value, size_t size);

/* Waits until nobody of the group is left: 0, or -ETIMEDOUT after that many ns. */
int lull_process_await_group(pid_t group, uint64_t ns);

/*
 * Ends a group: SIGTERM; SIGKILL when grace_ns are over and somebody is left. Waits for the
 * end of them all, 0, or -ETIMEDOUT for a process that the kernel does not let go, -EPERM
 * for one that may not be ended. The group must be known to be the one that is meant: its
 * leader has not ended, or nobody has reaped it.
 */
int lull_process_end_group(pid_t group, uint64_t grace_ns);
