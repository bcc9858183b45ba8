/* SPDX-License-Identifier: MIT */
/* Clones one regular file by itself, with a lock, a checkpoint, and contents of one point
   in time. */
#pragma once

#include "engine/base/place.h"
#include "lullcp.h"

/*
 * Clones source to dest, which is the name of a file, not of a directory. Both paths are
 * absolute, or as the user gave them; messages and the record show them. place has the
 * files if the caller has opened them, else it is NULL. place and its descriptors belong
 * to the caller, and must outlive the call.
 *
 * Publishes dest only as a whole copy of one point in time. On any other outcome an older
 * dest stays as it was, unless options request writing in place.
 *
 * Relies on FICLONERANGE, FS_IOC_FIEMAP (or BTRFS_IOC_TREE_SEARCH_V2, or SEEK_DATA),
 * O_TMPFILE and flock(2). Forks a keeper process if options->hook is set, and starts a
 * thread for the first drain. The caller must not ignore SIGCHLD, and must ignore SIGXFSZ
 * and SIGPIPE.
 *
 * *ret_result is always filled in; the caller frees it with lull_result_done().
 */
enum lull_outcome lull_clone(const struct lull_options *options, const char *source,
			     const char *dest, const struct lull_place *place,
			     const struct lull_observer *observer,
			     struct lull_result *ret_result);
