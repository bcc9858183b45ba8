// SPDX-License-Identifier: MIT
/* Shares out descriptors: see shares.h. */
#include "engine/file/shares.h"

#include "sys/limits.h"

/* The most descriptors of a file that is copied; of a waiting task (its directories and
   its file) with the step after it (a directory on both sides); of a level of the walk;
   and of the rest. */
#define DESCRIPTORS_A_JOB   16u
#define DESCRIPTORS_A_TASK  5u
#define DESCRIPTORS_A_LEVEL 2u
#define OTHER_DESCRIPTORS   18u
/* If the limit is lower, there are no threads. */
#define LEAST_FOR_JOBS 100u
#define MOST_LEVELS    100u
/* More tasks mean fewer syncs, each of which costs as much as some hundred files. */
#define MOST_TASKS 2048u

unsigned int lull_shares_of_descriptors(struct lull_copy_run *tree, unsigned int wanted,
					unsigned int *ret_tasks)
{
	unsigned int jobs, room;
	unsigned int limit = lull_limits_raise(
		LULL_MOST_JOBS * DESCRIPTORS_A_JOB + MOST_TASKS * DESCRIPTORS_A_TASK +
		MOST_LEVELS * DESCRIPTORS_A_LEVEL + OTHER_DESCRIPTORS);

	room = limit > OTHER_DESCRIPTORS ? limit - OTHER_DESCRIPTORS : 0;
	tree->single_syncs = MIN(room / 8, LULL_DURABLE_FILES);
	room -= tree->single_syncs;
	tree->open_levels = MIN(MAX(room / 2 / DESCRIPTORS_A_LEVEL, 1u), MOST_LEVELS);
	room -= MIN(tree->open_levels * DESCRIPTORS_A_LEVEL, room);
	jobs = limit < LEAST_FOR_JOBS
		       ? 1
		       : MIN(MIN(wanted, LULL_MOST_JOBS), room / 2 / DESCRIPTORS_A_JOB);
	jobs = MAX(jobs, 1u);
	room -= MIN(jobs > 1 ? jobs * DESCRIPTORS_A_JOB : 0, room);
	*ret_tasks = MIN(MAX(room / DESCRIPTORS_A_TASK, 1u), MOST_TASKS);
	return jobs;
}
