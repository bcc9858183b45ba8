// SPDX-License-Identifier: MIT
/* The files of a set: see set_members.h. */
#include "engine/set/set_members.h"

enum lull_outcome lull_set_blame(struct lull_set *set, struct lull_job *job,
				 enum lull_outcome outcome)
{
	if (outcome != LULL_OK && !set->culprit)
		set->culprit = job;
	return outcome;
}
