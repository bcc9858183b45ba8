// SPDX-License-Identifier: MIT
/* What differs between two files, by their maps: see difference.h. */
#include "engine/clone/difference.h"

#include "sys/extmap.h"
#include "sys/inode.h"

/* What a mapping of either file costs, measured on a loop file: an exchange of 40,000
   single blocks took 1.1 s, 3.8 s with a reverse mapping tree. */
#define EXCHANGE_NS         (15 * NSEC_PER_USEC)
#define EXCHANGE_REVERSE_NS (45 * NSEC_PER_USEC)

int lull_difference_open(struct lull_pair *p, int a, int b, uint64_t size, uint64_t block)
{
	int r = lull_extmap_open(a, LULL_EXTMAP_FIEMAP, 0, size, &p->a);

	if (r == 0)
		r = lull_extmap_open(b, LULL_EXTMAP_FIEMAP, 0, size, &p->b);
	if (r < 0)
		return r;
	p->s = lull_extmap_cursor(p->a);
	p->d = lull_extmap_cursor(p->b);
	lull_plan_init(&p->plan, LULL_PLAN_COMPARE, 0, size, block, &p->s, &p->d);
	return 0;
}

void lull_difference_close(struct lull_pair *p)
{
	lull_extmap_close(p->a);
	lull_extmap_close(p->b);
}

/* Those of either file that the exchange has to do with. */
static int count(int a, int b, uint64_t size, uint64_t block, uint64_t *ret_mappings)
{
	uint64_t mappings = 0;
	struct lull_pair pair = { 0 };
	struct lull_range range;
	int r = lull_difference_open(&pair, a, b, size, block);

	while (r == 0 && (r = lull_plan_next(&pair.plan, &range)) > 0) {
		mappings += range.weight + 1;
		r = 0;
	}
	lull_difference_close(&pair);
	if (r == 0)
		*ret_mappings = mappings;
	return r;
}

uint64_t lull_difference_exchange_ns(const struct lull_job *job)
{
	const struct lull_dest *dest = &job->dest;
	uint64_t mappings = lull_inode_extents(dest->fd);
	struct lull_xfs xfs = { 0 };
	struct stat st;

	if (!dest->partial && fstat(dest->fd, &st) == 0)
		(void)!count(dest->fd, dest->target, (uint64_t)st.st_size, dest->fs.block,
			     &mappings);
	(void)!lull_identity_xfs(dest->target, &xfs);
	return mappings * (xfs.reverse_map ? EXCHANGE_REVERSE_NS : EXCHANGE_NS);
}
