/* SPDX-License-Identifier: MIT */
/* The files of a set, which is cloned together: see set.h. */
#pragma once

#include "engine/base/place.h"
#include "engine/clone/set_record.h"
#include "engine/file/file_state.h"

/* One file of the set. */
struct lull_member {
	struct lull_file file;
	struct lull_options options; /* the run's, with the checkpoint of the set */
	struct lull_place place;
	int src, old;                /* open on what place has */
	struct lull_job job;
	bool begun;                  /* the job is */
	bool published;              /* by an earlier run: it has its name */
};

struct lull_set {
	struct lull_copy_run *tree;
	struct lull_member *member[LULL_CHECKPOINT_MOST];
	struct lull_job *jobs[LULL_CHECKPOINT_MOST]; /* theirs, in the order of the command */
	unsigned int n;
	struct lull_observer observer;
	struct lull_freeze freeze;
	struct lull_set_record shared;
	struct lull_checkpoint run;  /* of a checkpoint that was found: what it says of the run */
	bool owned;                  /* the checkpoint and the temporary files are this run's */
	bool whole;                  /* found whole: only names are missing */
	struct lull_job *culprit;    /* whose failure is told; NULL: it has been told */
};

/* Notes whose failure will be told, the first time only. Returns outcome. */
enum lull_outcome lull_set_blame(struct lull_set *set, struct lull_job *job,
				 enum lull_outcome outcome);
