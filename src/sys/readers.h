/* SPDX-License-Identifier: MIT */
/* Whether readers wait for a clone call: measured with one, beside calls on a sample. */
#pragma once

#include "util/macros.h"

#include <stdbool.h>

/*
 * Clones all of the file sample into scratch a few times, both open for reading and
 * writing and known to nobody else, while a thread reads from sample: past the page cache
 * if direct, for on Btrfs only such reads take the lock. What scratch held is lost.
 *
 * 1 if the reader waited for the calls, 0 if it went on beside them; -EAGAIN if the calls
 * were too short, or reads too slow without them, to tell; or another -errno.
 */
int lull_readers_wait(int sample, int scratch, bool direct) _must_check_;
