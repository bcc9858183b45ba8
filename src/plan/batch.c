// SPDX-License-Identifier: MIT
/* Turns ranges into bounded calls: see batch.h. */
#include "plan/batch.h"

#include "util/macros.h"

#include <assert.h>

void lull_batch_init(struct lull_batch *batch, uint64_t block,
		     const struct lull_range_source *source)
{
	*batch = (struct lull_batch){ .source = *source, .block = block };
}

void lull_batch_cross_holes(struct lull_batch *batch, uint64_t widest,
			    uint32_t hole_weight)
{
	batch->widest = widest;
	batch->hole_weight = hole_weight;
}

static int hold(struct lull_batch *batch)
{
	if (batch->held.len > 0)
		return 1;
	batch->begun = false;
	if (batch->ahead.len > 0) {
		batch->held = batch->ahead;
		batch->ahead.len = 0;
		return 1;
	}
	return batch->source.next(batch->source.ctx, &batch->held);
}

/* Returns the length of the hole between a request and the next range to clone, or 0 if
   there is none that a call may go across. */
static uint64_t hole_before(struct lull_batch *batch, const struct lull_request *request,
			    const struct lull_range **ret_next)
{
	uint64_t end = request->off + request->len;
	const struct lull_range *next = &batch->held;

	if (request->kind != LULL_RANGE_CLONE || !batch->held.after_hole)
		return 0;
	if (next->kind == LULL_RANGE_PUNCH) {
		/* An error or the end will be returned again when the range is pulled. */
		if (batch->ahead.len == 0 &&
		    batch->source.next(batch->source.ctx, &batch->ahead) <= 0)
			batch->ahead.len = 0;
		next = &batch->ahead;
		if (next->len == 0 || next->kind != LULL_RANGE_CLONE || !next->after_hole)
			return 0;
	}
	*ret_next = next;
	return next->off - end <= batch->widest ? next->off - end : 0;
}

/* Adds the hole to the request, if the range after it fits too. */
static bool cross_hole(struct lull_batch *batch, struct lull_request *request,
		       uint32_t limit)
{
	const struct lull_range *next;
	uint64_t hole = hole_before(batch, request, &next);
	uint32_t room = limit - MIN(request->weight, limit);

	if (hole == 0 || room <= batch->hole_weight ||
	    next->weight > room - batch->hole_weight)
		return false;
	request->len += hole;
	request->holes += hole;
	request->weight += batch->hole_weight;
	if (next == &batch->ahead)
		batch->held.len = 0;
	return true;
}

/* Removes the front of the held range, as much as limit allows, and returns it. */
static struct lull_range take(struct lull_batch *batch, uint32_t limit)
{
	struct lull_range front = batch->held;

	if (front.weight > limit) {
		/* Calculate in blocks: an extent may have 2^63 bytes, so the product of
		   bytes would overflow. Round down. */
		uint64_t blocks = front.len / batch->block;
		uint64_t part = blocks / front.weight * limit +
				blocks % front.weight * limit / front.weight;

		part = MAX(part, 1ULL) * batch->block;
		if (part < front.len) {
			double share = (double)part / (double)front.len;

			front.holes = (uint64_t)(share * (double)front.holes);
			front.len = part;
			front.weight = limit;
		}
	}
	batch->held.off += front.len;
	batch->held.len -= front.len;
	batch->held.holes -= front.holes;
	batch->held.weight -= MIN(front.weight, batch->held.weight);
	if (batch->held.len > 0 && batch->held.weight == 0 &&
	    batch->held.kind == LULL_RANGE_CLONE)
		batch->held.weight = 1;
	return front;
}

int lull_batch_next(struct lull_batch *batch, uint32_t limit,
		    struct lull_request *ret_request)
{
	struct lull_request request = { 0 };

	assert(limit > 0);
	for (;;) {
		int r = hold(batch);

		/* Return what was gathered; the error comes with the next call. */
		if (r <= 0) {
			if (request.len == 0)
				return r;
			break;
		}
		if (request.len > 0 && cross_hole(batch, &request, limit))
			(void)hold(batch);
		if (request.len > 0 &&
		    (batch->held.off != request.off + request.len ||
		     batch->held.kind != request.kind || request.weight >= limit))
			break;
		/* Do not cut a range to fill this call if it would fit a call of its
		   own. */
		if (request.len > 0 && batch->held.weight > limit - request.weight)
			break;

		bool begun = batch->begun;
		struct lull_range part = take(batch, limit - request.weight);

		batch->begun = batch->held.len > 0;
		if (request.len == 0) {
			request.off = part.off;
			request.kind = part.kind;
		}
		request.len += part.len;
		request.holes += part.holes;
		request.weight += part.weight;
		request.sampled |= part.sampled;
		if (part.sampled)
			request.extents += part.weight;
		else if (part.kind == LULL_RANGE_CLONE && !begun)
			request.extents++;
	}
	*ret_request = request;
	return 1;
}
