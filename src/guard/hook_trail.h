/* SPDX-License-Identifier: MIT */
/*
 * Ends hooks that outlive the process that called them. If a keeper or a lullcp is
 * killed, its hook continues. It may freeze after everybody else has thawed, or thaw at
 * the same time as the next thaw.
 *
 * A running hook is recognized by its environment: LULLCP_RUN_ID, and its own process ID
 * in LULLCP_HOOK_PID. The leader of a group that a freeze hook has started is recognized
 * too if the hook is gone, as after timeout(1). Anything else that a hook has left behind
 * is not the hook, and is never touched: a daemon in its own session, a process in the
 * group of a hook that is gone, and everything that a thaw has left.
 */
#pragma once

#include <stdint.h>
#include <sys/types.h>

/*
 * Makes sure that no hook of the run is running. Ends a freeze with all its processes.
 * Waits for up to timeout_ns for a thaw, then ends it. session is that of a keeper that
 * has not been reaped, whose hooks are recognized without an environment; 0 if there is
 * none.
 *
 * Returns 0, or -EBUSY if a hook must not or cannot be ended, with its process ID in
 * *ret_pid.
 */
int lull_hook_trail_end(const char *run_id, pid_t session, uint64_t timeout_ns,
			pid_t *ret_pid);
