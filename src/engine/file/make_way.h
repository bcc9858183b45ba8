/* SPDX-License-Identifier: MIT */
/* Handles what exists where an entry will be made, and its backup. */
#pragma once

#include "engine/file/copy_run.h"

/* Gives dest its backup name, if that is due. It keeps its own name until another file
   takes that. Returns 0 or -errno. */
int lull_entry_back_up(struct lull_entry *entry) _must_check_;

/* Renames a backup back and forgets the entry, after a failure. */
void lull_entry_undo(struct lull_entry *entry);

/* True if dest will be a regular file with the data of the source. */
bool lull_entry_becomes_regular(const struct lull_entry *entry);

/* Returns true if dest, which will be removed, can keep its name until a new file takes
   it. */
bool lull_entry_can_stay(const struct lull_entry *entry);

/* True if both names are the same entry of the same directory. */
bool lull_entry_is_same(int dir_a, const char *name_a, int dir_b, const char *name_b);
