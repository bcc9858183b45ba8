/* SPDX-License-Identifier: MIT */
/* Copies data from one file to another, a piece at a time: copy_file_range(2), read(2),
   write(2). */
#pragma once

#include "util/macros.h"

#include <stdbool.h>
#include <stdint.h>

enum lull_bytes_side { LULL_BYTES_READ, LULL_BYTES_WRITE, LULL_BYTES_OFFLOAD };

/*
 * Copies up to len bytes at off of src to off of dest within the kernel, which may share
 * blocks. Returns the number of bytes, or -errno. 0 is the end, or a file whose size is
 * meaningless. lull_bytes_is_refusal() tells whether read and write may do better.
 */
int64_t lull_bytes_offload(int src, int dest, uint64_t off, uint64_t len) _must_check_;

/* Returns true if read(2) and write(2) may succeed where an offload failed with err, a
   positive errno. */
bool lull_bytes_is_refusal(int err);

/* Returns true for an error that any way of copying would have: EIO, ENOSPC, EDQUOT,
   ENOMEM. */
bool lull_bytes_is_terminal(int err);

/*
 * Reads at most size bytes into buffer, from off, or with off < 0 from src's position.
 * Signals do not interrupt it. Returns the number, 0 at the end, or -errno.
 */
int64_t lull_bytes_read(int src, int64_t off, void *buffer, uint64_t size) _must_check_;

/* Reads len bytes from off. Returns 0, -ESTALE if the file ends earlier, or -errno. */
int lull_bytes_read_all(int src, uint64_t off, void *buffer, uint64_t len) _must_check_;

/* Writes len bytes to off, or with off < 0 to dest's position. Returns 0 or -errno. */
int lull_bytes_write(int dest, int64_t off, const void *buffer,
		     uint64_t len) _must_check_;

/* Returns the length of the run of zeroes, or of anything else, at the start of buffer,
   in steps of grain. *ret_zero tells which. */
uint64_t lull_bytes_run(const void *buffer, uint64_t len, uint64_t grain, bool *ret_zero);

/*
 * Finds the next data at or after off. Returns 1, 0 if there is none, or -errno. If the
 * file system does not know holes, everything is data. Does not search for the next hole.
 */
int lull_bytes_find_data(int fd, uint64_t off, uint64_t *ret_start) _must_check_;

/*
 * Finds the next range with data at or after off, before end. Returns 1, 0 if there is
 * none, or -errno. If the file system does not know holes, the rest is one range.
 */
int lull_bytes_next_data(int fd, uint64_t off, uint64_t end, uint64_t *ret_start,
			 uint64_t *ret_end) _must_check_;

/*
 * Returns true if all bytes from from on are known to be zeroes. Reads them where
 * SEEK_DATA finds data: on XFS it takes cached pages of a hole for data if blocks are
 * reserved there for copy-on-write.
 */
bool lull_bytes_are_zero_from(int fd, uint64_t from);
