/* SPDX-License-Identifier: MIT */
/* The files of a set before anything is made of them. */
#pragma once

#include "engine/set/set_members.h"

/* Opens and judges all, each by itself and beside the others. Makes nothing. */
enum lull_outcome lull_set_open(struct lull_set *set);

/* Locks all destinations, in an order that two runs cannot block each other by. */
enum lull_outcome lull_set_lock(struct lull_set *set);
