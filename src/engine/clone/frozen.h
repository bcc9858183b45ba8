/* SPDX-License-Identifier: MIT */
/* The method that a hook makes possible: nobody writes while the clones are made. */
#pragma once

#include "engine/clone/clones.h"

/*
 * Passes while writers run, if the options say live; then freeze, references, passes,
 * comparison, thaw. LULL_OK: each clone is a copy of its source at one moment, which is
 * the same for all. Even then freeze.thaw_failed may be set. Writers stay frozen after
 * LULL_INTERRUPTED if the options say keep_frozen.
 */
enum lull_outcome lull_frozen_clone(struct lull_clones *clones);

/* True if any of the clones has a reference recorded, and so something to go on from. */
bool lull_frozen_has_begun(const struct lull_clones *clones);
