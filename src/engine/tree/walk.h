/* SPDX-License-Identifier: MIT */
/* Copies directories. */
#pragma once

#include "engine/file/copy_run.h"

/* Makes dest if it does not exist, copies what is in it, and sets its attributes. */
bool lull_walk_directory(struct lull_entry *entry, struct lull_level *level,
			 struct lull_operand *operand);
