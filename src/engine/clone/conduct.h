/* SPDX-License-Identifier: MIT */
/* The order of steps of a clone, or of several clones of one moment: see conduct.c. */
#pragma once

#include "engine/clone/clones.h"

/*
 * Takes all steps with jobs that lull_claim_open() has opened; opened is its outcome, and
 * with another than LULL_OK nothing is done. Whatever the outcome, what is left on disk
 * is what conduct.c says, and nobody stays frozen unless freeze.thaw_failed, or
 * --keep-frozen, says so.
 */
enum lull_outcome lull_conduct(struct lull_clones *clones, enum lull_outcome opened);
