/* SPDX-License-Identifier: MIT */
/* Regular files of lull_copy() that lull_clone() clones, with everything that it
   offers. */
#pragma once

#include "engine/file/file_state.h"

/* True if the file is too large for one call, or if an option asks for more than that. */
bool lull_big_wants(struct lull_file *file, int src, const struct stat *st);

/* True, after a message, if an option needs such a clone and this file cannot be one: for
   example, a hook that is not called would be worse than no clone. */
bool lull_big_cannot(const struct lull_file *file, const struct stat *st);

/* True if no option stands against doing it as lone.h says. */
bool lull_big_may_be_lone(const struct lull_file *file);

/* Clones or copies it; old is open for writing on what dest is now, or -1. */
enum lull_outcome lull_big_copy(struct lull_file *file, int src, int old);

/*
 * The same in two halves, for whoever conducts the clone himself: where it comes from and
 * goes to (options are its own, and may become in_place), and what there is to say of it
 * then.
 */
struct lull_place;
void lull_big_place(struct lull_file *file, int src, int old,
		    struct lull_options *options, struct lull_place *ret_place);
void lull_big_done(struct lull_file *file, enum lull_outcome outcome);

/*
 * Makes fd what dest must be: owner, mode, attributes, times. Called when its data is
 * whole, before it is synced and gets its name; dir is the directory that it lies in;
 * settled: it has owner and mode already, as a refreshed clone has. 0 or -errno.
 */
int lull_big_dress(struct lull_file *file, int fd, int dir, bool settled);
