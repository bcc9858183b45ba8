// SPDX-License-Identifier: MIT
#include "engine/tree/caution.h"

#include "engine/base/events.h"
#include "plan/fixes.h"
#include "sys/kernel.h"

#include <linux/magic.h>
#include <sys/vfs.h>

void lull_caution(const struct lull_options *options, const char *const *sources,
		  unsigned int n_sources, const struct lull_observer *observer)
{
	const struct lull_cp *cp = &options->cp;
	struct statfs fs;

	if (cp->reflink == LULL_REFLINK_NEVER || cp->hard_link || cp->symbolic_link ||
	    cp->attributes_only ||
	    lull_fixes_writer_race(lull_kernel_release()) != LULL_FIX_MISSING)
		return;
	for (unsigned int i = 0; i < n_sources; i++) {
		if (statfs(sources[i], &fs) < 0 || fs.f_type != XFS_SUPER_MAGIC)
			continue;
		lull_events_warn(observer, LULL_WARNING_WRITER_RACE, 0, sources[i]);
		return;
	}
}
