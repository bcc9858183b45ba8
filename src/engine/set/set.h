/* SPDX-License-Identifier: MIT */
/*
 * Regular files that are cloned at one point in time: there is one freeze and one
 * checkpoint for all, and all are published or none.
 */
#pragma once

#include "engine/set/set_members.h"

/* Returns true if the sources form a set: there are several, and there is a hook or
   --checkpoint, or --resume or --restart finds the checkpoint of a set. */
bool lull_set_is_wanted(const struct lull_options *options, const char *const *sources,
			unsigned int n_sources, const char *target);

/* lull_set_new() returns an empty set, or NULL without memory. lull_set_free() accepts
   NULL. */
struct lull_set *lull_set_new(struct lull_copy_run *tree);
void lull_set_free(struct lull_set *set);

/* Adds a file. Does nothing with it yet. Returns false after a message. */
bool lull_set_add(struct lull_set *set, const struct lull_file *file);

/* Clones all files, and finishes each like lull_file_finish(). */
void lull_set_run(struct lull_set *set);
