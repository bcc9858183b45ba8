/* SPDX-License-Identifier: MIT */
/* Clones a part of the source into another file than DEST, to measure or to prepare
   something. */
#pragma once

#include "engine/base/job.h"

struct lull_piece {
	uint64_t end;     /* [from, end) is cloned */
	uint64_t extents; /* of the source in that range */
	uint64_t ns;      /* spent in the calls */
};

/*
 * Clones [from, to) of job->src into fd, in calls bounded like those of a pass. Stops
 * after about max_extents or max_ns, which may be exceeded by one call. from must be a
 * multiple of the block size, and so must to unless it is the end of the source. fd must
 * be on the same file system and have the same attributes as the source
 * (lull_inode_inherit()). Returns 0, -ECANCELED if the observer requests a stop, or the
 * -errno of the walk or of a call.
 */
int lull_piece_clone(struct lull_job *job, int fd, uint64_t from, uint64_t to,
		     uint64_t max_extents, uint64_t max_ns,
		     struct lull_piece *ret_piece) _must_check_;
