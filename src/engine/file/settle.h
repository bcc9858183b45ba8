/* SPDX-License-Identifier: MIT */
/*
 * Files that wait for the disk before they are named: one sync for many.
 *
 * A few files are synced one by one where the file system can do that for a file without
 * a name; of more the whole file system is. Each file is due, see naming.h.
 */
#pragma once

#include "engine/file/file_state.h"

/* Puts all of them on disk; settled is set in each, or settle_err. */
void lull_settle(struct lull_file *const *files, unsigned int n);
