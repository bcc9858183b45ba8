/* SPDX-License-Identifier: MIT */
/* What a hook is, for those who run it: see hook.h for what else it does. */
#pragma once

#include "guard/hook.h"

#include <wordexp.h>

struct lull_hook {
	wordexp_t words;
	char *text;      /* that they were split from */
	char *directory; /* to run in; NULL: ours */
	/* What the last freeze had to call, or lull_hook_remember() found, and how many
	   of these, from the first on, may have frozen something. NULL: not known. */
	char **called;
	size_t n_frozen;
	/* the text that is the same from anywhere, and our directory; NULL: not known */
	char *whole_text;
	char *whole_directory;
};

/* True for a directory of hooks alone: one with arguments is a command. */
bool lull_hook_is_list(const struct lull_hook *hook);

/*
 * What is run, each with the sources: of a directory its executables, in the order of
 * their names. Their number, with *ret_paths for lull_hook_free_list(); or -errno, which
 * is -ENODATA for a directory without executables.
 */
int lull_hook_list(const struct lull_hook *hook, char ***ret_paths) _must_check_;

/*
 * The same for a thaw: what a freeze has called and is there no more is in the list, to
 * be missed when it is started.
 */
int lull_hook_list_thaw(const struct lull_hook *hook, char ***ret_paths) _must_check_;

/* Whether a freeze had to call it, and it has frozen nothing: it was not come to, could
   not be started, or did not understand. */
bool lull_hook_is_innocent(const struct lull_hook *hook, const char *path);

/* Takes in what a freeze has called, of which nothing has frozen yet; paths is taken
   over. */
void lull_hook_set_called(struct lull_hook *hook, char **paths);

/* Frees a list that NULL ends, and its texts. NULL is fine. */
void lull_hook_free_list(char **list);
