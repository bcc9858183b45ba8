/* SPDX-License-Identifier: MIT */
/* The method with a hook: nobody writes while the clones are made. */
#pragma once

#include "engine/clone/clones.h"

/*
 * Makes passes while writers run, if options->live. Then freezes, takes references, makes
 * passes, compares the references, and thaws. LULL_OK: each clone is a copy of its source
 * at one point in time, which is the same for all; but freeze.thaw_failed may be set.
 * After LULL_INTERRUPTED, writers stay frozen if options->keep_frozen.
 */
enum lull_outcome lull_frozen_clone(struct lull_clones *clones);

/* Returns true if any clone has a recorded reference, so that another run can go on from
   it. */
bool lull_frozen_has_begun(const struct lull_clones *clones);
