/* SPDX-License-Identifier: MIT */
/*
 * Hooks that outlive who called them: a keeper or a lullcp that was killed leaves the
 * hook running, which freezes after everybody else has thawed, or thaws beside the next
 * thaw.
 *
 * A running hook is known by its environment: LULLCP_RUN_ID, and its own number in
 * LULLCP_HOOK_PID. So is the leader of a group that a freeze hook has started, when that
 * hook itself is gone: timeout(1) makes one. What else a hook has left behind when it
 * ended is no longer the hook, and is never touched: a daemon in a session of its own, a
 * process in the group of a hook that is gone, and all that a thaw has left.
 */
#pragma once

#include <stdint.h>
#include <sys/types.h>

/*
 * Makes sure that no hook of the run is at work: a freeze is ended with its family, a
 * thaw gets timeout_ns to end by itself, and is ended then. session is that of a keeper
 * that nobody has reaped, whose hooks need no environment to be known; 0 if there is
 * none.
 *
 * 0, or -EBUSY if one goes on that may not or cannot be ended: its process in *ret_pid.
 */
int lull_hook_trail_end(const char *run_id, pid_t session, uint64_t timeout_ns,
			pid_t *ret_pid);
