// SPDX-License-Identifier: MIT
/* How long to wait for a lock: see patience.h. */
#include "engine/clone/patience.h"

#include "sys/clock.h"
#include "sys/source_lock.h"

#include <fcntl.h>

struct lull_patience lull_patience_begin(const struct lull_options *options)
{
	return (struct lull_patience){ .since_ns = lull_clock_now(),
				       .lock_wait_ns = options->lock_wait_ns,
				       .thaw_ns = options->hook_timeout_ns };
}

/* What is being finished has the name of DEST already. */
static bool is_dest_left(const struct lull_dest *dest)
{
	const char *const names[] = { dest->temporary, dest->name };
	bool left = false;

	for (size_t i = 0; i < ARRAY_SIZE(names) && !left; i++) {
		_cleanup_close_ int fd = openat(dest->dir, names[i],
						O_PATH | O_NOFOLLOW | O_CLOEXEC);

		left = fd >= 0 && lull_source_lock_is_left(fd);
	}
	return left;
}

bool lull_patience_is_over(struct lull_patience *patience, const struct lull_dest *dest,
			   int fd)
{
	uint64_t waited = lull_clock_now() - patience->since_ns;

	if (waited < patience->lock_wait_ns ||
	    (waited < patience->thaw_ns &&
	     ((fd >= 0 && lull_source_lock_is_left(fd)) || (dest && is_dest_left(dest)))))
		return false;
	/* A keeper may have ended between the refusal and the look. */
	if (patience->looked)
		return true;
	patience->looked = true;
	return false;
}
