/* SPDX-License-Identifier: MIT */
/*
 * Writes in place, in one step. The clone is built in the temporary file like any other,
 * and then DEST and that file exchange their contents (sys/exchange.h). DEST keeps inode,
 * names, owner and attributes. Programs that have it open see the new bytes, and never a
 * part of them.
 *
 * If the file system cannot exchange, DEST itself is written: dest->in_place.
 */
#pragma once

#include "engine/base/job.h"

/* Returns 0 if target can exchange its contents with a file that is made beside it for a
   clone of src. target must be open for reading and writing. Otherwise returns why not,
   as a positive errno: EOPNOTSUPP, or EINVAL if the two are of different kinds (realtime,
   DAX). */
int lull_swap_obstacle(int src, int target);

/*
 * Returns true if target may be exchanged with a clone of src: the kernel reserves enough
 * space, and does not run out of it half-way and shut the file system down. Flushes both.
 * With be_sure, reads all of both maps (difference.h). Otherwise does so only if one file
 * has more extents than the other, as after writes that cut extents. lull_swap_publish()
 * refuses what this misjudges.
 */
bool lull_swap_fits(int src, int target, bool be_sure);

/* Returns true if an exchange with a temporary file that holds only what differs is sure
   to fit. Reads both maps if the places that differ do not show that. */
bool lull_swap_part_fits(const struct lull_job *job);

/* Decides whether a DEST that must be written in place can be exchanged, and opens it for
   that. */
void lull_swap_choose(struct lull_job *job);

/*
 * Locks DEST itself, because its other names have other locks, and notes its state. Needs
 * the lock of this name. Does nothing if there is no dest->target. Returns 0,
 * -EWOULDBLOCK if another lullcp writes to DEST under another name, or another -errno.
 */
int lull_swap_begin(struct lull_job *job) _must_check_;

/* Gives up the exchange: DEST is written in place. */
void lull_swap_forgo(struct lull_dest *dest);

/*
 * Exchanges the contents. Afterwards the temporary file holds what DEST was. Returns 0;
 * -EBUSY if DEST was changed since it was locked, and is left alone; -ESTALE if another
 * file has its name; or another -errno.
 */
int lull_swap_publish(struct lull_job *job) _must_check_;
