/* SPDX-License-Identifier: MIT */
/*
 * Files that wait for the disk before they are named: one sync for many.
 *
 * A few files of a file system that can do it are synced one by one, of more the whole file system
 * is. On Btrfs what was cloned needs a commit only, which runs beside the next files if it is begun
 * early. Each file is due, see naming.h.
 */
#pragma once

#include "engine/file.h"

/* Begins a commit for those that need nothing else. */
void lull_settle_begin(struct lull_file *const *files, unsigned int n);

/* Puts all of them on disk; settled is set in each, or settle_err. */
void lull_settle(struct lull_file *const *files, unsigned int n);
