/* SPDX-License-Identifier: MIT */
/* Handles file names as text, without looking at files. */
#pragma once

#include "util/macros.h"

#include <stdbool.h>
#include <stdint.h>

/* Returns where the last part begins, which includes trailing slashes: "a/b/" -> "b/";
   "/" -> "". */
const char *lull_path_last(const char *path);

/* Returns the path of the last part of name in the directory of path: "a/b", "x/c" ->
   "a/c". To be freed; NULL without memory. */
char *lull_path_beside(const char *path, const char *name);

/* Returns what is before the last part: "a/b" -> "a/", "b" -> ".". To be freed; NULL
   without memory. */
char *lull_path_head(const char *path);

/* Removes trailing slashes, except that of the root. Returns true if there were any. */
bool lull_path_strip(char *path);

/* Returns true for "." and "..". */
bool lull_path_is_dots(const char *name);

/*
 * Returns the number in entry, which is NAME.~N~ for the first len bytes of name. Returns
 * 0 if it is not such a name, or if the number does not fit.
 */
uint64_t lull_path_backup_number(const char *name, size_t len, const char *entry);
