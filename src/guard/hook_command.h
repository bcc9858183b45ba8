/* SPDX-License-Identifier: MIT */
/* The parts of a hook, for those who run it. For its use see hook.h. */
#pragma once

#include "guard/hook.h"

#include <wordexp.h>

struct lull_hook {
	wordexp_t words;
	char *text;      /* the command from which they were split */
	char *directory; /* in which it runs; NULL: our own */
	/* What the last freeze had to call, or what lull_hook_remember() found; NULL: not
	   known. The first n_frozen of them may have frozen something. */
	char **called;
	size_t n_frozen;
	/* the command in a form that works from anywhere, and our directory; NULL: not
	   known */
	char *whole_text;
	char *whole_directory;
};

/* Returns true for a directory of hooks. A directory with arguments counts as a
   command. */
bool lull_hook_is_list(const struct lull_hook *hook);

/*
 * Lists what must be run, each with the sources: a command, or the executables of a
 * directory in the order of their names. Returns their number, with *ret_paths for
 * lull_hook_free_list(), or -errno, which is -ENODATA for a directory without
 * executables.
 */
int lull_hook_list(const struct lull_hook *hook, char ***ret_paths) _must_check_;

/*
 * As lull_hook_list(), for a thaw. The list also has what a freeze has called but is
 * gone, so that its start fails.
 */
int lull_hook_list_thaw(const struct lull_hook *hook, char ***ret_paths) _must_check_;

/* Returns true if a freeze had to call path, and it has frozen nothing: the freeze did
   not get to it, could not start it, or was not understood. */
bool lull_hook_is_innocent(const struct lull_hook *hook, const char *path);

/* Notes what a freeze has called, of which nothing has frozen yet. Takes ownership of
   paths. */
void lull_hook_set_called(struct lull_hook *hook, char **paths);

/* Frees a NULL-terminated list and its texts. NULL is fine. */
void lull_hook_free_list(char **list);
