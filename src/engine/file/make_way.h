/* SPDX-License-Identifier: MIT */
/* Deals with what is where an entry will be made, and with its backup. */
#pragma once

#include "engine/file/copy_run.h"

/* Gives dest its backup name, if that is due; it keeps its own until another file
   takes it. 0 or -errno. */
int lull_entry_back_up(struct lull_entry *entry) _must_check_;

/* Puts a backup back where it was, and forgets the entry; for those that fail. */
void lull_entry_undo(struct lull_entry *entry);

/* True if dest will be a regular file with the data of the source. */
bool lull_entry_becomes_regular(const struct lull_entry *entry);

/* True if dest, which is to go, can keep its name until a new file takes that. */
bool lull_entry_can_stay(const struct lull_entry *entry);

/* True if both names are the same entry of the same directory. */
bool lull_entry_is_same(int dir_a, const char *name_a, int dir_b, const char *name_b);
