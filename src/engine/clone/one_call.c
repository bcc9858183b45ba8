// SPDX-License-Identifier: MIT
/* Estimates one call over a whole file: see one_call.h. */
#include "engine/clone/one_call.h"

#include "sys/extmap.h"

#include <linux/magic.h>

/* As LULL_ONE_CALL_DEAREST_NS, for Btrfs. */
#define DEAREST_BTRFS_NS (10 * NSEC_PER_USEC)

uint64_t lull_one_call_weight(uint64_t budget_ns, uint64_t fs_magic)
{
	return budget_ns / (fs_magic == BTRFS_SUPER_MAGIC ? DEAREST_BTRFS_NS
							  : LULL_ONE_CALL_DEAREST_NS);
}

int lull_one_call_count(int src, uint64_t size, uint64_t block, uint64_t most,
			struct lull_one_call *ret_count)
{
	struct lull_one_call count = { 0 };
	struct lull_extmap *map;
	struct lull_cursor cursor;
	struct lull_extent extent;
	int r = lull_extmap_open(src, LULL_EXTMAP_AUTO, 0, size, &map);

	if (r < 0)
		return r;
	cursor = lull_extmap_cursor(map);
	while (count.weight <= most && (r = cursor.next(cursor.ctx, &extent)) > 0) {
		count.weight += lull_extmap_kind(map) == LULL_EXTMAP_SEEK
					? extent.len / block + 1
					: extent.weight;
		count.bytes += extent.len;
		count.extents++;
	}
	lull_extmap_close(map);
	count.fits = r == 0 && count.weight <= most;
	*ret_count = count;
	return 0;
}
