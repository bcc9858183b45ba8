// SPDX-License-Identifier: MIT
/*
 * DESIGN
 *
 * There are three parts, in this order:
 *
 *   COMMON  up to the end of the shorter file, or the block before that if the sizes
 *           differ: the plan of a clone shows what the two maps do not prove equal
 *   SEAM    the rest of the block in which the shorter file ends, which is never proven:
 *           what a block holds past the end of a file is undefined
 *   BEYOND  what only the newer file has: its data. Its holes are those of the older
 *           file after it is extended
 *
 * If the places on disk prove nothing (two file systems, or one that is not trusted),
 * both maps are read by SEEK_DATA, which every file system implements soundly. Then only
 * holes on both sides are proven equal.
 *
 * INVARIANT: bytes that are neither proven nor read are never left out.
 */
#include "engine/inspect/changes.h"

#include "sys/bytes.h"
#include "sys/extmap.h"

#include <errno.h>
#include <string.h>

#define PIECE (1u << 20)
/* How many extents to walk before checking again whether to stop: some milliseconds. */
#define LOOK_EVERY 4096
/* Used if the file system does not report its block size. */
#define ANY_BLOCK 4096

enum part { COMMON, SEAM, BEYOND, END };

static uint64_t floor_block(const struct lull_changes *c, uint64_t off)
{
	return off & ~(c->block - 1);
}

static uint64_t common_end(const struct lull_changes *c)
{
	return c->old_size == c->new_size ? c->new_size
					  : floor_block(c, MIN(c->old_size, c->new_size));
}

static uint64_t seam_end(const struct lull_changes *c)
{
	return MIN(common_end(c) + c->block, c->new_size);
}

static enum lull_outcome walk_failed(struct lull_changes *c, int r)
{
	if (r == -ECANCELED)
		return LULL_INTERRUPTED;
	return lull_fail_errno(c->pair->job, LULL_STAGE_WALK, r, c->pair->path[c->newer]);
}

/*
 * Returns the next extent, extended to whole blocks. SEEK_DATA may use another unit, and
 * the plan takes the rest of a block for a hole. Holes that count as data are read in
 * vain, but nothing is lost.
 */
static int next_whole(struct lull_changes *c, int which, struct lull_extent *ret_extent)
{
	for (;;) {
		struct lull_extent e;
		int r = c->cursor[which].next(c->cursor[which].ctx, &e);
		uint64_t from, to;

		if (r <= 0 || c->pair->by_maps) {
			if (r > 0)
				*ret_extent = e;
			return r;
		}
		from = MAX(floor_block(c, e.off), c->walked[which]);
		to = floor_block(c, e.off + e.len + c->block - 1);
		if (from >= to)
			continue;
		e.off = from;
		e.len = to - from;
		c->walked[which] = to;
		*ret_extent = e;
		return 1;
	}
}

/* Returns the next extent of the newer file. Millions of equal extents may come without a
   range, so this shows progress and checks for a stop. */
static int next_extent(void *ctx, struct lull_extent *ret_extent)
{
	struct lull_changes *c = ctx;

	if (++c->counted % LOOK_EVERY == 0) {
		/* The held range may be long, and has not been handled yet. */
		c->pair->job->progress->offset = c->most > 0 && c->held.len > 0
							 ? c->held.off
							 : c->plan.pos;
		lull_tell(c->pair->job);
		if (lull_should_stop(c->pair->job))
			return -ECANCELED;
	}
	return next_whole(c, 1, ret_extent);
}

static int next_old_extent(void *ctx, struct lull_extent *ret_extent)
{
	return next_whole(ctx, 0, ret_extent);
}

/* Begins a walk over [start, end) of the newer file, and with compare of the older one
   too. */
static int begin_plan(struct lull_changes *c, uint64_t start, uint64_t end, bool compare)
{
	enum lull_extmap_kind kind = c->pair->by_maps ? LULL_EXTMAP_AUTO
						      : LULL_EXTMAP_SEEK;
	struct lull_cursor newer = { .next = next_extent, .ctx = c };
	struct lull_cursor older = { .next = next_old_extent, .ctx = c };
	int r;

	lull_extmap_close(c->map[0]);
	lull_extmap_close(c->map[1]);
	c->map[0] = c->map[1] = NULL;
	c->walked[0] = c->walked[1] = start;
	r = lull_extmap_open(c->pair->fd[c->newer], kind, start, end, &c->map[1]);
	if (r < 0)
		return r;
	c->cursor[1] = lull_extmap_cursor(c->map[1]);
	if (compare) {
		/* Read both maps in the same way: another way may give another place for
		   the same block. */
		r = lull_extmap_open(c->pair->fd[0], lull_extmap_kind(c->map[1]), start,
				     end, &c->map[0]);
		if (r < 0)
			return r;
		c->cursor[0] = lull_extmap_cursor(c->map[0]);
	}
	lull_plan_init(&c->plan, compare ? LULL_PLAN_COMPARE : LULL_PLAN_FRESH, start,
		       end, c->block, &newer, compare ? &older : NULL);
	return 0;
}

/* Continues with the next part that is not empty. */
static int begin_part(struct lull_changes *c)
{
	uint64_t common = common_end(c), seam = seam_end(c);

	c->extents += c->plan.extents;
	c->plan = (struct lull_plan){ 0 };
	c->part++;
	if (c->part == SEAM) {
		bool cut = MIN(c->old_size, c->new_size) > common;

		if (c->old_size != c->new_size && cut)
			return 0;
		c->part++;
		seam = common;
	}
	if (c->part == BEYOND && seam < c->new_size)
		return begin_plan(c, seam, c->new_size, false);
	c->part = END;
	return 0;
}

/* Returns the next range that the maps do not prove equal: 1 with a range, 0 at the end,
   or -errno. */
static int next_open(struct lull_changes *c, struct lull_change *ret_change)
{
	struct lull_range range;
	int r;

	while (c->part != END) {
		if (c->part == SEAM) {
			*ret_change = (struct lull_change){
				.off = common_end(c), .len = seam_end(c) - common_end(c)
			};
			r = begin_part(c);
			return r < 0 ? r : 1;
		}
		r = lull_plan_next(&c->plan, &range);
		if (r < 0)
			return r;
		if (r > 0) {
			*ret_change = (struct lull_change){
				.off = range.off,
				.len = MIN(range.len, c->plan.end - range.off),
				.zero = range.kind == LULL_RANGE_PUNCH,
			};
			return 1;
		}
		r = begin_part(c);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Reads the older file. Past its end it counts as zeroes. */
static int read_old(struct lull_changes *c, uint64_t off, uint64_t len)
{
	uint64_t there = off < c->old_size ? MIN(len, c->old_size - off) : 0;

	memset(c->buffer[0] + there, 0, len - there);
	return lull_bytes_read_all(c->pair->fd[0], off, c->buffer[0], there);
}

/* Reads the next window that is not proven equal. Returns LULL_OK with window_len 0 at
   the end. */
static enum lull_outcome read_window(struct lull_changes *c)
{
	struct lull_job *job = c->pair->job;
	int r = c->open.len > 0 ? 1 : next_open(c, &c->open);
	unsigned int which = 0;

	c->window_len = c->looked = 0;
	if (r < 0)
		return walk_failed(c, r);
	if (r == 0)
		return LULL_OK;
	if (lull_should_stop(job))
		return LULL_INTERRUPTED;
	c->window = c->open.off;
	c->window_len = MIN(c->open.len, PIECE);
	r = read_old(c, c->window, c->window_len);
	if (r == 0) {
		which = (unsigned int)c->newer;
		r = lull_bytes_read_all(c->pair->fd[c->newer], c->window, c->buffer[1],
					c->window_len);
	}
	if (r == -ESTALE)
		return lull_pair_written(c->pair, which);
	if (r < 0)
		return lull_fail_errno(job, LULL_STAGE_READ, r, c->pair->path[which]);
	c->open.off += c->window_len;
	c->open.len -= c->window_len;
	c->read_bytes += c->window_len;
	job->progress->offset = c->open.off;
	lull_tell(job);
	return LULL_OK;
}

/* Returns the next block of the window that differs, or an empty range. */
static struct lull_change look_at_window(struct lull_changes *c)
{
	while (c->looked < c->window_len) {
		const char *older = c->buffer[0] + c->looked;
		const char *newer = c->buffer[1] + c->looked;
		uint64_t off = c->window + c->looked;
		uint64_t len = MIN(c->block - off % c->block, c->window_len - c->looked);
		bool zero;

		c->looked += len;
		if (memcmp(older, newer, len) == 0)
			continue;
		(void)lull_bytes_run(newer, len, len, &zero);
		return (struct lull_change){ .off = off, .len = len, .zero = zero };
	}
	return (struct lull_change){ 0 };
}

static enum lull_outcome next_exact(struct lull_changes *c, struct lull_change *ret)
{
	for (;;) {
		enum lull_outcome outcome;

		*ret = look_at_window(c);
		if (ret->len > 0)
			return LULL_OK;
		outcome = read_window(c);
		if (outcome != LULL_OK || c->window_len == 0)
			return outcome;
	}
}

static enum lull_outcome next_by_maps(struct lull_changes *c, struct lull_change *ret)
{
	int r = next_open(c, ret);

	if (r < 0)
		return walk_failed(c, r);
	if (r == 0)
		*ret = (struct lull_change){ 0 };
	return lull_should_stop(c->pair->job) ? LULL_INTERRUPTED : LULL_OK;
}

enum lull_outcome lull_changes_open(struct lull_changes *c, struct lull_pair *pair,
				    bool exact)
{
	int r;

	*c = (struct lull_changes){
		.pair = pair,
		.newer = (int)pair->n - 1,
		.new_size = pair->reference[pair->n - 1].size,
		.old_size = pair->n > 1 ? pair->reference[0].size : 0,
		.block = pair->fs[0].block,
		.exact = exact,
	};
	if (pair->n > 1)
		c->block = MIN(c->block, pair->fs[1].block);
	if (c->block == 0)
		c->block = ANY_BLOCK;
	pair->job->progress->size = c->new_size;
	for (int i = 0; i < 2 && exact; i++) {
		c->buffer[i] = malloc(PIECE);
		if (!c->buffer[i])
			return lull_fail_errno(pair->job, LULL_STAGE_READ, ENOMEM,
					       pair->path[0]);
	}
	r = begin_plan(c, 0, common_end(c), pair->n > 1);
	return r < 0 ? walk_failed(c, r) : LULL_OK;
}

enum lull_outcome lull_changes_next(struct lull_changes *c,
				    struct lull_change *ret_change)
{
	for (;;) {
		struct lull_change next = { 0 };
		enum lull_outcome outcome = c->exact ? next_exact(c, &next)
						     : next_by_maps(c, &next);

		if (outcome != LULL_OK)
			return outcome;
		if (next.len > 0 && c->held.len > 0 && next.zero == c->held.zero &&
		    next.off == c->held.off + c->held.len &&
		    (c->most == 0 || next.zero || c->held.len < c->most)) {
			c->held.len += next.len;
			continue;
		}
		*ret_change = c->held;
		c->held = next;
		if (ret_change->len > 0 || next.len == 0)
			return LULL_OK;
	}
}

void lull_changes_close(struct lull_changes *c)
{
	for (int i = 0; i < 2; i++) {
		lull_extmap_close(c->map[i]);
		free(c->buffer[i]);
		c->map[i] = NULL;
		c->buffer[i] = NULL;
	}
}
