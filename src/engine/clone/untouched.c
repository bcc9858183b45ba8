// SPDX-License-Identifier: MIT
/* Tells whether others have changed DEST: see untouched.h. */
#include "engine/clone/untouched.h"

#include "sys/clock.h"

#include <sys/stat.h>

static int64_t change_time(const struct stat *st)
{
	return st->st_ctim.tv_sec * (int64_t)NSEC_PER_SEC + st->st_ctim.tv_nsec;
}

/* Before Linux 6.13, all changes within a tick get the same ctime. Since then, a change
   after a stat() gets another. */
int64_t lull_untouched_stamp(int fd)
{
	struct stat st;

	if (fstat(fd, &st) < 0 || !lull_clock_has_passed(change_time(&st)))
		return 0;
	return change_time(&st);
}

void lull_untouched_settle(int fd)
{
	struct stat st;

	if (fstat(fd, &st) == 0)
		lull_clock_pass(change_time(&st));
}

bool lull_untouched_is(const struct lull_job *job)
{
	const struct lull_checkpoint *c = &job->checkpoint;
	struct stat st;

	return c->dest_ctime_ns != 0 && fstat(job->dest.fd, &st) == 0 &&
	       change_time(&st) == c->dest_ctime_ns && (uint64_t)st.st_size >= c->offset;
}

void lull_untouched_judge(struct lull_job *job)
{
	struct lull_checkpoint *c = &job->checkpoint;
	struct stat st;

	if (!c->has_reference || lull_untouched_is(job))
		return;
	/* Only what is left of the file is compared; the rest is cloned. */
	job->claimed = c->offset;
	if (fstat(job->dest.fd, &st) == 0)
		job->claimed = MIN(job->claimed, (uint64_t)st.st_size);
	c->offset = 0;
	c->phase = LULL_PHASE_CLONING;
	/* This makes it like a file after a pass over the whole: it may hold anything
	   anywhere. */
	c->pass = MAX(c->pass, 1u) + 1;
}
