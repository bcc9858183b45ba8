/* SPDX-License-Identifier: MIT */
/* The name of a new file or link until it takes that of dest. */
#pragma once

#include "util/macros.h"

#include <stdbool.h>

/* How many such names others may take in the meantime. */
#define LULL_TEMPORARY_TRIES 100

/* Makes such a name. try is 0, then 1, ... if it is taken. */
void lull_temporary_name(unsigned int try, char ret_name[static 64]);

/*
 * Renames temporary, in dir, to name, or removes it if that fails. Without replaces, name
 * must be free, as for lull_rename_free(). Returns 0, -EEXIST if it is not, or another
 * -errno.
 */
int lull_temporary_take(int dir, const char *temporary, const char *name,
			bool replaces) _must_check_;

/*
 * Calls make() to make something with a temporary name in the directory of name, and
 * renames it to name. So name is always the old one or the new one. Returns 0, or -errno
 * of make() or of the rename; -EEXIST only if temporary names keep being taken.
 */
int lull_temporary_replace(int dir, const char *name,
			   int (*make)(int dir, const char *name, const void *ctx),
			   const void *ctx) _must_check_;
