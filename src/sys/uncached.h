/* SPDX-License-Identifier: MIT */
/*
 * Reads a file once without displacing what others use from the page cache: drops what
 * was not cached before. mincore(2), posix_fadvise(2).
 */
#pragma once

#include "util/macros.h"

#include <stdint.h>

/* Turns off read-ahead, because pages that were read ahead would seem to have been cached
   before. Call it once for each descriptor before reading. */
void lull_uncached_begin(int fd);

/*
 * Reads len bytes, at most 1 MiB, from off. Returns 0, -ESTALE if the file ends earlier,
 * or -errno. If the file is neither the caller's nor writable by the caller, the kernel
 * does not say what is cached, and all pages stay.
 */
int lull_uncached_read(int fd, uint64_t off, void *buffer, uint64_t len) _must_check_;
