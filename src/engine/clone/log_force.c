// SPDX-License-Identifier: MIT
/* See log_force.h. */
#include "engine/clone/log_force.h"

#include "sys/clock.h"
#include "sys/process.h"

#include <errno.h>
#include <linux/magic.h>
#include <unistd.h>

#define EVERY_NS (200 * NSEC_PER_MSEC)
/* Spend at most this part of the time on forcing the log, even if the disk is slow. */
#define SHARE 10
/* Without rests, others are assumed to use the file if more than one call in this many
   had to wait. Alone, one call in 100 waits; with others each waits several times. */
#define CALLS_A_WAIT 8

void lull_log_force_init(struct lull_log_force *force, const struct lull_job *job)
{
	*force = (struct lull_log_force){
		.wanted = job->dest.fs.magic == XFS_SUPER_MAGIC,
		.rests = job->options->duty_cycle < 100,
		.last = lull_clock_now(),
		.every = EVERY_NS,
		.waits = lull_process_waits(),
		.calls = job->progress->calls,
	};
}

void lull_log_force_done(struct lull_log_force *force)
{
	force->last = lull_clock_now();
	force->waits = lull_process_waits();
}

/* Returns true if others use the file: then calls have to wait for their locks. */
static bool is_contended(struct lull_log_force *force, const struct lull_job *job)
{
	uint64_t waits = lull_process_waits(), calls = job->progress->calls;
	bool contended = (waits - force->waits) * CALLS_A_WAIT > calls - force->calls;

	force->waits = waits;
	force->calls = calls;
	return contended;
}

int lull_log_force_if_due(struct lull_log_force *force, const struct lull_job *job,
			  struct lull_pace *pace)
{
	uint64_t before = lull_clock_now(), took;
	int r;

	if (!force->wanted || before - force->last < force->every)
		return 0;
	if (!force->rests && !is_contended(force, job)) {
		force->last = before;
		return 0;
	}
	lull_tell_call(job, LULL_CALL_FLUSH);
	r = fdatasync(job->dest.fd) < 0 ? -errno : 0;
	lull_tell_call(job, LULL_CALL_NONE);
	lull_log_force_done(force);
	took = force->last - before;
	force->every = MAX(EVERY_NS, SHARE * took);
	lull_pace_rested(pace, took);
	return r;
}
