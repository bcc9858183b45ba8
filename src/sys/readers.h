/* SPDX-License-Identifier: MIT */
/* Measures whether readers wait for a clone call, with calls on a sample. */
#pragma once

#include "util/macros.h"

#include <stdbool.h>

/*
 * Clones the whole file sample into scratch a few times, while a thread reads from
 * sample. With direct it reads past the page cache, because on Btrfs only such reads take
 * the lock. Both files must be open for reading and writing, and nobody else may know
 * them. The contents of scratch are lost.
 *
 * Returns 1 if the reader waited for the calls, 0 if it went on during them; -EAGAIN if
 * the calls were too short to tell, or reads too slow without them; or another -errno.
 */
int lull_readers_wait(int sample, int scratch, bool direct) _must_check_;
