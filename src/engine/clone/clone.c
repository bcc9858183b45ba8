// SPDX-License-Identifier: MIT
/* Clones one file by itself: see clone.h. */
#include "engine/clone/clone.h"

#include "engine/clone/claim.h"
#include "engine/clone/conduct.h"
#include "engine/clone/freeze.h"
#include "engine/clone/job_init.h"
#include "engine/clone/rotation.h"
#include "sys/clock.h"

#include <errno.h>
#include <string.h>

enum lull_outcome lull_clone(const struct lull_options *options, const char *source,
			     const char *dest, const struct lull_place *place,
			     const struct lull_observer *observer,
			     struct lull_result *ret_result)
{
	struct lull_clones clones;
	struct lull_job job;
	bool room = lull_job_init(&job, options, observer, source, dest, ret_result);
	enum lull_outcome outcome;

	job.place = place;
	if (lull_place_alters(place))
		job.progress->to_walk = place->alter_size;
	lull_clones_init(&clones, options);
	clones.jobs[clones.n++] = &job;
	job.freeze = &clones.freeze;
	lull_identity_run_id(ret_result->run_id);
	outcome = room ? lull_claim_open(&job, dest)
		       : lull_fail_errno(&job, LULL_STAGE_NONE, ENOMEM, source);
	outcome = lull_conduct(&clones, outcome);
	/* The keeper uses what the job holds, and has files open with which the rotation
	   works. */
	lull_freeze_done(&clones.freeze);
	if (outcome == LULL_OK && job.rotation)
		lull_rotation_finish(&job);
	job.progress->elapsed_ns = lull_clock_now() - job.started;
	lull_rotation_done(job.rotation);
	lull_clones_done(&clones);
	lull_job_done(&job);
	return outcome;
}
