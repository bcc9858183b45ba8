// SPDX-License-Identifier: MIT
/*
 * DESIGN
 *
 * Costs differ by a factor of twenty between file systems, and by two between disks. So a
 * sample from several places of the file is cloned into an unnamed file, in bounded
 * calls. It is cloned twice if that shows what a repetition costs. The rest is
 * arithmetic.
 */
#include "engine/clone/dest.h"
#include "engine/clone/job_init.h"
#include "engine/clone/methods.h"
#include "engine/clone/one_call.h"
#include "engine/clone/piece.h"
#include "engine/clone/snapshot.h"
#include "engine/clone/source.h"
#include "engine/clone/start.h"
#include "engine/clone/statehome.h"
#include "plan/fixes.h"
#include "sys/clock.h"
#include "sys/extmap.h"
#include "sys/ficlone.h"
#include "sys/inode.h"
#include "sys/kernel.h"
#include "sys/readers.h"
#include "sys/subvolume.h"
#include "util/path.h"
#include "util/text.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>

/* How long to count extents. The rest of the file is then assumed to be alike. */
#define LONGEST_COUNT_NS (2 * NSEC_PER_SEC)
/* The sample: the number of places, and the most extents, time and bytes of each. */
#define PLACES            8
#define EXTENTS_EACH      512
#define LONGEST_SAMPLE_NS (2 * NSEC_PER_SEC)
#define BYTES_EACH        (64ULL << 20)
/* How many times as long as a commit that follows another the stall of a snapshot is. */
#define SNAPSHOT_COMMITS 2
/* XFS: with a smaller log, and at least this many extents, calls sometimes wait for the
   log. */
#define SMALL_LOG    (128ULL << 20)
#define MANY_EXTENTS 100000

struct probe {
	struct lull_job *job;
	struct lull_forecast *found;
	uint64_t cloned; /* extents of the sample */
	uint64_t clone_ns;
	uint64_t again_ns;
};

static enum lull_outcome count_extents(struct probe *p)
{
	struct lull_job *job = p->job;
	struct lull_forecast *found = p->found;
	uint64_t since = lull_clock_now(), n = 0, at = 0;
	struct lull_extmap *map;
	struct lull_cursor cursor;
	struct lull_extent e;
	int r;

	found->extents = lull_inode_extents(job->src);
	found->extents_exact = true;
	if (found->extents > 0)
		return LULL_OK;
	r = lull_extmap_open(job->src, LULL_EXTMAP_AUTO, 0, found->size, &map);
	if (r == 0) {
		cursor = lull_extmap_cursor(map);
		while ((r = cursor.next(cursor.ctx, &e)) > 0) {
			at = e.off + e.len;
			if (++n % 1024 == 0 &&
			    lull_clock_now() - since > LONGEST_COUNT_NS)
				break;
		}
		lull_extmap_close(map);
	}
	if (r < 0)
		return lull_fail_errno(job, LULL_STAGE_WALK, r, job->source);
	found->extents_exact = r == 0;
	found->extents =
		r == 0 ? n : (uint64_t)((double)n / (double)at * (double)found->size);
	return LULL_OK;
}

/* Clones a piece twice: the second time it is shared already. */
static int sample_place(struct probe *p, uint64_t from, uint64_t to)
{
	struct lull_piece first = { 0 }, again = { 0 };
	int fd = p->job->dest.scratch;
	int r = lull_piece_clone(p->job, fd, from, to, EXTENTS_EACH, LONGEST_SAMPLE_NS,
				 &first);

	if (r == 0 && first.end > from)
		r = lull_piece_clone(p->job, fd, from, first.end, EXTENTS_EACH,
				     LONGEST_SAMPLE_NS, &again);
	if (r < 0 || first.end == from)
		return r;
	p->cloned += first.extents;
	p->clone_ns += first.ns;
	p->again_ns += again.ns;
	return 0;
}

/* Returns the cost of an extent in a repetition on Btrfs, which compares the two maps. */
static uint64_t map_cost(struct probe *p)
{
	struct lull_extmap *map;
	struct lull_cursor cursor;
	struct lull_extent e;
	uint64_t before = lull_clock_now(), n = 0;

	if (lull_extmap_open(p->job->src, LULL_EXTMAP_AUTO, 0, p->found->size, &map) < 0)
		return 0;
	cursor = lull_extmap_cursor(map);
	while (n < 10UL * EXTENTS_EACH && cursor.next(cursor.ctx, &e) > 0)
		n++;
	lull_extmap_close(map);
	return n ? 2 * (lull_clock_now() - before) / n : 0;
}

static enum lull_outcome take_sample(struct probe *p)
{
	struct lull_job *job = p->job;
	struct lull_forecast *found = p->found;
	uint64_t mask = ~(job->dest.fs.block - 1);
	int r = 0;

	/* A small file is sampled as a whole, unless its size is just changing. */
	if (found->size > 0 && found->size < PLACES * job->dest.fs.block) {
		r = sample_place(p, 0, found->size);
		r = r == -EINVAL ? 0 : r;
	}
	for (unsigned int i = 0;
	     i < PLACES && r == 0 && found->size >= PLACES * job->dest.fs.block; i++) {
		uint64_t from = found->size / PLACES * i & mask;
		uint64_t to = MIN(found->size / PLACES * (i + 1) & mask,
				  from + BYTES_EACH);

		if (to > from)
			r = sample_place(p, from, to);
	}
	if (r == -ECANCELED)
		return LULL_INTERRUPTED;
	if (r < 0)
		return lull_fail(job, LULL_STAGE_PROBE,
				 lull_clone_classify(-r, job->src, job->dest.scratch, 0,
						     0),
				 r, job->progress->dest);
	found->extent_ns = p->cloned ? p->clone_ns / p->cloned : 0;
	found->again_ns = job->src_fs.magic == BTRFS_SUPER_MAGIC ? map_cost(p)
			  : p->cloned                            ? p->again_ns / p->cloned
								 : 0;
	return LULL_OK;
}

/* Measures with a reader on the sample, which nobody else uses. Returns false if that was
   not conclusive. */
static bool measure_readers(struct probe *p, bool *ret_wait)
{
	struct lull_job *job = p->job;
	_cleanup_close_ int fd = openat(job->dest.dir, ".",
					O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	int r;

	if (fd < 0 || lull_inode_inherit(job->src, fd, 0) < 0)
		return false;
	r = lull_readers_wait(job->dest.scratch, fd,
			      job->src_fs.magic == BTRFS_SUPER_MAGIC);
	if (r < 0)
		return false;
	*ret_wait = r > 0;
	return true;
}

/* Determines who waits for a clone call. */
static void judge_kernel(struct probe *p)
{
	struct lull_forecast *found = p->found;
	uint32_t version = lull_kernel_version();
	/* On XFS, reads may run during a clone since 6.7. That was backported to 6.6.17
	   and 6.1.128. */
	bool beside = version >= KERNEL_VERSION(6, 6, 17) ||
		      (version >= KERNEL_VERSION(6, 1, 128) &&
		       version < KERNEL_VERSION(6, 2, 0));

	(void)snprintf(found->kernel, sizeof(found->kernel), "%s", lull_kernel_release());
	found->writer_race = lull_fixes_writer_race(lull_kernel_release());
	found->reads_measured = measure_readers(p, &found->reads_wait);
	if (!found->reads_measured)
		found->reads_wait = p->job->src_fs.magic != XFS_SUPER_MAGIC || !beside;
	found->reads_wait_for_writers = true;
}

/* Estimates the stall of a snapshot from the time of a transaction commit on Btrfs. */
static uint64_t snapshot_stall(struct lull_job *job)
{
	uint64_t before;

	if (!lull_clone_is_atomic(job->src) || !lull_snapshot_possible(job))
		return 0;
	before = lull_clock_now();
	if (syncfs(job->dest.dir) < 0)
		return 0;
	return MAX(SNAPSHOT_COMMITS * (lull_clock_now() - before), NSEC_PER_MSEC);
}

static void predict(struct probe *p)
{
	struct lull_job *job = p->job;
	struct lull_forecast *found = p->found;
	bool btrfs = job->src_fs.magic == BTRFS_SUPER_MAGIC;
	bool single = found->extents <=
			      lull_one_call_weight(job->options->latency_budget_ns,
						   job->src_fs.magic) &&
		      lull_clone_is_atomic(job->src);

	found->cp_ns = found->extents * found->extent_ns;
	found->clone_ns = found->cp_ns * 100 / job->options->duty_cycle;
	/* No call takes longer than one call over the whole file. */
	found->budget_ns = MIN(job->options->latency_budget_ns, found->cp_ns);
	found->snapshot_ns = snapshot_stall(job);
	found->atomic_ns = btrfs ? found->cp_ns : found->extents * found->again_ns;
	found->if_written = single ? LULL_METHOD_SINGLE : lull_method_if_written(job);
	found->no_snapshot = job->no_snapshot;
	job->no_snapshot = (struct lull_obstacle){ 0 };
	found->method = single           ? LULL_METHOD_SINGLE
			: found->written ? found->if_written
					 : LULL_METHOD_QUIET;
}

static void advise(struct probe *p)
{
	struct lull_job *job = p->job;
	struct lull_forecast *found = p->found;
	struct lull_xfs xfs;

	if (found->no_snapshot.why == LULL_NO_SNAPSHOT_PATH ||
	    found->no_snapshot.why == LULL_NO_SNAPSHOT_OWNER ||
	    found->no_snapshot.why == LULL_NO_SNAPSHOT_DELETE)
		found->advice |= LULL_ADVICE_SUBVOLUME;
	if (found->if_written == LULL_METHOD_NONE)
		found->advice |= LULL_ADVICE_HOOK;
	found->quotas = job->src_fs.magic == BTRFS_SUPER_MAGIC &&
			lull_subvolume_has_quotas(job->src_fs.uuid);
	if (found->quotas)
		found->advice |= LULL_ADVICE_QUOTAS;
	if (job->src_fs.magic != XFS_SUPER_MAGIC || lull_identity_xfs(job->src, &xfs) < 0)
		return;
	found->reverse_map = xfs.reverse_map;
	if (found->extents >= MANY_EXTENTS && !lull_inode_has_cowextsize(job->src))
		found->advice |= LULL_ADVICE_COWEXTSIZE;
	if (found->extents >= MANY_EXTENTS && xfs.log_bytes > 0 &&
	    xfs.log_bytes < SMALL_LOG)
		found->advice |= LULL_ADVICE_LOG;
}

static enum lull_outcome look(struct probe *p, const char *dest)
{
	struct lull_job *job = p->job;
	struct lull_forecast *found = p->found;
	struct lull_reference before = { 0 }, after = { 0 };
	struct lull_mount mount;
	enum lull_outcome outcome = lull_source_open(job);
	enum lull_stage stage;
	enum lull_cause cause;
	const struct lull_state_wish nowhere = { 0 };
	int r;

	if (outcome != LULL_OK)
		return outcome;
	r = lull_dest_resolve(&job->dest, dest, &nowhere, &stage, &cause);
	if (r < 0)
		return lull_fail(job, stage, cause, r, dest);
	outcome = lull_source_match(job);
	if (outcome != LULL_OK)
		return outcome;
	r = lull_tripwire_flush(job->src);
	if (r == 0)
		r = lull_tripwire_look(job->src, &before);
	if (r < 0)
		return lull_fail_errno(job, LULL_STAGE_FLUSH, r, job->source);
	found->size = before.size;
	found->block = job->dest.fs.block;
	lull_identity_mount(job->src, &mount);
	memcpy(found->type, mount.type, sizeof(found->type));
	memcpy(found->mount_point, mount.mount_point, sizeof(found->mount_point));
	outcome = lull_start_probe(job);
	if (outcome == LULL_OK)
		outcome = count_extents(p);
	if (outcome == LULL_OK)
		outcome = take_sample(p);
	if (outcome != LULL_OK)
		return outcome;
	r = lull_tripwire_look(job->src, &after);
	found->written = r < 0 || !lull_reference_equal(&before, &after);
	judge_kernel(p);
	predict(p);
	advise(p);
	return LULL_OK;
}

/* Returns a name in directory that no file has. No file of that name is made. */
static char *name_in(const char *source, const char *directory)
{
	return directory ? lull_text("%s/.lullcp-probe", directory)
			 : lull_path_beside(source, ".lullcp-probe");
}

enum lull_outcome lull_probe(const struct lull_options *options, const char *source,
			     const char *directory, const struct lull_observer *observer,
			     struct lull_forecast *ret_forecast)
{
	_cleanup_free_ char *dest = name_in(source, directory);
	struct lull_result result;
	struct lull_job job;
	struct probe p = { .job = &job, .found = ret_forecast };
	enum lull_outcome outcome;

	*ret_forecast = (struct lull_forecast){ 0 };
	lull_job_look(&job, options, observer, source, directory ? directory : source,
		      &result);
	outcome = dest ? look(&p, dest)
		       : lull_fail_errno(&job, LULL_STAGE_NONE, ENOMEM, source);
	(void)lull_job_looked(&job, &ret_forecast->failure);
	return outcome;
}

void lull_forecast_done(struct lull_forecast *forecast)
{
	lull_failure_done(&forecast->failure);
	free(forecast->no_snapshot.path);
	*forecast = (struct lull_forecast){ 0 };
}
