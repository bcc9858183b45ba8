// SPDX-License-Identifier: MIT
/*
 * DESIGN
 *
 * A map can only be walked forwards, so the number of extents before the end of a file is
 * not known. So a step is measured in blocks, as if each were an extent, and the
 * controller of the clone calls learns what a block costs: it begins with one and
 * doubles. A hole costs nothing, and is skipped in strides that double.
 *
 * INVARIANT: each step truncates the file further; what is left is always a prefix of
 * what was there.
 */
#include "engine/clone/shrink.h"

#include "engine/base/rest.h"
#include "engine/clone/freeze.h"
#include "plan/pace.h"
#include "sys/clock.h"
#include "sys/inode.h"

#include <errno.h>
#include <sys/stat.h>

static enum lull_outcome failed(struct lull_job *job)
{
	return lull_fail_errno(job, LULL_STAGE_RESIZE, errno, job->dest.path);
}

/* Returns the start of the block that is stride bytes before end, but no less than
   size. */
static uint64_t before(uint64_t end, uint64_t stride, uint64_t size, uint64_t block)
{
	if (end - size <= stride)
		return size;
	return MAX((end - stride) / block * block, size);
}

/* Returns the end of the last data in [size, end), rounded up by at most a stride. */
static uint64_t skip_hole(int fd, uint64_t end, uint64_t stride, uint64_t size,
			  uint64_t block)
{
	while (end > size) {
		uint64_t to = before(end, stride, size, block);

		if (lull_inode_has_data(fd, to))
			break;
		end = to;
		stride *= 2;
	}
	return end;
}

enum lull_outcome lull_shrink(struct lull_job *job, int fd, uint64_t size)
{
	uint64_t block = job->dest.fs.block, end;
	enum lull_outcome outcome = LULL_OK;
	struct lull_pace pace;
	struct stat st;

	if (fstat(fd, &st) < 0)
		return failed(job);
	lull_pace_init(&pace, job->options->latency_budget_ns, job->options->duty_cycle);
	end = (uint64_t)st.st_size;
	while (end > size) {
		uint32_t weight = lull_pace_advise(&pace);
		uint64_t stride = weight * block, to, since;

		end = skip_hole(fd, end, stride, size, block);
		to = before(end, stride, size, block);
		since = lull_clock_now();
		if (ftruncate(fd, (off_t)to) < 0)
			return failed(job);
		lull_pace_observe(&pace, weight, lull_clock_now() - since);
		end = to;
		job->progress->discarding = end - size;

		outcome = lull_freeze_check(job);
		if (outcome == LULL_OK && lull_should_stop(job))
			outcome = LULL_INTERRUPTED;
		if (outcome != LULL_OK)
			break;
		lull_tell(job);
		lull_rest(&pace);
	}
	job->progress->discarding = 0;
	return end > size ? outcome : LULL_OK;
}

enum lull_outcome lull_shrink_or_grow(struct lull_job *job, uint64_t size)
{
	enum lull_outcome outcome = lull_shrink(job, job->dest.fd, size);

	if (outcome != LULL_OK)
		return outcome;
	if (ftruncate(job->dest.fd, (off_t)size) < 0)
		return lull_fail(job, LULL_STAGE_RESIZE,
				 errno == EFBIG ? LULL_CAUSE_FILE_SIZE_LIMIT
						: LULL_CAUSE_ERRNO,
				 errno, job->dest.path);
	return LULL_OK;
}
