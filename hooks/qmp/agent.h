/* SPDX-License-Identifier: MIT */
/* The guest agent: file systems in the guest, frozen for an instant. */
#pragma once

#include "util/macros.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * Each call connects anew: the agent's channel has one client, and what an earlier one
 * left in it is passed over. 0 or -errno; what went wrong is in *ret_why, which the
 * caller frees. After a failed freeze the guest may be frozen, if *ret_asked: thaw.
 */
int agent_freeze(const char *path, uint64_t timeout_ns, bool *ret_asked,
		 char **ret_why) _must_check_;

/* Also fine if nothing is frozen. Goes on when told to stop. */
int agent_thaw(const char *path, uint64_t timeout_ns, char **ret_why) _must_check_;
