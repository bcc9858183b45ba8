/* SPDX-License-Identifier: MIT */
/* Data from one file to another, a piece at a time: copy_file_range(2), read(2),
   write(2). */
#pragma once

#include "util/macros.h"

#include <stdbool.h>
#include <stdint.h>

enum lull_bytes_side { LULL_BYTES_READ, LULL_BYTES_WRITE, LULL_BYTES_OFFLOAD };

/*
 * Up to len bytes at off of src to off of dest within the kernel, which may share blocks.
 * The number of bytes (0: the end, or a file whose size says nothing), or -errno;
 * lull_bytes_is_refusal() tells whether read and write may do better.
 */
int64_t lull_bytes_offload(int src, int dest, uint64_t off, uint64_t len) _must_check_;

/* True if read(2) and write(2) may do what failed with err, a positive errno. */
bool lull_bytes_is_refusal(int err);

/* What fails for any way of copying: EIO, ENOSPC, EDQUOT, ENOMEM. */
bool lull_bytes_is_terminal(int err);

/*
 * At most size bytes from src's position (off < 0) or from off into buffer, signals
 * overcome. The number, 0 at the end, or -errno.
 */
int64_t lull_bytes_read(int src, int64_t off, void *buffer, uint64_t size) _must_check_;

/* len bytes from off on: 0, -ESTALE where the file ends before, or -errno. */
int lull_bytes_read_all(int src, uint64_t off, void *buffer, uint64_t len) _must_check_;

/* All of them to dest's position (off < 0) or to off. 0 or -errno. */
int lull_bytes_write(int dest, int64_t off, const void *buffer,
		     uint64_t len) _must_check_;

/* How long the run of zeroes, or of anything else, is that begins at buffer; grain at a
   time. *ret_zero tells which. */
uint64_t lull_bytes_run(const void *buffer, uint64_t len, uint64_t grain, bool *ret_zero);

/*
 * Where the next data is, at off or after it. 1, 0 if there is none, or -errno. A file
 * system that does not know holes has data everywhere. Costs no walk to the next hole.
 */
int lull_bytes_find_data(int fd, uint64_t off, uint64_t *ret_start) _must_check_;

/*
 * The next range with data at off or after it, before end. 1, 0 if there is none, or
 * -errno. A file system that does not know holes has one range.
 */
int lull_bytes_next_data(int fd, uint64_t off, uint64_t end, uint64_t *ret_start,
			 uint64_t *ret_end) _must_check_;

/*
 * True if all bytes at from or after it are known to be zeroes. They are read where
 * SEEK_DATA finds some: on XFS it takes what was read from a hole for data, if blocks are
 * reserved there for copies on write.
 */
bool lull_bytes_are_zero_from(int fd, uint64_t from);
