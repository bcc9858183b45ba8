/* SPDX-License-Identifier: MIT */
/* FICLONERANGE, and what its errors mean. */
#pragma once

#include "lullcp.h"
#include "util/macros.h"

/*
 * Makes [off, off + len) of dest share the bytes of the same range of src. len is never
 * 0 (the kernel would take it for "to the end"); off is a multiple of the block size,
 * and so is len unless the range ends at the end of src.
 *
 * 0, or -errno: then the range of dest is undefined (a prefix of it may be cloned), and
 * doing it again is always right. A fatal signal ends the call early; one that is
 * handled does not.
 */
int lull_clone_range(int src, int dest, uint64_t off, uint64_t len) _must_check_;

/* Clones nothing from one empty file to another: shows whether that works. 0 or
   -errno. */
int lull_clone_empty(int src, int dest) _must_check_;

/*
 * Clones the beginning of src, a block or all of its size, to past the end of dest:
 * shows whether dest can be a clone before anything that it holds is lost. dest grows. 0
 * or -errno.
 */
int lull_clone_try(int src, int dest, uint64_t size, uint64_t block) _must_check_;

/* Clones the first block of fd, which must have been written, after itself. 0 or
   -errno. */
int lull_clone_own_block(int fd, uint64_t block) _must_check_;

/*
 * False where a call over all of fd is no copy of one instant, for stores through mmap go
 * on beside it: Btrfs before Linux 5.13, which gave it i_mmap_lock ("btrfs: exclude mmaps
 * while doing remap"). Seen torn on 5.10; write(2) waits there too. XFS has always held
 * MMAPLOCK. An older kernel with another file system, overlayfs above Btrfs perhaps, is
 * doubted.
 */
bool lull_clone_is_atomic(int fd) _must_check_;

/*
 * Clones all of src up to where it ends once the locks are held: the one place where
 * src_length is
 * 0. 0 or -errno, -EINVAL also if dest is longer and src does not end with a block. XFS
 *    before 6.13
 * may call such a clone done that is not; it shows in the size of dest.
 */
int lull_clone_to_end(int src, int dest) _must_check_;

/* Makes [off, off + len) of fd read as zeroes; the size stays. 0 or -errno. */
int lull_clone_punch(int fd, uint64_t off, uint64_t len) _must_check_;

/* True if this process may not make a file of so many bytes (ulimit -f). */
bool lull_clone_is_over_limit(uint64_t end) _must_check_;

/*
 * What a failed call means. err is its positive errno; src and dest are looked at to tell
 * causes apart that share an errno; -1 where it was another call on a file that failed,
 * or none can be looked at. off and len are those of the call.
 */
enum lull_cause lull_clone_classify(int err, int src, int dest, uint64_t off,
				    uint64_t len);
