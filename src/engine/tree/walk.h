/* SPDX-License-Identifier: MIT */
/* Directories. */
#pragma once

#include "engine/file/copy_run.h"

/* Makes dest if need be, copies what is in it, sets its attributes. */
bool lull_walk_directory(struct lull_entry *entry, struct lull_level *level,
			 struct lull_operand *operand);
