/* SPDX-License-Identifier: MIT */
/*
 * The keeper: a process of its own that holds the freeze, so that writers are thawed
 * whatever becomes of lullcp.
 *
 * It is forked before the freeze, leads a session of its own, and is the only one to run
 * the hook. It thaws when it is told, when max_freeze_ns has passed, when a freeze fails,
 * and when its socket closes because the main process is gone: exactly once, but for
 * tries after a failure that passes. Should the keeper itself be killed, the main process
 * notices, ends a freeze hook or waits for a thaw hook that is at work, and thaws. Should
 * it be stopped (SIGSTOP), it is made to go on when it is needed.
 */
#pragma once

#include "guard/hook.h"
#include "util/macros.h"

#include <stdbool.h>
#include <stdint.h>

struct lull_keeper;

struct lull_keeper_setup {
	struct lull_hook *hook; /* NULL: nothing to freeze, only orphaned to call */
	struct lull_hook_facts facts;
	uint64_t hook_timeout_ns;
	uint64_t max_freeze_ns; /* 0: none */
	bool frozen_already;    /* continue a freeze that another run left */
	/* What the keeper has open, until it ends, beside its socket and what lullcp was
	   started with: descriptors that orphaned uses, and those that hold locks on what
	   it will change. -1 is none. */
	const int *fds;
	size_t n_fds;
	/* Called in the keeper when the main process is gone, after the thaw if one was
	   owed: thawed tells whether it succeeded. */
	void (*orphaned)(void *ctx, bool thawed);
	/* Called in the main process now and then while it waits, and when a signal came
	   in; true: give up the freeze. */
	bool (*waiting)(void *ctx);
	void *ctx;
};

enum lull_keeper_state {
	LULL_KEEPER_FROZEN,
	LULL_KEEPER_THAWED, /* by the last call, or because max_freeze_ns was over */
	LULL_KEEPER_LOST,   /* the keeper died; this process ran the thaw */
};

/* What the hook calls gave. */
struct lull_keeper_answer {
	enum lull_keeper_state state;
	bool expired; /* max_freeze_ns was over */
	struct lull_hook_status freeze;
	struct lull_hook_status thaw; /* of state THAWED or LOST */
};

/*
 * Forks the keeper, which has open, and so holds the flock(2) locks of, setup->fds alone:
 * other threads may be at work, and may start keepers of their own (child.h says what the
 * keeper, and so orphaned, may do then). The thread that calls must not end before
 * lull_keeper_free(): its end is taken for that of the main process (PR_SET_PDEATHSIG).
 * setup->fds is copied; what else setup points to must outlive the keeper, and must not
 * be changed by another thread meanwhile. 0 or -errno.
 */
int lull_keeper_start(const struct lull_keeper_setup *setup,
		      struct lull_keeper **ret_keeper) _must_check_;

/* Freezes. State FROZEN, or THAWED if the hook failed or the wait was given up. */
struct lull_keeper_answer lull_keeper_freeze(struct lull_keeper *keeper);

/* True if the writers are no longer frozen: max_freeze_ns is over or the keeper died. */
bool lull_keeper_let_go(struct lull_keeper *keeper);

/* Thaws, if that has not happened. result is what the hook gets as LULLCP_RESULT. */
struct lull_keeper_answer lull_keeper_thaw(struct lull_keeper *keeper,
					   const char *result);

/* Ends the keeper without a thaw: the writers stay frozen. */
void lull_keeper_leave(struct lull_keeper *keeper);

/* Waits for the keeper's end and frees; thaws first if that is still owed. */
void lull_keeper_free(struct lull_keeper *keeper);
