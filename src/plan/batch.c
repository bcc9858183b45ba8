// SPDX-License-Identifier: MIT
/* From ranges to bounded calls. */
#include "plan/batch.h"

#include "util/macros.h"

#include <assert.h>

void lull_batch_init(struct lull_batch *batch, uint64_t block,
		     const struct lull_range_source *source)
{
	*batch = (struct lull_batch){ .source = *source, .block = block };
}

static int hold(struct lull_batch *batch)
{
	if (batch->held.len > 0)
		return 1;
	batch->begun = false;
	return batch->source.next(batch->source.ctx, &batch->held);
}

/* Hands out the front of the held range, as much as limit allows. */
static struct lull_range take(struct lull_batch *batch, uint32_t limit)
{
	struct lull_range front = batch->held;

	if (front.weight > limit) {
		/* In blocks, rounded down: 128 bits, since 2^63 bytes may be one extent. */
		uint64_t blocks = front.len / batch->block;
		uint64_t part = (uint64_t)((unsigned __int128)blocks * limit / front.weight);

		part = MAX(part, 1ULL) * batch->block;
		if (part < front.len) {
			front.len = part;
			front.weight = limit;
		}
	}
	batch->held.off += front.len;
	batch->held.len -= front.len;
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

		/* An error is reported when nothing is in hand: what was gathered is good. */
		if (r <= 0) {
			if (request.len == 0)
				return r;
			break;
		}
		if (request.len > 0 && (batch->held.off != request.off + request.len ||
					batch->held.kind != request.kind ||
					request.weight >= limit))
			break;
		/* A range that would fit a call of its own is not cut to fill this one. */
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
		request.weight += part.weight;
		if (part.sampled)
			request.extents += part.weight;
		else if (part.kind == LULL_RANGE_CLONE && !begun)
			request.extents++;
	}
	*ret_request = request;
	return 1;
}
