/* SPDX-License-Identifier: MIT */
/* Renames without replacing anything. */
#pragma once

#include "util/macros.h"

/*
 * Renames from to the name to, both in directory dir. Returns 0; -EEXIST if the name is
 * taken, and then nothing has happened; or another -errno. Uses renameat2(2), or
 * linkat(2) if there is no RENAME_NOREPLACE. Only if there are no hard links either can
 * another file take the name between the check and the rename.
 */
int lull_rename_free(int dir, const char *from, const char *to) _must_check_;
