/* SPDX-License-Identifier: MIT */
/* A clone of a whole file by one call, of one instant, whatever happens to its size. */
#pragma once

#include "util/macros.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * Makes dest a copy of all of src as it stands at one instant, if
 * lull_clone_is_atomic(src): the kernel holds the locks of both against writers for the
 * whole call, and skips what is shared already on XFS. dest may hold anything; block is
 * the unit of clone ranges. *ret_size is the size of src at that instant, also while
 * others make it longer or shorter: written says that somebody is at work on it, and that
 * it is not worth trying with a size taken beforehand.
 *
 * 0 or -errno; -EAGAIN if the size would not stand still. On failure dest may be a part
 * of what it should be.
 */
int lull_clone_whole(int src, int dest, uint64_t block, bool written,
		     uint64_t *ret_size) _must_check_;
