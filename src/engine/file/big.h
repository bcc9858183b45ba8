/* SPDX-License-Identifier: MIT */
/* Regular files of lull_copy() that lull_clone() clones, with a lock and a checkpoint. */
#pragma once

#include "engine/file/file_state.h"

/* Returns true if the file is too large for one call, or if an option requires such a
   clone. */
bool lull_big_wants(struct lull_file *file, int src, const struct stat *st);

/* Returns true, after a message, if an option requires such a clone but the file does not
   allow it. For example, to ignore a hook would be worse than to make no clone. */
bool lull_big_cannot(const struct lull_file *file, const struct stat *st);

/* Returns true if no option forbids the way of lone.h. */
bool lull_big_may_be_lone(const struct lull_file *file);

/* Clones or copies the file. old is the present dest, open for writing, or -1. */
enum lull_outcome lull_big_copy(struct lull_file *file, int src, int old);

/*
 * lull_big_copy() in two parts, for a caller who conducts the clone. lull_big_place()
 * fills in the place, and may set in_place in options, which must be the file's own.
 * lull_big_done() takes over the outcome.
 */
struct lull_place;
void lull_big_place(struct lull_file *file, int src, int old,
		    struct lull_options *options, struct lull_place *ret_place);
void lull_big_done(struct lull_file *file, enum lull_outcome outcome);

/*
 * Gives fd owner, mode, attributes and times of dest. Called when its data is complete,
 * before it is synced and renamed. dir is its directory. settled: it has owner and mode
 * already, like a refreshed clone. Returns 0 or -errno.
 */
int lull_big_dress(struct lull_file *file, int fd, int dir, bool settled);
