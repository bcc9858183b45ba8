/* SPDX-License-Identifier: MIT */
/* One entry, and all below it. */
#pragma once

#include "engine/file/queue.h"

/* What the queue does with the files of entries. */
extern const struct lull_work lull_entry_work;

/* Copies what the entry names, with all below it; level is NULL for an operand. False if
   it, or a part of it, could not be copied: said already. */
bool lull_entry_copy(struct lull_entry *entry, struct lull_level *level,
		     struct lull_operand *operand);
