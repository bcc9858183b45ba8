/* SPDX-License-Identifier: MIT */
/*
 * What lullcp itself leaves in a directory: state, temporary files, snapshots. In a tree
 * that is copied they are no use: state speaks of the file beside which it lies and of no
 * copy of it, and a temporary file is a part of a clone, or the snapshot of a whole
 * subvolume.
 */
#pragma once

#include "util/macros.h"

#include <stdbool.h>

/*
 * True if name in directory dir is one of
 *
 *     .NAME.lullcp, .NAME.lullcp~                            a file or a link
 *     .NAME.lullcp-generations, .NAME.lullcp-generations~    the same
 *     .NAME.lullcp-part, .NAME.lullcp-new                    the same
 *     .NAME.lullcp-snap                                      a directory
 *
 * by the name and the type (fstatat(2) only for such a name); NAME is not empty.
 */
bool lull_leftover_is(int dir, const char *name);
