/* SPDX-License-Identifier: MIT */
/*
 * A single small file. It gets all that lull_clone() promises, but needs neither lock nor
 * checkpoint: it is tried without them. If anything goes wrong, nothing has changed yet,
 * and lull_clone() takes over and reports.
 */
#pragma once

#include "engine/file/file_state.h"

/* True if src may be tried so; then file->lone is set and its result knows the extents.
 */
bool lull_lone_suits(struct lull_file *file, int src, const struct stat *st);

/* Forgets what a failed try has left in file. */
void lull_lone_forget(struct lull_file *file);

/* After success: dest's directory is synced at the end as well. */
void lull_lone_done(struct lull_file *file);
