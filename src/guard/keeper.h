/* SPDX-License-Identifier: MIT */
/*
 * The keeper: a separate process that holds the freeze, so that writers are thawed
 * whatever happens to lullcp.
 *
 * It is forked before the freeze, leads its own session, and only it runs the hook. It
 * thaws when it is told to, when max_freeze_ns has passed, when a freeze fails, and when
 * its socket closes because the main process is gone. It does so exactly once, apart from
 * attempts after a temporary failure. If the keeper itself is killed, the main process
 * notices, ends a running freeze hook or waits for a running thaw hook, and thaws. If the
 * keeper is stopped (SIGSTOP), the main process makes it continue when it is needed.
 */
#pragma once

#include "guard/hook.h"
#include "util/macros.h"

#include <stdbool.h>
#include <stdint.h>

struct lull_keeper;

struct lull_keeper_setup {
	/* NULL: there is nothing to freeze, and only orphaned is called */
	struct lull_hook *hook;
	struct lull_hook_facts facts;
	uint64_t hook_timeout_ns;
	uint64_t max_freeze_ns; /* 0: none */
	bool frozen_already;    /* continue a freeze that another run left in force */
	/* The descriptors that the keeper keeps open until it ends, in addition to its
	   socket and those with which lullcp was started: those that orphaned uses, and
	   those that hold locks on what it will change. -1 is ignored. */
	const int *fds;
	size_t n_fds;
	/* Called in the keeper when the main process is gone, after the thaw if one was
	   due. thawed: it succeeded. */
	void (*orphaned)(void *ctx, bool thawed);
	/* Called in the main process from time to time while it waits, and after a
	   signal. Returns true to give up the freeze. */
	bool (*waiting)(void *ctx);
	void *ctx;
};

enum lull_keeper_state {
	LULL_KEEPER_FROZEN,
	LULL_KEEPER_THAWED, /* by the last call, or because max_freeze_ns had passed */
	LULL_KEEPER_LOST,   /* the keeper died; this process ran the thaw */
};

/* The results of the hook calls. */
struct lull_keeper_answer {
	enum lull_keeper_state state;
	bool expired; /* max_freeze_ns has passed */
	struct lull_hook_status freeze;
	struct lull_hook_status thaw; /* valid in state THAWED or LOST */
};

/*
 * Forks the keeper. It has only setup->fds open, and so holds only their flock(2) locks,
 * because other threads may be running and may start their own keepers. child.h says what
 * the keeper, and so orphaned, may do. The calling thread must not end before
 * lull_keeper_free(): the keeper takes its end for that of the main process
 * (PR_SET_PDEATHSIG). setup->fds is copied. Everything else that setup points to must
 * outlive the keeper, and other threads must not change it. Returns 0 or -errno.
 */
int lull_keeper_start(const struct lull_keeper_setup *setup,
		      struct lull_keeper **ret_keeper) _must_check_;

/* Freezes the writers. The state is FROZEN, or THAWED if the hook failed or the wait was
   given up. */
struct lull_keeper_answer lull_keeper_freeze(struct lull_keeper *keeper);

/* Returns true if the writers are no longer frozen, because max_freeze_ns has passed or
   the keeper has died. */
bool lull_keeper_let_go(struct lull_keeper *keeper);

/* Thaws the writers, unless that has happened. The hook gets result as LULLCP_RESULT. */
struct lull_keeper_answer lull_keeper_thaw(struct lull_keeper *keeper,
					   const char *result);

/* Ends the keeper without a thaw: the writers stay frozen. */
void lull_keeper_leave(struct lull_keeper *keeper);

/* Waits for the end of the keeper and frees it. Thaws first if that is still due. */
void lull_keeper_free(struct lull_keeper *keeper);
