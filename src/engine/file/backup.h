/* SPDX-License-Identifier: MIT */
/* Makes backups of what is replaced. */
#pragma once

#include "lullcp.h"
#include "util/macros.h"

#include <stdbool.h>

/* Returns true if name may be that of a backup: it ends with suffix, or with "~" like
   numbered ones. */
bool lull_backup_is_name(const char *name, const char *suffix);

/*
 * Makes the name that a backup of name in directory dir would get, to be freed. Both
 * names have the same directories before them, if any. Returns 0, -ENOMEM, or -errno of
 * reading the directory.
 */
int lull_backup_name(int dir, const char *name, enum lull_backup how, const char *suffix,
		     char **ret_backup) _must_check_;

/*
 * Links name to *backup, replacing an older backup of that name. If *backup is numbered
 * and was taken meanwhile, frees it and sets it to the name that the backup got. On a
 * file system without hard links, renames name. Returns 0, also if name does not exist,
 * or -errno.
 */
int lull_backup_link(int dir, const char *name, enum lull_backup how, const char *suffix,
		     char **backup) _must_check_;

/*
 * Renames name to its backup name. Returns 0, also if name does not exist (then
 * *ret_backup is NULL), or -errno. A numbered backup replaces nothing.
 */
int lull_backup_make(int dir, const char *name, enum lull_backup how, const char *suffix,
		     char **ret_backup) _must_check_;
