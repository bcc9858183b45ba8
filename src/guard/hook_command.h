/* SPDX-License-Identifier: MIT */
/* What a hook is, for those who run it: see hook.h for what else it does. */
#pragma once

#include "guard/hook.h"

#include <wordexp.h>

struct lull_hook {
	wordexp_t words;
	char *directory; /* to run in; NULL: ours */
};

/* True for a directory of hooks alone: one with arguments is a command. */
bool lull_hook_is_list(const struct lull_hook *hook);

/*
 * What is run, each with the sources: of a directory its executables, in the order of
 * their names. Their number, with *ret_paths for lull_hook_free_list(); or -errno, which
 * is -ENODATA for a directory without executables.
 */
int lull_hook_list(const struct lull_hook *hook, char ***ret_paths) _must_check_;

/* Frees a list that NULL ends, and its texts. NULL is fine. */
void lull_hook_free_list(char **list);
