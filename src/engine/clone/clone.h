/* SPDX-License-Identifier: MIT */
/* One regular file, cloned by itself: locked, checkpointed, of one moment. */
#pragma once

#include "engine/base/place.h"
#include "lullcp.h"

/*
 * Clones source to dest (a file name, not a directory), whose paths are absolute or as
 * the user named them, for people and for the record. place has the files if the caller
 * has opened them: it stays the caller's and outlives the call, and so do its
 * descriptors; else NULL.
 *
 * Publishes dest only as a whole copy of one moment; on any other outcome an older dest
 * is what it was, unless options ask for writing in place.
 *
 * Rests on FICLONERANGE, FS_IOC_FIEMAP (or BTRFS_IOC_TREE_SEARCH_V2, or SEEK_DATA),
 * O_TMPFILE and flock(2). Forks a keeper process when options->hook is set, and starts a
 * thread for the first drain; SIGCHLD must not be ignored, SIGXFSZ and SIGPIPE must be.
 *
 * *ret_result is always filled in; the caller frees it with lull_result_done().
 */
enum lull_outcome lull_clone(const struct lull_options *options, const char *source,
			     const char *dest, const struct lull_place *place,
			     const struct lull_observer *observer,
			     struct lull_result *ret_result);
