/* SPDX-License-Identifier: MIT */
/* The guest agent: freezes and thaws the file systems in the guest. */
#pragma once

#include "util/macros.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * Both functions make a new connection: the agent's channel has one client, and they skip
 * what an earlier client left in it. They return 0, or -errno with a message, to be
 * freed, or NULL in *ret_why. If a freeze fails and *ret_asked is set, the guest may be
 * frozen: call agent_thaw().
 */
int agent_freeze(const char *path, uint64_t timeout_ns, bool *ret_asked,
		 char **ret_why) _must_check_;

/* Succeeds also if nothing is frozen. Continues after a signal to stop. */
int agent_thaw(const char *path, uint64_t timeout_ns, char **ret_why) _must_check_;
