// SPDX-License-Identifier: MIT
/* Waits for a lock: see lock_wait.h. */
#include "engine/base/lock_wait.h"

#include "sys/clock.h"
#include "sys/source_lock.h"

#include <fcntl.h>

struct lull_lock_wait lull_lock_wait_begin(const struct lull_options *options)
{
	return (struct lull_lock_wait){ .since_ns = lull_clock_now(),
					.lock_wait_ns = options->lock_wait_ns,
					.thaw_ns = options->hook_timeout_ns };
}

/* Returns true if a keeper has the lock of dest. A clone that is being finished has the
   name of DEST already. */
static bool is_dest_left(const struct lull_dest *dest)
{
	const char *const names[] = { dest->temporary, dest->name };
	bool left = false;

	/* A generation has no name until it has the lock. */
	for (size_t i = 0; i < ARRAY_SIZE(names) && names[i] && !left; i++) {
		_cleanup_close_ int fd = openat(dest->dir, names[i],
						O_PATH | O_NOFOLLOW | O_CLOEXEC);

		left = fd >= 0 && lull_source_lock_is_left(fd);
	}
	return left;
}

bool lull_lock_wait_is_over(struct lull_lock_wait *wait, const struct lull_dest *dest,
			    int fd)
{
	uint64_t waited = lull_clock_now() - wait->since_ns;

	if (waited < wait->lock_wait_ns ||
	    (waited < wait->thaw_ns &&
	     ((fd >= 0 && lull_source_lock_is_left(fd)) || (dest && is_dest_left(dest)))))
		return false;
	/* Look once more: a keeper may have ended between the refusal and this check. */
	if (wait->looked)
		return true;
	wait->looked = true;
	return false;
}

enum lull_outcome lull_lock_wait_rest(struct lull_lock_wait *wait, struct lull_job *job,
				      const struct lull_dest *dest, int fd)
{
	if (lull_lock_wait_is_over(wait, dest, fd))
		return LULL_BUSY;
	if (lull_should_stop(job))
		return LULL_INTERRUPTED;
	lull_tell(job);
	lull_clock_sleep(LULL_LOCK_LOOK_NS);
	return LULL_OK;
}
