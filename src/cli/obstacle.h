/* SPDX-License-Identifier: MIT */
/* Describes why no snapshot can be taken. */
#pragma once

#include "lullcp.h"

/* Returns a part of a sentence, to be freed; NULL if there is no obstacle, or without
   memory. */
char *obstacle_words(const struct lull_obstacle *obstacle);
