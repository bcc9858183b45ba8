/* SPDX-License-Identifier: MIT */
/*
 * A small file that is all there is to copy. It owes its user what lull_clone() gives,
 * but needs neither lock nor checkpoint for it: it is tried without them, and if anything
 * does not go as it should nothing has happened and lull_clone() does it and finds the
 * words.
 */
#pragma once

#include "engine/file/file_state.h"

/* True if src may be tried so; then file->lone is set and its result knows the extents.
 */
bool lull_lone_suits(struct lull_file *file, int src, const struct stat *st);

/* Forgets what a try without success has left in file. */
void lull_lone_forget(struct lull_file *file);

/* After success: dest's directory is synced at the end as well. */
void lull_lone_done(struct lull_file *file);
