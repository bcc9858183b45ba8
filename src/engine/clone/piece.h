/* SPDX-License-Identifier: MIT */
/* A piece of the source in another file than DEST: to measure by, or to prepare
   something. */
#pragma once

#include "engine/base/job.h"

struct lull_piece {
	uint64_t end;     /* bytes: the clone of [from, end) is done */
	uint64_t extents; /* of the source in it */
	uint64_t ns;      /* spent in the calls */
};

/*
 * Clones [from, to) of job->src into fd, in calls bounded like those of a pass, and stops
 * after max_extents or max_ns, give or take a call. from is a multiple of the block, and
 * so is to unless it is the end of the source; fd must lie on the same file system and
 * agree with the source (lull_inode_inherit()). 0; -ECANCELED if the observer wants to
 * stop; or the -errno of the walk or of a call.
 */
int lull_piece_clone(struct lull_job *job, int fd, uint64_t from, uint64_t to,
		     uint64_t max_extents, uint64_t max_ns,
		     struct lull_piece *ret_piece) _must_check_;
