/* SPDX-License-Identifier: MIT */
/* File names as text: no file is looked at. */
#pragma once

#include "util/macros.h"

#include <stdbool.h>
#include <stdint.h>

/* A path that grows and shrinks by its last part. All zero is an empty one. */
struct lull_path {
	char *text;
	size_t len;
	size_t room;
};

/* 0 or -ENOMEM. */
int lull_path_set(struct lull_path *path, const char *text) _must_check_;

/* Appends name, after a slash unless there is one. 0 or -ENOMEM. */
int lull_path_push(struct lull_path *path, const char *name) _must_check_;

/* Back to an earlier length. */
void lull_path_cut(struct lull_path *path, size_t len);

void lull_path_done(struct lull_path *path);

/* Where the last part begins, slashes behind it included: "a/b/" -> "b/"; "/" -> "". */
const char *lull_path_last(const char *path);

/* Takes the slashes at the end off, but for that of the root. True if there were any. */
bool lull_path_strip(char *path);

bool lull_path_is_dots(const char *name);

/*
 * The number in NAME.~N~, for entry = NAME.~N~; 0 if it is no such name, or a number that
 * does not fit.
 */
uint64_t lull_path_backup_number(const char *name, size_t len, const char *entry);
