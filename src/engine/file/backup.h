/* SPDX-License-Identifier: MIT */
/* Backups of what is replaced. */
#pragma once

#include "lullcp.h"
#include "util/macros.h"

#include <stdbool.h>

/* True if a backup may have this file name: it ends in suffix, or in "~" as numbered ones
   do. */
bool lull_backup_is_name(const char *name, const char *suffix);

/*
 * The name that a backup of name in directory dir would get; both are file names without
 * a slash, or name may have directories before it. To be freed. -ENOMEM or an errno of
 * reading the directory.
 */
int lull_backup_name(int dir, const char *name, enum lull_backup how, const char *suffix,
		     char **ret_backup) _must_check_;

/*
 * Links name to *backup as well, replacing an older backup of that name. If *backup is a
 * number that was taken meanwhile, it is freed and set to the one that it got. On a file
 * system without hard links it is renamed. 0, also if there is no name any more, or
 * -errno.
 */
int lull_backup_link(int dir, const char *name, enum lull_backup how, const char *suffix,
		     char **backup) _must_check_;

/*
 * Renames name to its backup name. 0, also if there is no name any more (*ret_backup is
 * NULL then), or -errno. A numbered backup replaces nothing.
 */
int lull_backup_make(int dir, const char *name, enum lull_backup how, const char *suffix,
		     char **ret_backup) _must_check_;
