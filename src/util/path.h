/* SPDX-License-Identifier: MIT */
/* File names as text: no file is looked at. */
#pragma once

#include "util/macros.h"

#include <stdbool.h>
#include <stdint.h>

/* Where the last part begins, trailing slashes included: "a/b/" -> "b/"; "/" -> "". */
const char *lull_path_last(const char *path);

/* The path of the last part of name beside what path leads to: "a/b", "x/c" -> "a/c". To
   be freed, NULL without memory. */
char *lull_path_beside(const char *path, const char *name);

/* What is before the last part: "a/b" -> "a/", "b" -> ".". To be freed, NULL without
   memory. */
char *lull_path_head(const char *path);

/* Takes the slashes at the end off, but for that of the root. True if there were any. */
bool lull_path_strip(char *path);

/* "." or "..". */
bool lull_path_is_dots(const char *name);

/*
 * The number in NAME.~N~, for entry = NAME.~N~; 0 if it is no such name, or a number that
 * does not fit.
 */
uint64_t lull_path_backup_number(const char *name, size_t len, const char *entry);
