/* SPDX-License-Identifier: MIT */
/*
 * Reads a file once without pushing what others use out of the page cache: what was not
 * cached before is dropped again. mincore(2), posix_fadvise(2).
 */
#pragma once

#include "util/macros.h"

#include <stdint.h>

/* Once for each descriptor, before: nothing is read ahead, for that would seem to have
   been cached before. */
void lull_uncached_begin(int fd);

/*
 * len bytes, 1 MiB at the most, from off on: 0, -ESTALE where the file ends before, or
 * -errno. Of a file that is neither the caller's nor writable to him the kernel does not
 * say what is cached: then all of it stays.
 */
int lull_uncached_read(int fd, uint64_t off, void *buffer, uint64_t len) _must_check_;
