/* SPDX-License-Identifier: MIT */
/*
 * Files that lullcp itself leaves in a directory: state, temporary files, snapshots. They
 * are useless in a copied tree. State is about the file beside it, not about a copy. A
 * temporary file is a part of a clone, and a snapshot is of a whole subvolume.
 */
#pragma once

#include "util/macros.h"

#include <stdbool.h>

/*
 * Returns true if name in directory dir has one of these names and its type:
 *
 *     .NAME.lullcp, .NAME.lullcp~                            a file or a link
 *     .NAME.lullcp-generations, .NAME.lullcp-generations~    the same
 *     .NAME.lullcp-part, .NAME.lullcp-new                    the same
 *     .NAME.lullcp-discard, .NAME.lullcp-restore             the same
 *     .NAME.lullcp-snap                                      a directory
 *
 * NAME is not empty. Calls fstatat(2) only for such a name.
 */
bool lull_leftover_is(int dir, const char *name);
