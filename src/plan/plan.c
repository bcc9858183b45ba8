// SPDX-License-Identifier: MIT
/*
 * A merge walk over two extent maps.
 *
 * INVARIANTS
 *  1. Bytes that are not proven equal count as different. Only written extents with the
 *     same place on disk, or holes on both sides, prove anything.
 *  2. pos grows with each step, whatever a cursor returns.
 *  3. A range never has bytes of two extents of the source, so its weight is that of one
 *     extent.
 */
#include "plan/plan.h"

#include "util/macros.h"

#include <assert.h>
#include <errno.h>

void lull_plan_init(struct lull_plan *plan, enum lull_plan_mode mode, uint64_t start,
		    uint64_t end, uint64_t block, const struct lull_cursor *source,
		    const struct lull_cursor *dest)
{
	assert(block > 0 && (block & (block - 1)) == 0);
	assert(start % block == 0);
	assert(mode != LULL_PLAN_COMPARE || dest);

	*plan = (struct lull_plan){
		.mode = mode,
		.pos = start,
		.end = end,
		.block = block,
		.source = *source,
		.passed_data = true,
	};
	if (mode == LULL_PLAN_COMPARE)
		plan->dest = *dest;
	else
		plan->d_done = true;
}

static uint64_t round_up(const struct lull_plan *plan, uint64_t off)
{
	uint64_t mask = plan->block - 1;

	/* Past end, the exact value does not matter, and nor does an overflow. */
	return off >= plan->end ? plan->end : MIN((off + mask) & ~mask, plan->end);
}

static uint64_t extent_end(const struct lull_extent *extent)
{
	uint64_t end;

	return __builtin_add_overflow(extent->off, extent->len, &end) ? UINT64_MAX : end;
}

/*
 * Advances one side until its extent ends after pos. Returns 0 or -errno. Ignores what a
 * cursor returns for bytes before pos, so that a map that changes in the meantime cannot
 * take the walk back.
 */
static int pull(struct lull_cursor *cursor, uint64_t pos, struct lull_extent *extent,
		bool *done, uint64_t *count)
{
	while (!*done && (extent->len == 0 || extent_end(extent) <= pos)) {
		int r = cursor->next(cursor->ctx, extent);

		if (r < 0)
			return r;
		if (r == 0)
			*done = true;
		else if (count)
			*count += extent->flags & LULL_EXTENT_SAMPLED ? extent->weight
								      : 1;
	}
	return 0;
}

static bool has_data(const struct lull_extent *extent)
{
	return !(extent->flags & LULL_EXTENT_UNWRITTEN) ||
	       extent->flags & LULL_EXTENT_OPAQUE;
}

/* Returns true if two extents have the same place on disk. Compressed bytes are the same
   if they have the same offset in the same stored extent. phys alone is not enough: two
   extents may have the same phys although one ends early. */
static bool same_place(const struct lull_extent *s, const struct lull_extent *d)
{
	if (s->flags & ~LULL_EXTENT_ENCODED || s->flags != d->flags || s->phys == 0 ||
	    d->phys == 0)
		return false;
	return s->stored == d->stored && s->phys - s->off == d->phys - d->off;
}

static uint64_t holes_in(const struct lull_extent *extent, uint64_t len)
{
	double share = (double)len / (double)extent->len;

	return len >= extent->len ? MIN(extent->holes, len)
				  : (uint64_t)(share * (double)extent->holes);
}

/* Returns the part of an extent's weight for len bytes of it. */
static uint32_t part_of(const struct lull_extent *extent, uint64_t len)
{
	if (len >= extent->len || extent->weight <= 1)
		return MAX(extent->weight, 1u);

	double share = (double)len / (double)extent->len;
	uint32_t weight = (uint32_t)(share * extent->weight + 0.999);

	return MAX(weight, 1u);
}

/* What is at pos on both sides. */
struct here {
	bool in_s, in_d;
	uint64_t to; /* up to where that is so, in whole blocks */
};

/* Finds what is at pos. Returns 0, or -EUCLEAN for maps with which the walk would not
   advance. */
static int look(const struct lull_plan *plan, struct here *ret_here)
{
	bool s_ahead = !plan->s_done && plan->s.off > plan->pos;
	bool in_s = !plan->s_done && !s_ahead;
	bool in_d = !plan->d_done && plan->d.off <= plan->pos;
	uint64_t next = plan->end;

	if (!plan->s_done)
		next = MIN(next, in_s ? extent_end(&plan->s) : plan->s.off);
	if (!plan->d_done)
		next = MIN(next, in_d ? extent_end(&plan->d) : plan->d.off);

	/* If an extent starts within a block, the whole block belongs to it. */
	uint64_t to = round_up(plan, next);

	if (s_ahead && next < to && plan->s.off < to) {
		to = next & ~(plan->block - 1);
		if (to <= plan->pos) {
			in_s = true;
			to = round_up(plan, next + 1);
		}
	}
	if (to <= plan->pos)
		return -EUCLEAN;
	*ret_here = (struct here){ .in_s = in_s, .in_d = in_d, .to = to };
	return 0;
}

/* Advances to here->to. Returns true if there is something to do: *ret_range. */
static bool step(struct lull_plan *plan, const struct here *here,
		 struct lull_range *ret_range)
{
	bool s_data = here->in_s && has_data(&plan->s);
	bool d_data = here->in_d && has_data(&plan->d);
	uint64_t pos = plan->pos, len = here->to - pos;

	plan->pos = here->to;
	if (s_data && here->in_d && same_place(&plan->s, &plan->d)) {
		plan->passed_data = true;
		return false;
	}
	if (!s_data && !d_data && plan->mode != LULL_PLAN_UNKNOWN)
		return false;
	*ret_range = (struct lull_range){
		.off = pos,
		.len = len,
		.kind = LULL_RANGE_PUNCH,
		.after_hole = !plan->passed_data,
	};
	if (s_data) {
		ret_range->kind = LULL_RANGE_CLONE;
		ret_range->weight = part_of(&plan->s, len);
		ret_range->sampled = plan->s.flags & LULL_EXTENT_SAMPLED;
		ret_range->holes = holes_in(&plan->s, len);
	}
	plan->passed_data = false;
	return true;
}

int lull_plan_next(struct lull_plan *plan, struct lull_range *ret_range)
{
	while (plan->pos < plan->end) {
		struct here here;
		int r = pull(&plan->source, plan->pos, &plan->s, &plan->s_done,
			     &plan->extents);

		if (r == 0)
			r = pull(&plan->dest, plan->pos, &plan->d, &plan->d_done, NULL);
		if (r == 0)
			r = look(plan, &here);
		if (r < 0)
			return r;
		if (step(plan, &here, ret_range))
			return 1;
	}
	return 0;
}
