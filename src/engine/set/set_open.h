/* SPDX-License-Identifier: MIT */
/* The files of a set before anything is made of them. */
#pragma once

#include "engine/set/set_members.h"

/* Opens and judges all, each by itself and beside the others. Makes nothing; set->clones
   has the jobs of those that were opened, whatever the outcome. */
enum lull_outcome lull_set_open(struct lull_set *set);
