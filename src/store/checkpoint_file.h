/* SPDX-License-Identifier: MIT */
/*
 * Checkpoints on disk.
 *
 * RULES
 *  1. It is never ahead of what is durable: the engine syncs the destination first and
 *     records then, or the file system keeps that order. One that lags is harmless, for
 *     cloning a range again is always right.
 *  2. It is replaced as a whole: temporary file, fsync, rename, and fsync of the
 *     directory where the old one would not do. At any moment the old or the new one is
 *     there, never a part.
 *  3. Whatever is not exactly what this version writes, or may have been planted (see
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

/* The same, also for sets: an array of n files, to be freed; n is 1 for one file
   alone. */
int lull_checkpoint_load_set(int dir, const char *name, struct lull_checkpoint **ret_of,
			     unsigned int *ret_n) _must_check_;

/* Replaces name in directory dir, durably, mode 0600. 0 or -errno. */
int lull_checkpoint_save(int dir, const char *name,
			 const struct lull_checkpoint *checkpoint) _must_check_;

/*
 * The same for n files: from two on, as a set. Without durable a power failure may leave
 * the one of before.
 */
int lull_checkpoint_save_set(int dir, const char *name, const struct lull_checkpoint *of,
			     unsigned int n, bool durable) _must_check_;

/* Makes name a pointer to the checkpoint at an absolute path: 0, also if it is that;
   -EEXIST if something else has the name; or any other -errno. */
int lull_checkpoint_point(int dir, const char *name, const char *path) _must_check_;

/* Where name points to, to be freed. 0; -ENOENT if it is not there or no pointer;
   -EBADMSG if it is a damaged one; or any other error of lull_checkpoint_load(). */
int lull_checkpoint_pointed(int dir, const char *name, char **ret_path) _must_check_;

/*
 * Removes it, and syncs the directory if durable. 0, also if there is none, or -errno.
 * One that comes back after a crash is recognised as that of a clone that was published.
 */
int lull_checkpoint_remove(int dir, const char *name, bool durable) _must_check_;
