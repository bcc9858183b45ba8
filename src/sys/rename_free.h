/* SPDX-License-Identifier: MIT */
/* A rename that replaces nothing. */
#pragma once

#include "util/macros.h"

/*
 * Renames from to the name to, both in directory dir, which must be free. 0; -EEXIST if
 * it is not, and then nothing has happened; or another -errno. renameat2(2), or linkat(2)
 * where that has no RENAME_NOREPLACE; only where there are no hard links either can
 * another file take the name between the look and the rename.
 */
int lull_rename_free(int dir, const char *from, const char *to) _must_check_;
