/* SPDX-License-Identifier: MIT */
/*
 * Checkpoints on disk.
 *
 * RULES
 *  1. A checkpoint is never ahead of what is durable: the engine first syncs the
 *     destination and then records, or the file system keeps that order. A checkpoint
 *     that lags is harmless, because cloning a range again is always right.
 *  2. It is replaced as a whole, by temporary file, fsync and rename, and by fsync of the
 *     directory if the old one would not do. At any moment the old or the new one exists,
 *     and never a part.
 *  3. A file that this version would not write, or that may have been planted (see
 *     state.h), is refused, and nothing is deleted.
 */
#pragma once

#include "store/checkpoint.h"

/*
 * Reads name in directory dir. 0, or
 *   -ENOENT           there is none
 *   -EBADMSG          damaged: no checkpoint, a part of one, a value out of range
 *   -EPROTONOSUPPORT  written by another version
 *   -ENOTUNIQ         that of a set, or a pointer to it
 *   a refusal         (lull_state_is_refusal()) it may have been planted, and its hook
 *                     would run with our rights
 *   or any other -errno of reading.
 */
int lull_checkpoint_load(int dir, const char *name,
			 struct lull_checkpoint *ret_checkpoint) _must_check_;

/* As lull_checkpoint_load(), also for sets. Returns an array of n files, to be freed; n
   is 1 for a single file. */
int lull_checkpoint_load_set(int dir, const char *name, struct lull_checkpoint **ret_of,
			     unsigned int *ret_n) _must_check_;

/* Replaces name in directory dir, durably, with mode 0600. Returns 0 or -errno. */
int lull_checkpoint_save(int dir, const char *name,
			 const struct lull_checkpoint *checkpoint) _must_check_;

/*
 * As lull_checkpoint_save(), for n files, which are a set if n is more than one. Without
 * durable, a power failure may leave the old checkpoint.
 */
int lull_checkpoint_save_set(int dir, const char *name, const struct lull_checkpoint *of,
			     unsigned int n, bool durable) _must_check_;

/* Makes name a pointer to the checkpoint at an absolute path. Returns 0, also if it is
   that already; -EEXIST if something else has the name; or another -errno. */
int lull_checkpoint_point(int dir, const char *name, const char *path) _must_check_;

/* Finds the path to which name points, to be freed. Returns 0; -ENOENT if name does not
   exist or is not a pointer; -EBADMSG if it is a damaged one; or another error of
   lull_checkpoint_load(). */
int lull_checkpoint_pointed(int dir, const char *name, char **ret_path) _must_check_;

/*
 * Removes a checkpoint, and syncs the directory if durable. Returns 0, also if there is
 * none, or -errno. If it comes back after a crash, it is recognized as that of a
 * published clone.
 */
int lull_checkpoint_remove(int dir, const char *name, bool durable) _must_check_;
