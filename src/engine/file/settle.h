/* SPDX-License-Identifier: MIT */
/*
 * Puts files on disk before they are named, with one sync for many.
 *
 * A few files are synced one by one, if the file system can do that for a file without a
 * name. If there are more, the whole file system is synced. Each file must be due, see
 * naming.h.
 */
#pragma once

#include "engine/file/file_state.h"

/* Syncs all files. Sets settled in each, and settle_err on failure. */
void lull_settle(struct lull_file *const *files, unsigned int n);
