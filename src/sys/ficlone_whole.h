/* SPDX-License-Identifier: MIT */
/* Clones a whole file in one call, at one point in time, whatever happens to its size. */
#pragma once

#include "util/macros.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * Makes dest a copy of all of src at one point in time, if lull_clone_is_atomic(src). The
 * kernel locks both files against writers for the whole call; XFS skips what is shared
 * already. dest may hold anything. block is the unit of clone ranges. *ret_size is the
 * size of src at that time, even if others change it in the meantime. written says that
 * somebody writes to src, so an attempt with a size determined beforehand is not worth
 * it.
 *
 * Returns 0 or -errno; -EAGAIN if the size kept changing. On failure, dest may have a
 * part of what it should be.
 */
int lull_clone_whole(int src, int dest, uint64_t block, bool written,
		     uint64_t *ret_size) _must_check_;
