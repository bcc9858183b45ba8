/* SPDX-License-Identifier: MIT */
/*
 * Forces the log of XFS from time to time while a file is cloned.
 *
 * XFS gathers what transactions change and writes it into its log together, when that is
 * some MiB, or when somebody syncs. While it takes hold of what it has gathered
 * (xlog_cil_push_work) no transaction can commit: writers of SOURCE wait with the lock of
 * the inode, and readers behind them. A clone makes tens of thousands of small changes a
 * second, and with all that ten seconds gather, till the next checkpoint, others waited
 * 106 ms; with 200 ms worth of it 7 to 20 ms, at the same speed (6.18, 419,746 extents,
 * 3,000 direct reads and writes a second beside).
 */
#pragma once

#include "engine/base/job.h"
#include "plan/pace.h"

struct lull_log_force {
	bool wanted;    /* it is XFS */
	uint64_t last;  /* when it was forced, CLOCK_MONOTONIC */
	uint64_t every; /* how long to wait from then on */
	/* Rests would take that time anyway. Without them it is taken only where calls
	   have to wait for others. */
	bool rests;
	uint64_t waits, calls; /* so far, when it was forced or looked at */
};

/* For a pass that begins. */
void lull_log_force_init(struct lull_log_force *force, const struct lull_job *job);

/* Somebody else has forced it just now: a checkpoint. */
void lull_log_force_done(struct lull_log_force *force);

/*
 * Between two calls: forces it if it is time. Nobody's locks are held meanwhile, so pace
 * is credited with a rest. 0 or -errno of fdatasync(2), which is told only once.
 */
int lull_log_force_if_due(struct lull_log_force *force, const struct lull_job *job,
			  struct lull_pace *pace) _must_check_;
