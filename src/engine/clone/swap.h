/* SPDX-License-Identifier: MIT */
/*
 * In place and whole: the clone is built in the temporary file as any other, and then
 * DEST and that file exchange their contents in one step (sys/exchange.h). DEST keeps
 * inode, names, owner and attributes, whoever has it open sees the new bytes, and it is
 * never half.
 *
 * If the file system cannot exchange, DEST itself is written: dest->in_place.
 */
#pragma once

#include "engine/base/job.h"

/* 0 if target, open for both, can exchange its contents with a file that is made beside
   it for a clone of src; else why not, as a positive errno: EOPNOTSUPP, or EINVAL where
   the two are of different kinds (realtime, DAX). */
int lull_swap_obstacle(int src, int target);

/*
 * True if target may be exchanged with a clone of src: the kernel has room for it, and
 * does not run out of that half-way, and shut the file system down. Flushes both.
 * be_sure: reads all of both maps (difference.h). Else that is done only if one file has
 * more extents than the other, as it has where extents were cut by writes; what this gets
 * wrong lull_swap_publish() finds, and refuses.
 */
bool lull_swap_fits(int src, int target, bool be_sure);

/* Decides how a DEST that is to be written in place is written; opens it for that. */
void lull_swap_choose(struct lull_job *job);

/*
 * Under the lock: locks DEST, whose names have different locks, and notes what it is now.
 * Nothing to do if there is no dest->target. 0, -EWOULDBLOCK if another lullcp writes to
 * it under another name, or any other -errno.
 */
int lull_swap_begin(struct lull_job *job) _must_check_;

/* It is written in place after all. */
void lull_swap_forgo(struct lull_dest *dest);

/*
 * The exchange. 0; -EBUSY: DEST was changed since it was locked, and is left alone;
 * -ESTALE: another file has its name; or another -errno. The temporary file holds what
 * DEST was then.
 */
int lull_swap_publish(struct lull_job *job) _must_check_;
