/* SPDX-License-Identifier: MIT */
/*
 * A single small file. It gets everything that lull_clone() promises, but needs no lock
 * and no checkpoint, so it is first tried without. If anything goes wrong, nothing has
 * changed yet, and lull_clone() takes over and reports.
 */
#pragma once

#include "engine/file/file_state.h"

/* Returns true if src may be tried like that. Then sets file->lone, and the extents of
   the result. */
bool lull_lone_suits(struct lull_file *file, int src, const struct stat *st);

/* Resets what a failed attempt has left in file. */
void lull_lone_forget(struct lull_file *file);

/* After success: makes dest's directory be synced at the end too. */
void lull_lone_done(struct lull_file *file);
