// SPDX-License-Identifier: MIT
/*
 * INVARIANTS
 *  1. EIO, ENOSPC, EDQUOT and ENOMEM of a clone call never lead to a copy: it would get
 *     the same error, later and with more harm.
 *  2. With reflink=always no byte is copied.
 */
#include "engine/file/data.h"

#include "engine/base/events.h"
#include "engine/base/rest.h"
#include "engine/clone/byte_copy.h"
#include "engine/clone/one_call.h"
#include "engine/clone/watch.h"
#include "engine/file/queue.h"
#include "plan/hist.h"
#include "sys/clock.h"
#include "sys/ficlone.h"
#include "sys/ficlone_whole.h"
#include "sys/inode.h"
#include "sys/tripwire.h"

#include <errno.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/vfs.h>

/* The smallest block of a file system that clones. */
#define LEAST_BLOCK 1024u
/* Copying this much takes less time than would make a checkpoint worth it. */
#define SMALL_COPY (64u << 20)
/* If a file has more bytes of holes than this, it is not cloned by one call: XFS reserves
   space for a hole as for data, and for exabytes that takes long or fails. */
#define LARGE_HOLES (1ULL << 30)
/* How often to try a file that somebody writes to, if it must not be written to in the
   meantime. */
#define QUIET_TRIES 10

enum lull_outcome lull_data_failed(struct lull_file *file, enum lull_stage stage, int err,
				   enum lull_cause cause)
{
	struct lull_failure *failure = &file->result.failure;

	file->reported = true;
	*failure = (struct lull_failure){
		.stage = stage,
		.cause = cause,
		.err = abs(err),
		.path = strdup(file->entry.dst_path),
		.path2 = strdup(file->entry.src_path),
	};
	return LULL_FAILED;
}

static bool has_holes(const struct stat *st)
{
	return S_ISREG(st->st_mode) && st->st_blocks < st->st_size / 512;
}

static bool has_large_holes(const struct stat *st)
{
	return has_holes(st) &&
	       (uint64_t)st->st_size - (uint64_t)st->st_blocks * 512 > LARGE_HOLES;
}

static uint64_t limit(const struct lull_file *file, uint64_t dearest)
{
	return file->entry.tree->options->latency_budget_ns / dearest;
}

/* Returns true if one call clones all extents. Counts them in the map if the inode's
   count is not enough. */
static bool few_extents(struct lull_file *file, int src, const struct stat *st,
			bool count)
{
	uint64_t most, exact;
	struct lull_one_call all;
	struct statfs fs;
	int r;

	if (fstatfs(src, &fs) < 0)
		return false;
	most = lull_one_call_weight(file->entry.tree->options->latency_budget_ns,
				    (uint32_t)fs.f_type);
	/* Dirty pages have no extents yet. */
	if (lull_tripwire_flush(src) < 0)
		return false;
	exact = count ? 0 : lull_inode_extents(src);
	if (exact > 0)
		return exact <= most;
	r = lull_one_call_count(src, (uint64_t)st->st_size, (uint64_t)st->st_blksize,
				most, &all);
	if (r < 0)
		return !count; /* it cannot be cloned anyway */
	file->mapped = all.bytes;
	if (!all.fits)
		return false;
	if (count)
		file->result.progress.extents = all.extents;
	return !count || all.extents > 0;
}

/*
 * Returns the errno with which a clone between these two file systems (NULL: any two) was
 * refused before, or 0.
 */
static int refused_before(struct lull_copy_run *tree, const struct stat *src,
			  const struct stat *dest)
{
	int err = 0;

	(void)pthread_mutex_lock(&tree->refused_lock);
	if (!src ||
	    (tree->refused_from == src->st_dev && tree->refused_to == dest->st_dev))
		err = tree->refused_err;
	(void)pthread_mutex_unlock(&tree->refused_lock);
	return err;
}

static void remember_refusal(struct lull_copy_run *tree, const struct stat *src,
			     const struct stat *dest, int err)
{
	(void)pthread_mutex_lock(&tree->refused_lock);
	tree->refused_from = src->st_dev;
	tree->refused_to = dest->st_dev;
	tree->refused_err = err;
	(void)pthread_mutex_unlock(&tree->refused_lock);
}

static bool is_small(struct lull_file *file, int src, const struct stat *st)
{
	uint64_t blocks = (uint64_t)st->st_blocks * 512 / LEAST_BLOCK + 1;
	enum lull_reflink reflink = file->entry.tree->cp->reflink;

	/* The file is too wide for one call, and several calls are point-in-time only
	   with a tripwire. */
	if (reflink != LULL_REFLINK_NEVER && has_large_holes(st))
		return false;
	if (blocks <= limit(file, LULL_ONE_CALL_DEAREST_NS))
		return true;
	/* A clone that is refused becomes a copy, which must then be resumable. */
	if (reflink != LULL_REFLINK_ALWAYS && (uint64_t)st->st_blocks * 512 > SMALL_COPY)
		return false;
	return reflink == LULL_REFLINK_NEVER ||
	       refused_before(file->entry.tree, NULL, NULL) != 0 ||
	       few_extents(file, src, st, false);
}

bool lull_data_fits_one_call(struct lull_file *file, int src, const struct stat *st)
{
	return !has_large_holes(st) && few_extents(file, src, st, true);
}

bool lull_data_is_small(struct lull_file *file, int src, const struct stat *st)
{
	if (!file->judged)
		file->small = is_small(file, src, st);
	file->judged = true;
	return file->small;
}

/*
 * Returns 0 if an empty file can be cloned, or -errno. Asks the kernel if the device
 * numbers differ, because on Btrfs each subvolume has its own.
 */
static int try_empty(int src, int dest, const struct stat *src_st,
		     const struct stat *dest_st)
{
	bool same = src_st->st_dev == dest_st->st_dev;

	if (!S_ISREG(src_st->st_mode) || !S_ISREG(dest_st->st_mode))
		return same ? -EINVAL : -EXDEV;
	return same ? 0 : lull_clone_empty(src, dest);
}

enum lull_outcome lull_data_try(struct lull_file *file, int src, int dest,
				const struct stat *st)
{
	bool empty = !S_ISREG(st->st_mode) || st->st_size == 0;
	struct stat dest_st;
	uint64_t block;
	int r = lull_inode_block_size(dest, &block);

	if (file->entry.tree->cp->reflink != LULL_REFLINK_ALWAYS)
		return LULL_OK;
	if (r == 0 && fstat(dest, &dest_st) < 0)
		r = -errno;
	/* A file without data is cloned by setting its size. One of /dev or /proc cannot
	   be cloned at all. */
	if (r == 0 && empty)
		r = try_empty(src, dest, st, &dest_st);
	else if (r == 0)
		r = lull_clone_try(src, dest, (uint64_t)st->st_size, block);
	return r == 0 ? LULL_OK
		      : lull_data_failed(file, LULL_STAGE_PROBE, r,
					 lull_clone_classify(-r, src, dest, 0,
							     (uint64_t)st->st_size));
}

/* Returns true if the file was written to since it was examined: then it may never have
   had the size that was cloned. */
static bool has_changed(int src, const struct stat *st)
{
	struct stat now;

	return fstat(src, &now) < 0 || now.st_size != st->st_size ||
	       now.st_ctim.tv_sec != st->st_ctim.tv_sec ||
	       now.st_ctim.tv_nsec != st->st_ctim.tv_nsec;
}

static void tell_call(const struct lull_file *file, enum lull_call call)
{
	file->observer->call(file->observer->ctx, call);
}

/* Counts a call that began at before. */
static void note_call(struct lull_file *file, uint64_t before)
{
	struct lull_progress *p = &file->result.progress;
	uint64_t took = lull_clock_now() - before;

	p->calls++;
	p->hold.max = MAX(p->hold.max, took);
	p->hold.p50 = p->hold.p99 = p->hold.p999 = p->hold.max;
	p->over_budget_calls += took > p->budget_ns;
	if (file->result.hist)
		lull_hist_add(file->result.hist, took);
}

static int clone_piece(struct lull_file *file, int src, int dest, uint64_t off,
		       uint64_t len)
{
	uint64_t before = lull_clock_now();
	int r;

	tell_call(file, LULL_CALL_CLONE);
	r = lull_clone_range(src, dest, off, len);
	tell_call(file, LULL_CALL_NONE);
	note_call(file, before);
	return r;
}

/*
 * Clones in calls of some blocks each, leaving out holes. This is for a file that is too
 * large or too wide for one call, if lull_clone() cannot make its lock. The result is of
 * one point in time if the source has not changed in the meantime. Returns 0, -ECANCELED
 * if the observer requests a stop, or another -errno.
 */
static int clone_pieces(struct lull_file *file, int src, int dest, uint64_t size)
{
	const struct lull_options *options = file->entry.tree->options;
	const struct lull_observer *observer = file->observer;
	uint64_t block, most, start, end, at = 0;
	int r = lull_inode_block_size(dest, &block);

	if (r == 0 && ftruncate(dest, (off_t)size) < 0)
		r = -errno;
	file->unwritten = true;
	most = r < 0 ? 0 : MAX(limit(file, LULL_ONE_CALL_DEAREST_NS), 1u) * block;
	while (r == 0 && (r = lull_bytes_next_data(src, at, size, &start, &end)) > 0) {
		uint64_t before = lull_clock_now();

		start &= ~(block - 1);
		at = MIN(MIN((end + block - 1) & ~(block - 1), start + most), size);
		r = clone_piece(file, src, dest, start, at - start);
		lull_rest_after(lull_clock_now() - before, options->duty_cycle);
		if (r == 0 && observer->should_stop(observer->ctx))
			r = -ECANCELED;
	}
	return r;
}

/* Clones the file in one call, or in pieces if it is too wide or too large. */
static int clone_once(struct lull_file *file, int src, int dest, const struct stat *st,
		      uint64_t size)
{
	return file->lone || lull_data_is_small(file, src, st)
		       ? clone_piece(file, src, dest, 0, size)
		       : clone_pieces(file, src, dest, size);
}

/* Clones a file of which one call makes a point-in-time copy. */
static int clone_at_once(struct lull_file *file, int src, int dest, const struct stat *st,
			 uint64_t *ret_size)
{
	struct stat now;
	uint64_t block, before;
	bool blind;
	int r = lull_tripwire_stat(src, &now, &blind);

	if (r < 0)
		return r;
	*ret_size = (uint64_t)now.st_size;
	/* The size may have changed meanwhile, or may change unnoticed. If it has not,
	   the call returns the same error again. */
	r = blind || now.st_size == 0
		    ? -EINVAL
		    : clone_once(file, src, dest, st, (uint64_t)now.st_size);
	if (r == 0 && has_changed(src, &now))
		r = -EINVAL;
	if (r == -EINVAL && lull_inode_block_size(dest, &block) == 0) {
		/* If dest is longer, Btrfs copies an inline extent into the page
		   cache. */
		file->unwritten = true;
		before = lull_clock_now();
		tell_call(file, LULL_CALL_CLONE);
		r = lull_clone_whole(src, dest, block, true, ret_size);
		tell_call(file, LULL_CALL_NONE);
		note_call(file, before);
	}
	return r;
}

/* Clones a file of which a call makes a point-in-time copy only if nobody writes in the
   meantime. Returns 0, 1 if writes kept coming, or -errno. */
static int clone_quietly(struct lull_file *file, int src, int dest, const struct stat *st,
			 uint64_t *ret_size)
{
	struct lull_reference before, after;

	file->unwritten = true;
	for (unsigned int i = 0; i < QUIET_TRIES; i++) {
		int r = lull_tripwire_take(src, -1, 1, &before), looked;

		if (r == -EBUSY)
			continue;
		if (r < 0)
			return r;
		if (ftruncate(dest, (off_t)before.size) < 0)
			return -errno;
		if (before.size > 0)
			r = clone_once(file, src, dest, st, before.size);
		looked = lull_tripwire_look(src, &after);
		if (looked < 0)
			return looked;
		*ret_size = before.size;
		/* EINVAL may be caused by a writer too: the size is no longer that of
		   src. */
		if (lull_reference_equal(&before, &after) || (r < 0 && r != -EINVAL))
			return r;
	}
	return 1;
}

/* Returns true if one call over the whole file may make a point-in-time copy after
   somebody has written to it. Writers then wait as for cp. */
static bool may_be_at_once(struct lull_file *file, int src, const struct stat *st)
{
	enum lull_on_writers on_writers = file->entry.tree->options->on_writers;

	if (on_writers == LULL_ON_WRITERS_FAIL && !file->lone &&
	    !lull_data_is_small(file, src, st))
		return false;
	return on_writers == LULL_ON_WRITERS_TRUST || lull_clone_is_atomic(src);
}

/* Shares the data. Returns 0, 1 if the source is written to without pause, or -errno. */
static int share(struct lull_file *file, int src, int dest, const struct stat *st)
{
	struct lull_copy_run *tree = file->entry.tree;
	uint64_t size = (uint64_t)st->st_size;
	struct lull_progress *p = &file->result.progress;
	int r = lull_inode_inherit(src, dest, file->traits);

	/* A clone of an empty file costs nothing, but need not be possible. */
	if (r == 0 && size > 0)
		r = may_be_at_once(file, src, st)
			    ? clone_at_once(file, src, dest, st, &size)
			    : clone_quietly(file, src, dest, st, &size);
	else if (r == 0 && tree->cp->reflink == LULL_REFLINK_ALWAYS)
		r = lull_clone_empty(src, dest);
	if (r != 0)
		return r;
	p->method = LULL_METHOD_SINGLE;
	p->size = p->offset = size;
	p->bytes_cloned = MIN(file->lone ? file->mapped : (uint64_t)st->st_blocks * 512,
			      size);
	p->extents_cloned = p->extents;
	p->passes = 1;
	return 0;
}

/* Fails because the source was written to. Nothing is published, and another run may
   succeed. One file among others has failed, as with cp, unless --on-writers=fail. */
static enum lull_outcome written(struct lull_file *file)
{
	const struct lull_entry *e = &file->entry;
	struct lull_failure *failure = &file->result.failure;
	char *dest;

	(void)lull_data_failed(file, LULL_STAGE_CLONE, 0, LULL_CAUSE_WRITERS);
	dest = failure->path;
	failure->path = failure->path2;
	failure->path2 = dest;
	return (e->tree->sole && e->operand) ||
			       e->tree->options->on_writers == LULL_ON_WRITERS_FAIL
		       ? LULL_STOPPED
		       : LULL_FAILED;
}

static bool stop_asked(void *ctx, uint64_t off)
{
	struct lull_file *file = ctx;
	const struct lull_observer *observer = file->observer;

	file->result.progress.offset = off;
	return !observer->should_stop(observer->ctx);
}

struct copy {
	struct lull_file *file;
	int src;
	int dest;
	const struct stat *dest_st;
	bool again; /* dest holds what an earlier attempt has copied */
};

static void note_how(struct lull_file *file, const struct lull_byte_copy *copying)
{
	file->offload = copying->offloaded   ? "yes"
			: copying->may_share ? "unsupported"
					     : "avoided";
	file->holes = copying->sparse == LULL_SPARSE_ALWAYS && copying->has_holes
			      ? "SEEK_HOLE + zeros"
		      : copying->sparse == LULL_SPARSE_ALWAYS ? "zeros"
		      : copying->has_holes                    ? "SEEK_HOLE"
							      : "no";
}

static enum lull_outcome copy_once(void *ctx)
{
	struct copy *c = ctx;
	struct lull_file *file = c->file;
	const struct lull_cp *cp = file->entry.tree->cp;
	struct lull_progress *p = &file->result.progress;
	struct lull_byte_copy copying;
	struct stat st;
	int r;

	if (fstat(c->src, &st) < 0)
		return lull_data_failed(file, LULL_STAGE_COPY_READ, errno,
					LULL_CAUSE_ERRNO);
	if (c->again && ftruncate(c->dest, 0) < 0)
		return lull_data_failed(file, LULL_STAGE_RESIZE, errno, LULL_CAUSE_ERRNO);
	c->again = true;
	copying = (struct lull_byte_copy){
		.src = c->src,
		.dest = c->dest,
		.sparse = cp->sparse,
		.may_share = cp->reflink == LULL_REFLINK_AUTO && S_ISREG(st.st_mode) &&
			     S_ISREG(c->dest_st->st_mode),
		.has_holes = has_holes(&st),
		.src_seeks = S_ISREG(st.st_mode),
		.dest_seeks = S_ISREG(c->dest_st->st_mode),
		.step = stop_asked,
		.ctx = file,
	};
	r = lull_byte_copy_run(&copying, 0, (uint64_t)st.st_size);
	lull_byte_copy_done(&copying);
	file->unwritten = true;
	p->method = LULL_METHOD_COPY;
	p->size = copying.src_seeks ? (uint64_t)st.st_size : copying.copied;
	p->bytes_copied = copying.copied;
	p->offset = p->size;
	note_how(file, &copying);
	if (r > 0)
		return LULL_INTERRUPTED;
	if (r < 0)
		return lull_data_failed(file,
					copying.side == LULL_BYTES_READ
						? LULL_STAGE_COPY_READ
					: copying.side == LULL_BYTES_WRITE
						? LULL_STAGE_COPY_WRITE
						: LULL_STAGE_COPY,
					r, lull_clone_classify(-r, -1, c->dest, 0, 0));
	return LULL_OK;
}

static void warn(const struct lull_file *file, enum lull_warning warning,
		 const char *path)
{
	lull_events_warn(file->observer, warning, 0, path);
}

static enum lull_outcome copy(struct lull_file *file, int src, int dest,
			      const struct stat *src_st, const struct stat *dest_st)
{
	enum lull_on_writers on_writers = file->entry.tree->options->on_writers;
	struct copy c = { .file = file, .src = src, .dest = dest, .dest_st = dest_st };
	struct lull_watched w;

	/* Data from a FIFO or a device is not of one point in time. */
	if (!S_ISREG(src_st->st_mode))
		return copy_once(&c);
	w = lull_watch(src,
		       S_ISREG(dest_st->st_mode) ? on_writers : LULL_ON_WRITERS_TRUST,
		       on_writers == LULL_ON_WRITERS_FAIL, copy_once, &c);
	if (w.err < 0)
		return lull_data_failed(file, LULL_STAGE_COPY_READ, w.err,
					LULL_CAUSE_ERRNO);
	if (w.outcome != LULL_OK || !w.torn)
		return w.outcome;
	if (on_writers != LULL_ON_WRITERS_FAIL) {
		warn(file, LULL_WARNING_TORN, file->entry.src_path);
		return LULL_OK;
	}
	return written(file);
}

enum lull_outcome lull_data_transfer(struct lull_file *file, int src, int dest,
				     const struct stat *src_st,
				     const struct stat *dest_st)
{
	struct lull_copy_run *tree = file->entry.tree;
	const struct lull_cp *cp = tree->cp;
	bool regular = S_ISREG(src_st->st_mode) && S_ISREG(dest_st->st_mode);
	int r;

	file->offload = "unknown";
	file->reflink = file->holes = "no";
	if (cp->attributes_only)
		return LULL_OK;
	if (cp->reflink == LULL_REFLINK_NEVER)
		return copy(file, src, dest, src_st, dest_st);

	r = -refused_before(tree, src_st, dest_st);
	if (r == 0 && (!regular || src_st->st_size == 0))
		r = try_empty(src, dest, src_st, dest_st);
	if (r == 0)
		r = share(file, src, dest, src_st);
	if (r == -ECANCELED)
		return LULL_INTERRUPTED;
	if (r > 0)
		return written(file);
	if (r == 0) {
		file->reflink = "yes";
		file->holes = "unknown";
		return LULL_OK;
	}
	enum lull_cause cause = lull_clone_classify(-r, src, dest, 0,
						    (uint64_t)src_st->st_size);

	if (cp->reflink == LULL_REFLINK_ALWAYS || file->lone ||
	    lull_bytes_is_terminal(-r))
		return lull_data_failed(file, LULL_STAGE_PROBE, r, cause);
	/* Two mounts of one file system are not two file systems (before Linux 5.18 they
	   cannot clone between each other). */
	if (regular &&
	    (cause == LULL_CAUSE_NO_REFLINK || (cause == LULL_CAUSE_OTHER_FILE_SYSTEM &&
						src_st->st_dev != dest_st->st_dev)))
		remember_refusal(tree, src_st, dest_st, -r);
	if (S_ISREG(dest_st->st_mode) && ftruncate(dest, 0) < 0)
		return lull_data_failed(file, LULL_STAGE_RESIZE, errno, LULL_CAUSE_ERRNO);
	file->reflink = "unsupported";

	enum lull_outcome outcome = copy(file, src, dest, src_st, dest_st);

	if (regular && file->result.progress.bytes_copied > 0) {
		file->result.not_cloned = -r;
		file->result.not_cloned_cause = cause;
	}
	return outcome;
}
