/* SPDX-License-Identifier: MIT */
/* The name that a new file or link has until it takes that of dest. */
#pragma once

#include "util/macros.h"

#include <stdbool.h>

/* How many names others may take in between. */
#define LULL_TEMPORARY_TRIES 100

/* Such a name; try: 0, 1, ... if it is taken. */
void lull_temporary_name(unsigned int try, char ret_name[static 64]);

/*
 * Renames temporary, in dir, to name; removes it if that fails. Without replaces, name
 * must be free, as lull_rename_free() has it: -EEXIST if it is not. 0 or another -errno.
 */
int lull_temporary_take(int dir, const char *temporary, const char *name,
			bool replaces) _must_check_;

/*
 * Has make() make something under a temporary name, and renames it to name: that is
 * always the old one or the new one. last is the last part of name, which make()'s name
 * has a temporary one in the place of. 0, or -errno of make() or the rename; -EEXIST only
 * if names are taken again and again.
 */
int lull_temporary_replace(int dir, const char *name,
			   int (*make)(int dir, const char *name, const void *ctx),
			   const void *ctx) _must_check_;
