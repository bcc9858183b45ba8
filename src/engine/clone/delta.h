/* SPDX-License-Identifier: MIT */
/*
 * Clones only what differs between the source and DEST into the temporary file. An
 * exchange that skips holes (LULL_EXCHANGE_WRITTEN) then makes DEST equal to the source.
 * This reads both maps, and clones only what differs. With 100 blocks of 100,000 changed,
 * that took 0.31 s of CPU where a clone took 1.57 s, and 0.27 s where a clone took 4.75
 * s, with a reverse mapping tree.
 */
#pragma once

#include "engine/base/job.h"

/* Returns true if it can be tried: DEST is refreshed and will exchange its contents, and
   the kernel can tell whether DEST has changed since its map was read. */
bool lull_delta_suits(const struct lull_job *job);

/*
 * Fills the temporary file with what differs. Writes no checkpoint, because starting
 * again is quicker than resuming. Sets *ret_done if the result is complete and of one
 * point in time. Otherwise too much differs, or the source was written to, and the
 * temporary file is empty again for a full clone.
 */
enum lull_outcome lull_delta_clone(struct lull_job *job, bool *ret_done);
