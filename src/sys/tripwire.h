/* SPDX-License-Identifier: MIT */
/*
 * Tells whether anybody wrote to a file between two moments.
 *
 * Every write changes ctime before it changes a byte: buffered and direct writes under
 * the inode's lock, stores through mmap at the first fault after the page was cleaned,
 * asynchronous direct I/O when it is submitted. So equal references at two moments mean
 * that nothing was written between, provided that at the first one nothing was on its
 * way, no page was writable without a fault, and the clock had moved on since the ctime.
 * lull_tripwire_take() does the three. Cloning from a file does not touch its ctime.
 *
 * Not seen: stores by DMA into pages pinned before (the kernel's own FICLONE does not
 * see them either), and handle I/O on XFS that asks for times to be left alone.
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

/* The reference as it is now, without any waiting. 0 or -errno. */
int lull_tripwire_look(int fd, struct lull_reference *ret_reference) _must_check_;

/*
 * The same, and waits until the coarse clock has moved on since the last change (1-10 ms
 * when the file was just written), so that each later one leaves its trace. 0 or -errno.
 */
int lull_tripwire_look_late(int fd, struct lull_reference *ret_reference) _must_check_;

/*
 * fstat(2). *ret_blind: the file changed so lately that another change may leave it the
 * same change time, so that comparing that proves nothing. 0 or -errno.
 */
int lull_tripwire_stat(int fd, struct stat *ret, bool *ret_blind) _must_check_;

/* In ctime_ns: a reference that equals none, for a pass that is no point in time. */
#define LULL_NO_CTIME 0

/* True if nobody wrote between the two: all fields are equal, and their ctime is a
   time. */
bool lull_reference_equal(const struct lull_reference *a, const struct lull_reference *b);

/*
 * Writes out all dirty pages of fd and waits, so that the extent map tells the truth and
 * a clone call finds nothing to flush under the lock. sync_file_range(2) first, which
 * takes no inode lock, then FIEMAP_FLAG_SYNC, which on Btrfs also waits for the extent
 * map to be brought up to date. 0 or -errno; an error may be that of a write long ago.
 */
int lull_tripwire_flush(int fd) _must_check_;

/*
 * Waits for direct I/O on src that is on its way: a one-block clone into scratch, an
 * empty file on the same file system, takes the locks that wait for it. 0 or -errno of
 * the clone. With scratch -1 nothing is waited for.
 */
int lull_tripwire_drain(int src, int scratch, uint64_t block, uint64_t size) _must_check_;

/*
 * Drains, flushes and takes the reference. -EBUSY if writes kept coming. Takes at least
 * one tick of the coarse clock (1-10 ms) when the file was just written.
 */
int lull_tripwire_take(int src, int scratch, uint64_t block,
		       struct lull_reference *ret_reference) _must_check_;
