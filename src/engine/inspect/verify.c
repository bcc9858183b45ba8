// SPDX-License-Identifier: MIT
/*
 * DESIGN
 *
 * The plan of a clone shows what the extent maps do not prove equal. That is read and
 * compared, a piece at a time. Both files are flushed before, and neither may be written
 * to meanwhile, which the tripwire checks.
 *
 * INVARIANT: bytes that are neither proven nor read are never called equal.
 */
#include "engine/clone/difference.h"
#include "engine/clone/generation_name.h"
#include "engine/clone/job_init.h"
#include "engine/inspect/pair.h"
#include "sys/bytes.h"

#include <errno.h>
#include <string.h>

#define PIECE (1u << 20)

struct verify {
	struct lull_job *job;
	struct lull_comparison *found;
	struct lull_pair pair;
	struct lull_maps maps;
	char *buffer[2];
	uint64_t differed_to; /* end of the last run of bytes that differ */
};

static void note_difference(struct verify *v, uint64_t off, uint64_t len)
{
	struct lull_comparison *found = v->found;

	if (found->different_bytes == 0)
		found->first_difference = off;
	/* Bytes in between that happen to be equal do not split a range. */
	if (found->different_ranges == 0 || off - v->differed_to >= v->pair.fs[0].block)
		found->different_ranges++;
	found->different_bytes += len;
	v->differed_to = off + len;
}

static void compare(struct verify *v, uint64_t off, size_t len)
{
	const char *a = v->buffer[0], *b = v->buffer[1];

	if (memcmp(a, b, len) == 0)
		return;
	for (size_t i = 0; i < len;) {
		size_t from = i;

		while (i < len && a[i] != b[i])
			i++;
		if (i > from)
			note_difference(v, off + from, i - from);
		while (i < len && a[i] == b[i])
			i++;
	}
}

/* Reads both files and compares them. */
static enum lull_outcome read_range(struct verify *v, uint64_t off, uint64_t len)
{
	while (len > 0) {
		size_t piece = len < PIECE ? (size_t)len : PIECE;

		if (lull_should_stop(v->job))
			return LULL_INTERRUPTED;
		for (unsigned int i = 0; i < 2; i++) {
			int r = lull_bytes_read_all(v->pair.fd[i], off, v->buffer[i],
						    piece);

			if (r == -ESTALE)
				return lull_pair_written(&v->pair, i);
			if (r < 0)
				return lull_fail_errno(v->job, LULL_STAGE_READ, r,
						       v->pair.path[i]);
		}
		compare(v, off, piece);
		v->found->read_bytes += piece;
		off += piece;
		len -= piece;
		v->job->progress->offset = off;
		lull_tell(v->job);
	}
	return LULL_OK;
}

static enum lull_outcome by_maps(struct verify *v, uint64_t size)
{
	struct lull_comparison *found = v->found;
	bool maps_only = v->job->options->verify_by == LULL_VERIFY_MAPS;
	struct lull_maps *maps = &v->maps;
	struct lull_range range;
	uint64_t at = 0;
	int r;

	*maps = (struct lull_maps){
		.a = v->pair.fd[0],
		.b = v->pair.fd[1],
		.to = size,
		.block = MAX(v->pair.fs[0].block, v->pair.fs[1].block),
	};
	r = lull_maps_open(maps);
	if (r < 0)
		return lull_fail_errno(v->job, LULL_STAGE_WALK, r,
				       v->pair.path[maps->map[0] ? 1 : 0]);
	while ((r = lull_plan_next(&maps->plan, &range)) > 0) {
		uint64_t len = MIN(range.len, size - range.off);
		enum lull_outcome outcome = LULL_OK;

		found->proven_bytes += range.off - at;
		at = range.off + len;
		found->extents = maps->plan.extents;
		if (maps_only) {
			if (found->unproven_bytes == 0)
				found->first_difference = range.off;
			found->unproven_bytes += len;
		} else {
			outcome = read_range(v, range.off, len);
		}
		if (outcome != LULL_OK)
			return outcome;
		if (lull_should_stop(v->job))
			return LULL_INTERRUPTED;
	}
	found->extents = maps->plan.extents;
	found->proven_bytes += size - at;
	return r < 0 ? lull_fail_errno(v->job, LULL_STAGE_WALK, r, v->pair.path[0])
		     : LULL_OK;
}

static enum lull_outcome compare_files(struct verify *v)
{
	struct lull_comparison *found = v->found;
	enum lull_verify_by by = v->job->options->verify_by;
	enum lull_outcome outcome;
	uint64_t size;

	found->size = v->pair.reference[0].size;
	found->dest_size = v->pair.reference[1].size;
	size = MIN(found->size, found->dest_size);
	v->job->progress->size = size;
	if (v->pair.by_maps && by != LULL_VERIFY_DATA) {
		outcome = by_maps(v, size);
	} else if (by == LULL_VERIFY_MAPS) {
		found->unproven_bytes = size;
		outcome = LULL_OK;
	} else {
		outcome = read_range(v, 0, size);
	}
	if (outcome == LULL_OK)
		outcome = lull_pair_unchanged(&v->pair);
	if (outcome != LULL_OK)
		return outcome;
	if (found->size != found->dest_size)
		note_difference(v, size, MAX(found->size, found->dest_size) - size);
	if (found->different_bytes > 0)
		return LULL_DIFFERENT;
	if (found->unproven_bytes > 0) {
		(void)lull_fail_between(v->job, LULL_STAGE_READ, LULL_CAUSE_UNPROVEN, 0,
					v->pair.path[0], v->pair.path[1]);
		v->job->result->failure.off = found->first_difference;
		v->job->result->failure.len = found->unproven_bytes;
		return LULL_FAILED;
	}
	return LULL_OK;
}

enum lull_outcome lull_verify(const struct lull_options *options, const char *source,
			      const char *dest, const struct lull_observer *observer,
			      struct lull_comparison *ret_comparison)
{
	struct lull_result result;
	struct lull_job job;
	struct verify v = { .job = &job, .found = ret_comparison };
	_cleanup_free_ char *a = NULL;
	_cleanup_free_ char *b = NULL;
	enum lull_outcome outcome;

	*ret_comparison = (struct lull_comparison){ 0 };
	lull_job_look(&job, options, observer, source, dest, &result);
	outcome = lull_generation_path(options, source, true, &a, &result.failure);
	if (outcome == LULL_OK)
		outcome = lull_generation_path(options, dest, true, &b, &result.failure);
	lull_pair_init(&v.pair, &job, a ? a : source, b ? b : dest);
	if (outcome == LULL_OK)
		outcome = lull_pair_open(&v.pair);
	for (int i = 0; i < 2 && outcome == LULL_OK; i++) {
		v.buffer[i] = malloc(PIECE);
		if (!v.buffer[i])
			outcome = lull_fail_errno(&job, LULL_STAGE_READ, ENOMEM,
						  v.pair.path[i]);
	}
	if (outcome == LULL_OK)
		outcome = lull_pair_take(&v.pair);
	if (outcome == LULL_OK)
		outcome = compare_files(&v);
	lull_maps_close(&v.maps);
	for (int i = 0; i < 2; i++)
		free(v.buffer[i]);
	lull_pair_close(&v.pair);
	ret_comparison->elapsed_ns = lull_job_looked(&job, &ret_comparison->failure);
	return outcome;
}

void lull_comparison_done(struct lull_comparison *comparison)
{
	lull_failure_done(&comparison->failure);
	*comparison = (struct lull_comparison){ 0 };
}
