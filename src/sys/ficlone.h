/* SPDX-License-Identifier: MIT */
/* FICLONERANGE, and what its errors mean. */
#pragma once

#include "lullcp.h"
#include "util/macros.h"

/*
 * Makes [off, off + len) of dest share the bytes of the same range of src. len must not
 * be 0, which the kernel would take for "to the end". off must be a multiple of the block
 * size, and so must len unless the range ends at the end of src.
 *
 * Returns 0 or -errno. After a failure the range of dest is undefined (a part from its
 * beginning may be cloned); repeating the call is always right. A fatal signal ends the
 * call early; one that is handled does not.
 */
int lull_clone_range(int src, int dest, uint64_t off, uint64_t len) _must_check_;

/* Clones nothing from one empty file to another, which shows whether that works. Returns
   0 or -errno. */
int lull_clone_empty(int src, int dest) _must_check_;

/*
 * Clones the beginning of src, which is a block, or all of size if that is less, to past
 * the end of dest. That shows whether dest can be a clone before any of its contents is
 * lost. dest grows. Returns 0 or -errno.
 */
int lull_clone_try(int src, int dest, uint64_t size, uint64_t block) _must_check_;

/* Clones the first block of fd, which must have been written, to the second. Returns 0 or
   -errno. */
int lull_clone_own_block(int fd, uint64_t block) _must_check_;

/*
 * Returns false if a call over all of fd is not a copy of one point in time, because
 * stores through mmap go on during it. That is so on Btrfs before Linux 5.13, which added
 * i_mmap_lock ("btrfs: exclude mmaps while doing remap"). Torn copies were seen on 5.10;
 * write(2) waits there too. XFS has always held MMAPLOCK. On an older kernel, other file
 * systems, such as overlayfs on Btrfs, are not trusted.
 */
bool lull_clone_is_atomic(int fd) _must_check_;

/*
 * Clones all of src, up to where it ends when the locks are held. This is the only call
 * with a src_length of 0. Returns 0 or -errno, which is -EINVAL also if dest is longer
 * and src does not end with a whole block. XFS before 6.13 may report success for a clone
 * that is not complete; then dest is too short.
 */
int lull_clone_to_end(int src, int dest) _must_check_;

/* Makes [off, off + len) of fd read as zeroes; the size stays. 0 or -errno. */
int lull_clone_punch(int fd, uint64_t off, uint64_t len) _must_check_;

/* Returns true if this process may not make a file of end bytes (ulimit -f). */
bool lull_clone_is_over_limit(uint64_t end) _must_check_;

/*
 * Determines what the failure of a call means. err is its positive errno. Examines src
 * and dest to distinguish causes with the same errno; they are -1 if another call on a
 * file failed, or if they cannot be examined. off and len are those of the call.
 */
enum lull_cause lull_clone_classify(int err, int src, int dest, uint64_t off,
				    uint64_t len);
