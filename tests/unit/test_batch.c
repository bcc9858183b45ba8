// SPDX-License-Identifier: MIT
/* From ranges to calls: bounds, joins, cuts. */
/* The tables name the first fields. */
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"

#include "unit.h"

#include "plan/batch.h"
#include "util/macros.h"

#define BLOCK  4096ULL
#define RANGES 40

/* A list of ranges, and what comes after it. */
struct list {
	const struct lull_range *range;
	size_t n;
	size_t at;
	int end;
};

static int list_next(void *ctx, struct lull_range *ret_range)
{
	struct list *list = ctx;

	if (list->at == list->n)
		return list->end;
	*ret_range = list->range[list->at++];
	return 1;
}

static void start(struct lull_batch *batch, struct list *list)
{
	struct lull_range_source source = { .next = list_next, .ctx = list };

	lull_batch_init(batch, BLOCK, &source);
}

#define CLONE(block, blocks, heavy)                                                      \
	{                                                                                \
		(block) * BLOCK, (blocks)*BLOCK, (heavy), LULL_RANGE_CLONE, false, false \
	}
#define PUNCH(block, blocks)                                                       \
	{                                                                          \
		(block) * BLOCK, (blocks)*BLOCK, 0, LULL_RANGE_PUNCH, false, false \
	}
#define CALL(block, blocks, heavy, pieces)                                              \
	{                                                                               \
		(block) * BLOCK, (blocks)*BLOCK, 0, (heavy), (pieces), LULL_RANGE_CLONE \
	}
#define HOLE(block, blocks)                                                \
	{                                                                  \
		(block) * BLOCK, (blocks)*BLOCK, 0, 0, 0, LULL_RANGE_PUNCH \
	}

static void test_table(void **state UNUSED)
{
	static const struct {
		const char *name;
		uint32_t limit;
		struct lull_range in[5];
		struct lull_request out[6];
	} cases[] = {
		{ "nothing", 4, { { 0 } }, { { 0 } } },
		{ "one", 4, { CLONE(0, 1, 1) }, { CALL(0, 1, 1, 1) } },
		{ "neighbours are joined",
		  4,
		  { CLONE(0, 1, 1), CLONE(1, 2, 2), CLONE(3, 1, 1) },
		  { CALL(0, 4, 4, 3) } },
		{ "a gap parts them",
		  4,
		  { CLONE(0, 1, 1), CLONE(2, 1, 1) },
		  { CALL(0, 1, 1, 1), CALL(2, 1, 1, 1) } },
		{ "the limit parts them",
		  2,
		  { CLONE(0, 1, 1), CLONE(1, 1, 1), CLONE(2, 1, 1) },
		  { CALL(0, 2, 2, 2), CALL(2, 1, 1, 1) } },
		{ "what fits a call of its own is not cut",
		  4,
		  { CLONE(0, 3, 3), CLONE(3, 4, 4), CLONE(7, 1, 1) },
		  { CALL(0, 3, 3, 1), CALL(3, 4, 4, 1), CALL(7, 1, 1, 1) } },
		{ "a heavy one is cut",
		  4,
		  { CLONE(0, 10, 10) },
		  { CALL(0, 4, 4, 1), CALL(4, 4, 4, 0), CALL(8, 2, 2, 0) } },
		{ "its rest travels with its neighbour",
		  4,
		  { CLONE(0, 6, 6), CLONE(6, 1, 1) },
		  { CALL(0, 4, 4, 1), CALL(4, 3, 3, 1) } },
		{ "a cut is rounded down to blocks",
		  2,
		  { CLONE(0, 5, 3) },
		  { CALL(0, 3, 2, 1), CALL(3, 2, 1, 0) } },
		{ "a block may exceed the limit",
		  4,
		  { CLONE(0, 1, 9), CLONE(1, 1, 1) },
		  { CALL(0, 1, 9, 1), CALL(1, 1, 1, 1) } },
		{ "what was sampled counts as many as it weighs",
		  4,
		  { CLONE(0, 1, 1),
		    { BLOCK, 6 * BLOCK, 6, LULL_RANGE_CLONE, true, false } },
		  { CALL(0, 1, 1, 1), CALL(1, 4, 4, 4), CALL(5, 2, 2, 2) } },
		{ "kinds do not mix",
		  4,
		  { CLONE(0, 1, 1), PUNCH(1, 1), CLONE(2, 1, 1) },
		  { CALL(0, 1, 1, 1), HOLE(1, 1), CALL(2, 1, 1, 1) } },
		{ "holes are joined and have no weight",
		  1,
		  { PUNCH(0, 1), PUNCH(1, 100), PUNCH(101, 7) },
		  { HOLE(0, 108) } },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct list list = { .range = cases[i].in };
		struct lull_batch batch;
		struct lull_request got;

		while (list.n < ARRAY_SIZE(cases[i].in) && cases[i].in[list.n].len)
			list.n++;
		start(&batch, &list);
		for (const struct lull_request *want = cases[i].out; want->len > 0;
		     want++) {
			check_int(cases[i].name,
				  lull_batch_next(&batch, cases[i].limit, &got), 1);
			check_int(cases[i].name, got.off, want->off);
			check_int(cases[i].name, got.len, want->len);
			check_int(cases[i].name, got.weight, want->weight);
			check_int(cases[i].name, got.extents, want->extents);
			check_int(cases[i].name, got.kind, want->kind);
		}
		check_int(cases[i].name, lull_batch_next(&batch, cases[i].limit, &got),
			  0);
		check_int(cases[i].name, lull_batch_next(&batch, cases[i].limit, &got),
			  0);
	}
}

#define AFTER_HOLE(block, blocks, heavy, what)                                \
	{                                                                     \
		(block) * BLOCK, (blocks)*BLOCK, (heavy), (what), false, true \
	}
#define ACROSS(block, blocks, hole_blocks, heavy, pieces)                                \
	{                                                                                \
		(block) * BLOCK, (blocks)*BLOCK, (hole_blocks)*BLOCK, (heavy), (pieces), \
			LULL_RANGE_CLONE                                                 \
	}

/* Holes of at most 10 blocks, and what they weigh. */
static void test_holes(void **state UNUSED)
{
	static const struct {
		const char *name;
		uint32_t limit, hole_weight;
		struct lull_range in[5];
		struct lull_request out[6];
	} cases[] = {
		{ "across a gap",
		  4,
		  0,
		  { CLONE(0, 1, 1), AFTER_HOLE(11, 1, 1, LULL_RANGE_CLONE) },
		  { ACROSS(0, 12, 10, 2, 2) } },
		{ "not across a wider one",
		  4,
		  0,
		  { CLONE(0, 1, 1), AFTER_HOLE(12, 1, 1, LULL_RANGE_CLONE) },
		  { CALL(0, 1, 1, 1), CALL(12, 1, 1, 1) } },
		{ "not across data that is equal",
		  4,
		  0,
		  { CLONE(0, 1, 1), CLONE(2, 1, 1) },
		  { CALL(0, 1, 1, 1), CALL(2, 1, 1, 1) } },
		{ "instead of a punch",
		  4,
		  0,
		  { CLONE(0, 1, 1), AFTER_HOLE(1, 3, 0, LULL_RANGE_PUNCH),
		    AFTER_HOLE(4, 2, 2, LULL_RANGE_CLONE),
		    AFTER_HOLE(6, 1, 0, LULL_RANGE_PUNCH) },
		  { ACROSS(0, 6, 3, 3, 2), HOLE(6, 1) } },
		{ "a punch that nothing follows, or data that is equal",
		  4,
		  0,
		  { CLONE(0, 1, 1), AFTER_HOLE(1, 3, 0, LULL_RANGE_PUNCH),
		    CLONE(4, 2, 2) },
		  { CALL(0, 1, 1, 1), HOLE(1, 3), CALL(4, 2, 2, 1) } },
		{ "a punch is no beginning",
		  4,
		  0,
		  { PUNCH(0, 1), AFTER_HOLE(1, 1, 1, LULL_RANGE_CLONE) },
		  { HOLE(0, 1), CALL(1, 1, 1, 1) } },
		{ "a hole has its weight",
		  4,
		  1,
		  { CLONE(0, 1, 1), AFTER_HOLE(2, 1, 1, LULL_RANGE_CLONE),
		    AFTER_HOLE(4, 1, 1, LULL_RANGE_CLONE) },
		  { ACROSS(0, 3, 1, 3, 2), CALL(4, 1, 1, 1) } },
		{ "what fits a call of its own is not cut",
		  4,
		  0,
		  { CLONE(0, 2, 2), AFTER_HOLE(3, 3, 3, LULL_RANGE_CLONE) },
		  { CALL(0, 2, 2, 1), CALL(3, 3, 3, 1) } },
		{ "the rest of a heavy one goes on",
		  4,
		  0,
		  { CLONE(0, 6, 6), AFTER_HOLE(7, 1, 1, LULL_RANGE_CLONE) },
		  { CALL(0, 4, 4, 1), ACROSS(4, 4, 1, 3, 1) } },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct list list = { .range = cases[i].in };
		struct lull_batch batch;
		struct lull_request got;

		while (list.n < ARRAY_SIZE(cases[i].in) && cases[i].in[list.n].len)
			list.n++;
		start(&batch, &list);
		lull_batch_cross_holes(&batch, 10 * BLOCK, cases[i].hole_weight);
		for (const struct lull_request *want = cases[i].out; want->len > 0;
		     want++) {
			check_int(cases[i].name,
				  lull_batch_next(&batch, cases[i].limit, &got), 1);
			check_int(cases[i].name, got.off, want->off);
			check_int(cases[i].name, got.len, want->len);
			check_int(cases[i].name, got.holes, want->holes);
			check_int(cases[i].name, got.weight, want->weight);
			check_int(cases[i].name, got.extents, want->extents);
			check_int(cases[i].name, got.kind, want->kind);
		}
		check_int(cases[i].name, lull_batch_next(&batch, cases[i].limit, &got),
			  0);
		check_int(cases[i].name, lull_batch_next(&batch, cases[i].limit, &got),
			  0);
	}
}

/* What was gathered before an error is good: the error comes with the next call. */
static void test_error(void **state UNUSED)
{
	static const struct lull_range ranges[] = { CLONE(0, 1, 1), CLONE(1, 1, 1) };
	struct list list = { ranges, ARRAY_SIZE(ranges), 0, -EIO };
	struct lull_batch batch;
	struct lull_request got = { 0 };

	start(&batch, &list);
	assert_int_equal(lull_batch_next(&batch, 100, &got), 1);
	assert_int_equal(got.len, 2 * BLOCK);
	assert_int_equal(lull_batch_next(&batch, 100, &got), -EIO);

	list = (struct list){ ranges, 0, 0, -ENOMEM };
	start(&batch, &list);
	assert_int_equal(lull_batch_next(&batch, 1, &got), -ENOMEM);
}

/* An extent as long as a file may be, of the greatest weight: no product overflows. */
static void test_huge(void **state UNUSED)
{
	static const struct lull_range range = { 0,          (1ULL << 63) - BLOCK,
						 UINT32_MAX, LULL_RANGE_CLONE,
						 false,      false };
	struct list list = { &range, 1, 0, 0 };
	struct lull_batch batch;
	struct lull_request got;
	uint64_t end = 0;
	unsigned int calls = 0;

	start(&batch, &list);
	while (lull_batch_next(&batch, 1u << 20, &got) == 1) {
		assert_true(got.off == end);
		assert_true(got.len > 0 && got.len % BLOCK == 0);
		assert_true(got.weight <= 1u << 20);
		end += got.len;
		calls++;
	}
	assert_true(end == range.len);
	assert_in_range(calls, 4096, 4100);
}

static size_t make_ranges(struct lull_range *range, uint32_t *ret_blocks)
{
	size_t n = unit_below(RANGES + 1);
	uint64_t block = unit_below(5);

	for (size_t i = 0; i < n; i++) {
		uint32_t blocks = (uint32_t)(1 + unit_below(30));
		bool punch = unit_below(5) == 0;

		if (unit_below(4) == 0)
			block += 1 + unit_below(9);
		range[i] = (struct lull_range){
			.off = block * BLOCK,
			.len = blocks * BLOCK,
			.weight = punch ? 0 : (uint32_t)(1 + unit_below(50)),
			.kind = punch ? LULL_RANGE_PUNCH : LULL_RANGE_CLONE,
			.after_hole = i > 0 && unit_below(3) > 0,
		};
		block += blocks;
	}
	if (n > 0 && unit_below(2))
		range[n - 1].len -= 1 + unit_below(BLOCK - 1);
	*ret_blocks = (uint32_t)block;
	return n;
}

/* How many cuts there are within a range: ends of requests strictly inside of it. */
static bool is_cut(const struct lull_range *range, uint64_t end)
{
	return end > range->off && end < range->off + range->len;
}

static void test_property(void **state UNUSED)
{
	struct lull_range range[RANGES];

	unit_seed("batch", 0);
	for (unsigned int round = 0; round < 50000; round++) {
		uint32_t blocks;
		size_t n = make_ranges(range, &blocks), at = 0, clones = 0;
		struct list list = { range, n, 0, 0 };
		struct lull_batch batch;
		struct lull_request got;
		bool steady = unit_below(2);
		uint64_t widest = unit_below(2) ? unit_below(20) * BLOCK : 0;
		uint32_t hole_weight = (uint32_t)unit_below(3);
		uint32_t limit = (uint32_t)(1 + unit_below(40));
		uint64_t in = 0, out = 0, end = 0, extents = 0, punched = 0;
		int r;

		for (size_t i = 0; i < n; i++) {
			in += range[i].len;
			clones += range[i].kind == LULL_RANGE_CLONE;
		}
		start(&batch, &list);
		lull_batch_cross_holes(&batch, widest, hole_weight);
		for (;;) {
			if (!steady)
				limit = (uint32_t)(1 + unit_below(40));
			r = lull_batch_next(&batch, limit, &got);
			if (r <= 0)
				break;
			assert_true(got.len > 0);
			assert_true(got.off >= end);
			assert_true(got.off % BLOCK == 0);
			assert_true(got.weight <= limit || got.len <= BLOCK);
			assert_true((got.weight == 0) == (got.kind == LULL_RANGE_PUNCH));
			end = got.off + got.len;

			/* Only bytes of ranges of its kind, and holes, of which none is
			   too wide. */
			uint64_t holes = 0, hole = 0;

			while (at < n && range[at].off + range[at].len <= got.off)
				at++;
			for (uint64_t pos = got.off; pos < end;) {
				assert_true(at < n);
				assert_true(range[at].off <= pos || range[at].after_hole);
				hole += range[at].off > pos ? range[at].off - pos : 0;
				pos = range[at].off + range[at].len;
				if (range[at].kind == got.kind) {
					assert_true(hole <= widest);
					holes += hole;
					hole = 0;
				} else {
					assert_true(range[at].after_hole);
					hole += range[at].len;
					punched += range[at].len;
				}
				if (pos <= end)
					at++;
			}
			assert_int_equal(hole, 0);
			assert_int_equal(holes, got.holes);
			for (size_t i = 0; steady && i < n; i++)
				assert_false(is_cut(&range[i], end) &&
					     range[i].weight <= limit);
			out += got.len - got.holes;
			extents += got.extents;
		}
		assert_int_equal(r, 0);
		assert_true(out + punched == in);
		assert_true(extents == clones);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),    cmocka_unit_test(test_holes),
		cmocka_unit_test(test_error),    cmocka_unit_test(test_huge),
		cmocka_unit_test(test_property),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
