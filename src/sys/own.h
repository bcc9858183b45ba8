/* SPDX-License-Identifier: MIT */
/* How much of a file no other file shares. */
#pragma once

#include "util/macros.h"

#include <stdint.h>

/*
 * One window of the extent map of fd, from off on: adds to *bytes the length of the
 * extents that are not FIEMAP_EXTENT_SHARED, preallocated ones among them, and sets
 * *ret_next to where the next window begins (UINT64_MAX: that was the last). Where a
 * compressed extent is concerned its length is that of the plain bytes. 0 or -errno of
 * FS_IOC_FIEMAP. 0.5 us an extent on XFS, and more the more files share it on Btrfs,
 * which looks for them.
 */
int lull_own_add(int fd, uint64_t off, uint64_t *bytes, uint64_t *ret_next) _must_check_;
