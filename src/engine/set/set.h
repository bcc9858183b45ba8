/* SPDX-License-Identifier: MIT */
/*
 * Regular files that become clones of one moment: one freeze for all, one checkpoint, and
 * all are published or none.
 */
#pragma once

#include "engine/set/set_members.h"

/* True if the sources form one set: there are several and a hook, or --resume finds the
   checkpoint of one. */
bool lull_set_is_wanted(const struct lull_options *options, const char *const *sources,
			unsigned int n_sources, const char *target);

/* NULL without memory. */
struct lull_set *lull_set_new(struct lull_copy_run *tree);
void lull_set_free(struct lull_set *set);

/* Takes the file in. Nothing is done with it yet. False after a word about it. */
bool lull_set_add(struct lull_set *set, const struct lull_file *file);

/* Clones them all, and finishes each as lull_file_finish() does. */
void lull_set_run(struct lull_set *set);
