/* SPDX-License-Identifier: MIT */
/* Takes the steps of a clone, or of several clones of one point in time: see
   conduct.c. */
#pragma once

#include "engine/clone/clones.h"

/*
 * Takes all steps with jobs that lull_claim_open() has opened. opened is the outcome of
 * that; unless it is LULL_OK, no step is taken. conduct.c says what is left on disk after
 * each outcome. No writer stays frozen unless freeze.thaw_failed or --keep-frozen says
 * so.
 */
enum lull_outcome lull_conduct(struct lull_clones *clones, enum lull_outcome opened);
