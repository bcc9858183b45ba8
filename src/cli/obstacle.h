/* SPDX-License-Identifier: MIT */
/* Why no snapshot can be taken, in words. */
#pragma once

#include "lullcp.h"

/* A part of a sentence; to be freed. NULL: nothing stands in the way, or out of memory.
 */
char *obstacle_words(const struct lull_obstacle *obstacle);
