/* SPDX-License-Identifier: MIT */
/* The files of a set: see set.h. */
#pragma once

#include "engine/base/place.h"
#include "engine/clone/clones.h"
#include "engine/file/file_state.h"

/* One file of the set. */
struct lull_member {
	struct lull_file file;
	struct lull_options options; /* the run's, with the checkpoint of the set */
	struct lull_place place;
	int src, old; /* the descriptors in place */
	struct lull_job job;
	bool begun; /* the job is initialized */
};

struct lull_set {
	struct lull_copy_run *tree;
	struct lull_member *member[LULL_CHECKPOINT_MOST];
	unsigned int n;
	struct lull_observer observer;
	struct lull_clones clones; /* the members' jobs, in the same order */
};
