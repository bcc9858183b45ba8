/* SPDX-License-Identifier: MIT */
/* Opens the files of a set. */
#pragma once

#include "engine/set/set_members.h"

/* Opens and checks all files, each by itself and against the others. Makes no file. On
   any outcome, set->clones has the jobs of those that were opened. */
enum lull_outcome lull_set_open(struct lull_set *set);
