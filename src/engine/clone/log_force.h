/* SPDX-License-Identifier: MIT */
/*
 * Forces the log of XFS from time to time while a file is cloned.
 *
 * XFS gathers the changes of transactions and writes them to its log together, when they
 * amount to some MiB, or when somebody syncs. While it takes over what it has gathered
 * (xlog_cil_push_work), no transaction can commit: writers of SOURCE wait with the lock
 * of the inode, and readers wait behind them. A clone makes tens of thousands of small
 * changes a second. With the changes of ten seconds, until the next checkpoint, others
 * waited 106 ms. With those of 200 ms they waited 7 to 20 ms, at the same speed (6.18,
 * 419,746 extents, with 3,000 direct reads and writes a second).
 */
#pragma once

#include "engine/base/job.h"
#include "plan/pace.h"

struct lull_log_force {
	bool wanted;    /* the file system is XFS */
	uint64_t last;  /* when it was forced, CLOCK_MONOTONIC */
	uint64_t every; /* ns from then until the next time */
	/* The pass rests, so forcing the log can take the time of a rest. Without rests,
	   the log is forced only if calls have to wait for others. */
	bool rests;
	uint64_t waits, calls; /* at the last force or check */
};

/* Initializes *force for a pass that begins. */
void lull_log_force_init(struct lull_log_force *force, const struct lull_job *job);

/* Notes that a checkpoint has forced the log just now. */
void lull_log_force_done(struct lull_log_force *force);

/*
 * Forces the log between two calls if it is time. No locks are held meanwhile, so this
 * counts as a rest for pace. Returns 0 or -errno of fdatasync(2), which the kernel
 * reports only once.
 */
int lull_log_force_if_due(struct lull_log_force *force, const struct lull_job *job,
			  struct lull_pace *pace) _must_check_;
