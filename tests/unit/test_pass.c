// SPDX-License-Identifier: MIT
/*
 * The pass (pass.c) with clone calls, extent maps, clock, freeze and record that are
 * faked: two small files are arrays of blocks here. Each thing that it asks for fails
 * once, in every kind of pass, and what is in the files is compared with what it says.
 */
#include "engine/clone/pass.h"

#include "engine/base/rest.h"
#include "engine/clone/freeze.h"
#include "engine/clone/log_force.h"
#include "engine/clone/one_call.h"
#include "engine/clone/record.h"
#include "sys/clock.h"
#include "sys/extmap.h"
#include "sys/ficlone.h"
#include "sys/ficlone_whole.h"
#include "sys/inode.h"
#include "sys/subvolume.h"
#include "unit.h"

#include <linux/magic.h>
#include <sys/mman.h>

#define BLOCK  4096ull
#define BLOCKS 96u
#define SIZE   ((BLOCKS - 1) * BLOCK + 77)
#define DEST   99

/* One kind of pass. */
struct kind {
	const char *name;
	enum lull_plan_mode mode;
	enum lull_extmap_kind map;
	unsigned int start; /* block that it begins with: those before are cloned */
	bool counts;        /* the file system counts extents */
	bool frozen, stop_if_written, snapshot, empty;
};

struct lull_extmap {
	int fd;
	uint64_t pos, end;
	enum lull_extmap_kind kind;
};

static struct world {
	const struct kind *kind;
	struct lull_job job;
	struct lull_result result;
	struct lull_options options;
	struct lull_freeze freeze;
	struct lull_hist hist;
	/* what is in each block, 0: a hole; and whether an extent begins with it */
	unsigned int source[BLOCKS], dest[BLOCKS];
	bool begins[BLOCKS];
	uint64_t now;
	unsigned int open, calls, punches, records, rests, forces, flushes;
	bool over;   /* nothing may be called any more */
	bool broken; /* the map has no more to give */
	unsigned int at, step, again;
	/* calls after which the user wants to stop, and somebody writes; 0: none */
	unsigned int stop_after, written_after;
	const char *failed;
	struct lull_one_call count;
	int count_fails;
	uint64_t whole;
} w;

static char path[] = "/s", dest_path[] = "/d";

static bool fails(const char *step)
{
	if (w.step++ != w.at)
		return false;
	w.failed = step;
	return true;
}

/* The one that ends the pass. */
static bool ends(const char *step)
{
	w.over = w.over || fails(step);
	return w.failed == step;
}

/* ---- how the engine speaks ---- */

enum lull_outcome lull_fail(struct lull_job *job, enum lull_stage stage,
			    enum lull_cause cause, int err, const char *text UNUSED)
{
	job->result->failure = (struct lull_failure){
		.stage = stage,
		.cause = cause,
		.err = abs(err),
	};
	return LULL_FAILED;
}

enum lull_outcome lull_fail_between(struct lull_job *job, enum lull_stage stage,
				    enum lull_cause cause, int err, const char *text,
				    const char *other)
{
	(void)lull_fail(job, stage, cause, err, text);
	job->result->failure.path2 = strdup(other);
	return LULL_FAILED;
}

/* What is said to be done is done. */
static void compare(uint64_t until)
{
	for (unsigned int i = 0; i * BLOCK < until; i++)
		assert_int_equal(w.dest[i], w.source[i]);
}

void lull_tell(struct lull_job *job)
{
	compare(job->progress->offset);
}

void lull_tell_call(const struct lull_job *job UNUSED, enum lull_call call UNUSED)
{
}

bool lull_should_stop(struct lull_job *job UNUSED)
{
	w.over = w.over || (w.stop_after > 0 && w.calls >= w.stop_after);
	return ends("stop") || (w.stop_after > 0 && w.over);
}

bool lull_is_frozen(const struct lull_job *job UNUSED)
{
	return w.kind->frozen;
}

/* ---- clock ---- */

uint64_t lull_clock_now(void)
{
	return w.now;
}

void lull_clock_sleep(uint64_t ns)
{
	w.now += ns;
}

void lull_rest(struct lull_pace *pace)
{
	uint64_t ns = lull_pace_rest(pace);

	w.now += ns;
	w.rests += ns > 0;
	if (ns > 0)
		lull_pace_rested(pace, ns);
}

/* ---- freeze, log and record ---- */

enum lull_outcome lull_freeze_check(struct lull_job *job UNUSED)
{
	return ends("the writers were let go") ? LULL_STOPPED : LULL_OK;
}

void lull_log_force_init(struct lull_log_force *force, const struct lull_job *job UNUSED)
{
	*force = (struct lull_log_force){ 0 };
}

void lull_log_force_done(struct lull_log_force *force UNUSED)
{
	w.forces++;
}

int lull_log_force_if_due(struct lull_log_force *force UNUSED,
			  const struct lull_job *job UNUSED,
			  struct lull_pace *pace UNUSED)
{
	return ends("force the log") ? -EIO : 0;
}

enum lull_outcome lull_record_offset(struct lull_job *job UNUSED, uint64_t offset)
{
	compare(offset);
	w.records++;
	return ends("record") ? LULL_FAILED : LULL_OK;
}

int lull_tripwire_look(int fd UNUSED, struct lull_reference *ret)
{
	*ret = (struct lull_reference){ 0 };
	return ends("look at the source") ? -EIO : 0;
}

bool lull_reference_equal(const struct lull_reference *a UNUSED,
			  const struct lull_reference *b UNUSED)
{
	if (w.written_after > 0 && w.calls >= w.written_after)
		return false;
	return !(w.failed && strcmp(w.failed, "a changed source") == 0) &&
	       !ends("written");
}

/* ---- the maps ---- */

/* Where the block is on disk: dest has what was cloned from the source. */
static uint64_t place(int fd, unsigned int i)
{
	if (fd != DEST)
		return (1000 + i) * BLOCK;
	return w.dest[i] == w.source[i] ? (1000 + i) * BLOCK : (9000 + i) * BLOCK;
}

static int next(void *ctx, struct lull_extent *ret)
{
	struct lull_extmap *map = ctx;
	const unsigned int *bytes = map->fd == DEST ? w.dest : w.source;
	unsigned int from = (unsigned int)(map->pos / BLOCK), to;

	/* What was read before may still be cloned. */
	w.broken = w.broken || fails("walk");
	if (w.broken)
		return -EIO;
	while (from < BLOCKS && bytes[from] == 0)
		from++;
	if (from * BLOCK >= map->end)
		return 0;
	for (to = from + 1; to < BLOCKS && bytes[to] != 0; to++) {
		if (w.begins[to] || place(map->fd, to) != place(map->fd, to - 1) + BLOCK)
			break;
	}
	*ret = (struct lull_extent){
		.off = from * BLOCK,
		.len = MIN(to * BLOCK, map->end) - from * BLOCK,
		.phys = place(map->fd, from),
		.weight = 1,
	};
	map->pos = to * BLOCK;
	return 1;
}

int lull_extmap_open(int fd, enum lull_extmap_kind kind, uint64_t start, uint64_t end,
		     struct lull_extmap **ret_map)
{
	struct lull_extmap *map;

	/* Both in the same way: places of another one cannot be compared. */
	if (fd == DEST)
		assert_int_equal(kind, w.kind->map);
	if (ends("open a map"))
		return -EOPNOTSUPP;
	map = malloc(sizeof(*map));
	*map = (struct lull_extmap){
		.fd = fd,
		.pos = start,
		.end = end,
		.kind = w.kind->map,
	};
	w.open++;
	*ret_map = map;
	return 0;
}

void lull_extmap_close(struct lull_extmap *map)
{
	w.open -= map != NULL;
	free(map);
}

enum lull_extmap_kind lull_extmap_kind(const struct lull_extmap *map)
{
	return map->kind;
}

void lull_extmap_skip(void *map, uint64_t off)
{
	struct lull_extmap *m = map;

	m->pos = MAX(m->pos, off);
}

uint64_t lull_extmap_sparse_until(void *map UNUSED, uint64_t off, uint64_t end UNUSED,
				  const struct lull_spacing *spacing UNUSED)
{
	return off;
}

struct lull_cursor lull_extmap_cursor(struct lull_extmap *map)
{
	return (struct lull_cursor){ .next = next, .ctx = map };
}

static uint32_t count(const unsigned int *bytes)
{
	uint32_t n = 0;

	for (unsigned int i = 0; i < BLOCKS; i++)
		n += bytes[i] != 0 && (i == 0 || bytes[i - 1] == 0 || w.begins[i]);
	return n;
}

uint64_t lull_inode_extents(int fd)
{
	return w.kind->counts ? count(fd == DEST ? w.dest : w.source) : 0;
}

bool lull_subvolume_has_hole_items(int fd UNUSED)
{
	return false;
}

/* ---- the calls ---- */

static void copy(uint64_t off, uint64_t len)
{
	for (uint64_t at = off; at < off + len; at += BLOCK)
		w.dest[at / BLOCK] = w.source[at / BLOCK];
}

int lull_clone_range(int src, int dest, uint64_t off, uint64_t len)
{
	/* Invariants 1 and 3. */
	assert_false(w.over);
	assert_int_equal(src, w.job.src);
	assert_int_equal(dest, DEST);
	assert_true(len > 0 && off % BLOCK == 0 && off + len <= SIZE);
	assert_true(len % BLOCK == 0 || off + len == SIZE);
	w.calls++;
	w.now += (len + BLOCK - 1) / BLOCK * NSEC_PER_MSEC;
	if (ends("clone")) {
		/* What the range holds now is unknown. */
		copy(off, len / 2 / BLOCK * BLOCK);
		w.dest[off / BLOCK] = 4242;
		return -EIO;
	}
	if (ends("a changed source")) {
		w.dest[off / BLOCK] = 4242;
		return -EINVAL;
	}
	if (fails("a range that is refused"))
		w.over = true;
	if (w.over)
		return -EINVAL;
	if (fails("not now") || w.again > 0) {
		w.again -= w.again > 0;
		return w.again % 2 ? -EINTR : -EAGAIN;
	}
	copy(off, len);
	return 0;
}

int lull_clone_punch(int fd, uint64_t off, uint64_t len)
{
	assert_false(w.over);
	assert_int_equal(fd, DEST);
	w.punches++;
	if (ends("punch"))
		return -EIO;
	for (uint64_t at = off; at < off + len; at += BLOCK)
		w.dest[at / BLOCK] = 0;
	return 0;
}

int lull_clone_whole(int src UNUSED, int dest UNUSED, uint64_t block, bool written UNUSED,
		     uint64_t *ret_size)
{
	assert_int_equal(block, BLOCK);
	w.now += w.options.latency_budget_ns + 1;
	if (fails("clone"))
		return -EXDEV;
	*ret_size = w.whole;
	return 0;
}

enum lull_cause lull_clone_classify(int err UNUSED, int src UNUSED, int dest UNUSED,
				    uint64_t off UNUSED, uint64_t len UNUSED)
{
	return LULL_CAUSE_ERRNO;
}

uint64_t lull_one_call_weight(uint64_t budget_ns UNUSED, uint64_t magic UNUSED)
{
	return 10;
}

int lull_one_call_count(int src UNUSED, uint64_t size UNUSED, uint64_t block UNUSED,
			uint64_t most UNUSED, struct lull_one_call *ret_count)
{
	*ret_count = w.count;
	return w.count_fails;
}

/* ---- the passes ---- */

static const struct kind kinds[] = {
	{ .name = "fresh", .mode = LULL_PLAN_FRESH, .map = LULL_EXTMAP_FIEMAP },
	{ .name = "fresh, by tree search",
	  .mode = LULL_PLAN_FRESH,
	  .map = LULL_EXTMAP_BTRFS },
	{ .name = "fresh, counted",
	  .mode = LULL_PLAN_FRESH,
	  .map = LULL_EXTMAP_FIEMAP,
	  .counts = true },
	{ .name = "over something else",
	  .mode = LULL_PLAN_UNKNOWN,
	  .map = LULL_EXTMAP_FIEMAP },
	{ .name = "what differs", .mode = LULL_PLAN_COMPARE, .map = LULL_EXTMAP_FIEMAP },
	{ .name = "resumed",
	  .mode = LULL_PLAN_UNKNOWN,
	  .map = LULL_EXTMAP_SEEK,
	  .start = 31 },
	{ .name = "frozen",
	  .mode = LULL_PLAN_COMPARE,
	  .map = LULL_EXTMAP_BTRFS,
	  .frozen = true },
	{ .name = "until somebody writes",
	  .mode = LULL_PLAN_FRESH,
	  .map = LULL_EXTMAP_FIEMAP,
	  .stop_if_written = true },
	{ .name = "from a snapshot",
	  .mode = LULL_PLAN_UNKNOWN,
	  .map = LULL_EXTMAP_BTRFS,
	  .snapshot = true },
	{ .name = "empty",
	  .mode = LULL_PLAN_FRESH,
	  .map = LULL_EXTMAP_FIEMAP,
	  .empty = true },
};

static void begin(const struct kind *kind, unsigned int at)
{
	w = (struct world){ .kind = kind, .at = at };
	w.options = (struct lull_options){
		.latency_budget_ns = 2 * NSEC_PER_MSEC,
		.duty_cycle = 50,
		.checkpoint_interval_ns = 5 * NSEC_PER_MSEC,
	};
	w.result.progress.hist = w.result.hist = &w.hist;
	w.job = (struct lull_job){
		.options = &w.options,
		.result = &w.result,
		.progress = &w.result.progress,
		.freeze = &w.freeze,
		.source = path,
		.src = 7,
		.live = kind->snapshot ? 8 : -1,
		.mode = kind->mode,
		.stop_if_written = kind->stop_if_written,
		.reference = { .size = kind->empty ? 0 : SIZE },
		.dest = { .path = dest_path, .fd = DEST, .fs = { .block = BLOCK } },
	};
	w.result.progress.dest = dest_path;
	w.result.progress.size = w.job.reference.size;
	w.result.progress.budget_ns = w.options.latency_budget_ns;
	for (unsigned int i = 0; i < BLOCKS && !kind->empty; i++) {
		w.source[i] = unit_below(4) == 0 ? 0 : i + 1;
		w.begins[i] = unit_below(2);
		if (kind->mode != LULL_PLAN_FRESH)
			w.dest[i] = unit_below(2)   ? w.source[i]
				    : unit_below(2) ? 0
						    : 5000 + i;
		if (i < kind->start)
			w.dest[i] = w.source[i];
	}
}

static void end(void)
{
	assert_int_equal(w.open, 0);
	free(w.result.failure.path2);
}

#define promise(condition) check(what, condition)

/* The outcome is what happened, and what is said to be done is done. */
static void run(const char *what)
{
	const struct lull_failure *failure = &w.result.failure;
	const struct lull_progress *progress = &w.result.progress;
	const char *failed;
	bool changed;
	enum lull_outcome outcome = lull_pass_run(&w.job, w.kind->start * BLOCK,
						  &changed);

	failed = w.failed ? w.failed : "";
	compare(progress->offset);
	promise(progress->offset <= w.job.reference.size);
	promise(progress->passes == 1);
	promise(progress->calls == w.calls);
	promise(progress->extents_cloned <= progress->extents);
	promise(progress->bytes_cloned <= progress->size);
	promise(w.job.last_pass_ns >= w.job.last_call_ns);
	if (!w.over && !w.broken) {
		promise(outcome == LULL_OK && !changed);
		promise(progress->offset == w.job.reference.size);
		return;
	}
	promise(outcome != LULL_OK);
	promise(changed == (strcmp(failed, "a changed source") == 0 ||
			    strcmp(failed, "written") == 0 ||
			    strcmp(failed, "look at the source") == 0));
	if (changed || strcmp(failed, "the writers were let go") == 0) {
		promise(outcome == LULL_STOPPED);
	} else if (strcmp(failed, "stop") == 0) {
		promise(outcome == LULL_INTERRUPTED);
	} else {
		promise(outcome == LULL_FAILED);
		promise(failure->stage != LULL_STAGE_NONE ||
			strcmp(failed, "record") == 0);
	}
	if (strcmp(failed, "clone") == 0) {
		/* All of it at once: no range to speak of. */
		promise(failure->stage == (failure->len == progress->size
						   ? LULL_STAGE_PROBE
						   : LULL_STAGE_CLONE));
		promise(failure->path2);
		promise(failure->len > 0 && failure->off >= progress->offset);
	}
}

static void test_every_fault(void **state UNUSED)
{
	unsigned int runs = 0, calls = 0, records = 0;

	for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
		for (unsigned int at = 0;; at++) {
			bool failed;
			char what[120];

			(void)snprintf(what, sizeof(what), "%s, step %u", kinds[k].name,
				       at);
			begin(&kinds[k], at);
			run(what);
			failed = w.failed != NULL;
			calls += w.calls;
			records += w.records;
			runs++;
			end();
			if (!failed)
				break;
		}
	}
	print_message("%u runs, %u calls, %u records\n", runs, calls, records);
	assert_true(runs > 500 && calls > 5000 && records > 500);
}

/* Refused for the moment: the call is made again, but not for ever. */
static void test_not_now(void **state UNUSED)
{
	bool changed;

	begin(&kinds[0], UINT32_MAX);
	w.again = 19;
	assert_int_equal(lull_pass_run(&w.job, 0, &changed), LULL_OK);
	compare(SIZE);
	end();

	begin(&kinds[0], UINT32_MAX);
	w.again = 1000;
	assert_int_equal(lull_pass_run(&w.job, 0, &changed), LULL_FAILED);
	assert_int_equal(w.calls, 20);
	assert_int_equal(w.result.progress.offset, 0);
	assert_int_equal(w.result.failure.stage, LULL_STAGE_CLONE);
	end();
}

/* Every block by itself, in calls that take all of their budget. */
static void begin_slowly(const struct kind *kind)
{
	begin(kind, UINT32_MAX);
	w.options.latency_budget_ns = NSEC_PER_MSEC;
	for (unsigned int i = 0; i < BLOCKS; i++) {
		w.source[i] = i + 1;
		w.begins[i] = true;
		w.dest[i] = 0;
	}
}

/* Invariant 1: no call is made once somebody wants to stop. */
static void test_stop(void **state UNUSED)
{
	bool changed;

	begin_slowly(&kinds[0]);
	w.stop_after = 10;
	assert_int_equal(lull_pass_run(&w.job, 0, &changed), LULL_INTERRUPTED);
	assert_int_equal(w.calls, 10);
	assert_true(w.rests > 0);
	assert_true(w.result.progress.offset < SIZE);
	end();
}

/* Who writes to a source that must stay as it is is known soon, not at the end. */
static void test_writers_are_noticed(void **state UNUSED)
{
	for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
		bool minds = kinds[k].frozen || kinds[k].stop_if_written, changed;
		enum lull_outcome outcome;

		if (kinds[k].empty || kinds[k].start > 0 || kinds[k].snapshot)
			continue;
		begin_slowly(&kinds[k]);
		w.written_after = 10;
		outcome = lull_pass_run(&w.job, 0, &changed);
		check_int(kinds[k].name, outcome, minds ? LULL_STOPPED : LULL_OK);
		check_int(kinds[k].name, changed, minds);
		if (minds)
			check(kinds[k].name, w.calls > 10 && w.calls < 50);
		end();
	}
}

/* What is equal already is not cloned once more, and holes are punched. */
static void test_only_what_differs(void **state UNUSED)
{
	const struct kind *compared = &kinds[4];
	bool changed;

	begin(compared, UINT32_MAX);
	memcpy(w.dest, w.source, sizeof(w.dest));
	assert_int_equal(lull_pass_run(&w.job, 0, &changed), LULL_OK);
	assert_int_equal(w.calls + w.punches, 0);
	end();

	begin(compared, UINT32_MAX);
	memcpy(w.dest, w.source, sizeof(w.dest));
	w.source[40] = 0;
	w.dest[40] = 77;
	assert_int_equal(lull_pass_run(&w.job, 0, &changed), LULL_OK);
	compare(SIZE);
	assert_int_equal(w.calls, 0);
	assert_int_equal(w.punches, 1);
	end();
}

/* Nobody waits for calls from a snapshot: they begin large. */
static void test_calls_from_a_snapshot_are_large(void **state UNUSED)
{
	unsigned int calls[2];
	bool changed;

	for (unsigned int i = 0; i < 2; i++) {
		struct kind kind = { .mode = LULL_PLAN_FRESH,
				     .map = LULL_EXTMAP_BTRFS,
				     .snapshot = i };

		begin(&kind, UINT32_MAX);
		for (unsigned int b = 0; b < BLOCKS; b++)
			w.source[b] = b + 1;
		assert_int_equal(lull_pass_run(&w.job, 0, &changed), LULL_OK);
		calls[i] = w.calls;
		end();
	}
	assert_int_equal(calls[1], 1);
	assert_true(calls[0] > 5);
}

static void test_one_call(void **state UNUSED)
{
	static const struct {
		const char *name;
		uint64_t size;
		struct lull_one_call count;
		int fails;
		bool fits;
	} rows[] = {
		{ .name = "empty", .fits = true },
		{ .name = "some",
		  .size = SIZE,
		  .count = { .fits = true, .weight = 3, .bytes = 4096, .extents = 3 },
		  .fits = true },
		{ .name = "too much", .size = SIZE, .count = { .weight = 30 } },
		{ .name = "no map", .size = SIZE, .fails = -EIO },
		{ .name = "a hole", .size = SIZE, .count = { .fits = true } },
		{ .name = "a hole of two TiB",
		  .size = 2ULL << 40,
		  .count = { .fits = true, .weight = 3, .bytes = 4096, .extents = 3 } },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		begin(&kinds[0], UINT32_MAX);
		w.job.src = memfd_create("source", MFD_CLOEXEC);
		assert_int_equal(ftruncate(w.job.src, (off_t)rows[i].size), 0);
		w.count = rows[i].count;
		w.count_fails = rows[i].fails;
		check_int(rows[i].name, lull_pass_fits_one_call(&w.job), rows[i].fits);
		check_int(rows[i].name, w.result.progress.extents,
			  rows[i].fits ? rows[i].count.extents : 0);
		(void)close(w.job.src);
		end();
	}
	begin(&kinds[0], UINT32_MAX);
	w.job.src = -1;
	assert_false(lull_pass_fits_one_call(&w.job));
	end();
}

/* All at once; how long the source is is known only then. */
static void test_whole(void **state UNUSED)
{
	begin(&kinds[0], UINT32_MAX);
	w.whole = 5 * BLOCK;
	w.job.mapped_bytes = 7 * BLOCK;
	w.result.progress.extents = 3;
	assert_int_equal(lull_pass_whole(&w.job, true), LULL_OK);
	assert_int_equal(w.result.progress.size, 5 * BLOCK);
	assert_int_equal(w.result.progress.offset, 5 * BLOCK);
	assert_int_equal(w.result.progress.bytes_cloned, 5 * BLOCK);
	assert_int_equal(w.result.progress.extents_cloned, 3);
	assert_int_equal(w.result.progress.over_budget_calls, 1);
	assert_int_equal(w.job.checkpoint.dest_size, 5 * BLOCK);
	end();

	/* After a pass these count what that one cloned. */
	begin(&kinds[0], UINT32_MAX);
	w.whole = 5 * BLOCK;
	w.result.progress.extents = 9;
	w.result.progress.extents_cloned = 2;
	assert_int_equal(lull_pass_whole(&w.job, false), LULL_OK);
	assert_int_equal(w.result.progress.extents_cloned, 2);
	end();

	/* No range failed: the file system, say, has no clones. */
	begin(&kinds[0], 0);
	assert_int_equal(lull_pass_whole(&w.job, false), LULL_FAILED);
	assert_int_equal(w.result.failure.stage, LULL_STAGE_PROBE);
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_fault),
		cmocka_unit_test(test_not_now),
		cmocka_unit_test(test_stop),
		cmocka_unit_test(test_writers_are_noticed),
		cmocka_unit_test(test_only_what_differs),
		cmocka_unit_test(test_calls_from_a_snapshot_are_large),
		cmocka_unit_test(test_one_call),
		cmocka_unit_test(test_whole),
	};

	unit_seed("pass", 1);
	return cmocka_run_group_tests_name("pass", tests, NULL, NULL);
}
