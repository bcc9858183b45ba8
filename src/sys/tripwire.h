/* SPDX-License-Identifier: MIT */
/*
 * Detects whether anybody wrote to a file between two moments.
 *
 * Every write changes ctime before it changes a byte. Buffered and direct writes do so
 * under the inode's lock, stores through mmap at the first fault after the page was
 * cleaned, and asynchronous direct I/O when it is submitted. So if the references of two
 * moments are equal, nothing was written between, provided that at the first moment no
 * I/O was in flight, no page was writable without a fault, and the clock had advanced
 * since the ctime. lull_tripwire_take() makes sure of all three. Cloning from a file does
 * not change its ctime.
 *
 * Not detected: stores by DMA into pages that were pinned before (the kernel's FICLONE
 * does not notice them either), and handle I/O on XFS that asks to leave the times alone.
 */
#pragma once

#include "util/macros.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

struct lull_reference {
	uint64_t inode;
	uint64_t generation;
	uint64_t size;
	int64_t mtime_ns;
	int64_t ctime_ns;
};

/* Takes the present reference, without waiting. Returns 0 or -errno. */
int lull_tripwire_look(int fd, struct lull_reference *ret_reference) _must_check_;

/*
 * As lull_tripwire_look(), but waits until the coarse clock has advanced since the last
 * change (1-10 ms if the file was just written), so that each later change shows. Returns
 * 0 or -errno.
 */
int lull_tripwire_look_late(int fd, struct lull_reference *ret_reference) _must_check_;

/*
 * fstat(2). *ret_blind: the file was changed so recently that another change may have the
 * same ctime, so comparing that would prove nothing. Returns 0 or -errno.
 */
int lull_tripwire_stat(int fd, struct stat *ret, bool *ret_blind) _must_check_;

/* A ctime_ns that makes a reference unequal to any, for a pass that is not of one point
   in time. */
#define LULL_NO_CTIME 0

/* Returns true if nobody wrote between the two: all fields are equal, and ctime_ns is
   set. */
bool lull_reference_equal(const struct lull_reference *a, const struct lull_reference *b);

/*
 * Writes out all dirty pages of fd and waits for that. Then the extent map is correct,
 * and a clone call has nothing to flush under the lock. First calls sync_file_range(2),
 * which takes no inode lock, then uses FIEMAP_FLAG_SYNC, which on Btrfs also waits until
 * the extent map is updated. Returns 0 or -errno; an error may be that of an earlier
 * write.
 */
int lull_tripwire_flush(int fd) _must_check_;

/*
 * Waits for direct I/O on src that is in flight: a clone of one block into scratch, an
 * empty file on the same file system, takes the locks that wait for it. Returns 0 or
 * -errno of the clone. With scratch -1, does not wait.
 */
int lull_tripwire_drain(int src, int scratch, uint64_t block, uint64_t size) _must_check_;

/*
 * Drains, flushes and takes the reference. Returns 0, -EBUSY if writes kept coming, or
 * another -errno. Takes at least one tick of the coarse clock (1-10 ms) if the file was
 * just written.
 */
int lull_tripwire_take(int src, int scratch, uint64_t block,
		       struct lull_reference *ret_reference) _must_check_;
