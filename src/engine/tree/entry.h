/* SPDX-License-Identifier: MIT */
/* One entry, and everything below it. */
#pragma once

#include "engine/file/queue.h"

/* The functions for the files of entries in the queue. */
extern const struct lull_work lull_entry_work;

/* Copies the entry and everything below it. level is NULL for an operand. Returns false,
   after a message, if any part could not be copied. */
bool lull_entry_copy(struct lull_entry *entry, struct lull_level *level,
		     struct lull_operand *operand);
