// SPDX-License-Identifier: MIT
/* The histogram against exact percentiles. */
#include "unit.h"

#include "plan/hist.h"
#include "util/macros.h"

#define VALUES 20000

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static void test_empty(void **state UNUSED)
{
	struct lull_hist hist = { 0 };
	struct lull_bar bars[4];

	assert_int_equal(lull_hist_permille(&hist, 0), 0);
	assert_int_equal(lull_hist_permille(&hist, 500), 0);
	assert_int_equal(lull_hist_permille(&hist, 1000), 0);
	assert_int_equal(lull_hist_bars(&hist, bars, 4), 0);
}

/*
 * One value alone is reported exactly, for no percentile exceeds max. With a larger one
 * beside it, what is reported is the bound of its bucket.
 */
static void test_bounds(void **state UNUSED)
{
	static const struct {
		const char *name;
		uint64_t value;
		uint64_t bound;
	} cases[] = {
		{ "zero", 0, 0 },
		{ "one", 1, 1 },
		{ "last exact", 63, 63 },
		{ "first pair", 64, 65 },
		{ "second of the pair", 65, 65 },
		{ "next pair", 66, 67 },
		{ "last of its power", 127, 127 },
		{ "first of four", 128, 131 },
		{ "last of four", 131, 131 },
		{ "a microsecond", 1000, 1007 },
		{ "a millisecond", 1000000, 1015807 },
		{ "before a power", (1ULL << 32) - 1, (1ULL << 32) - 1 },
		{ "a power", 1ULL << 32, (1ULL << 32) + (1ULL << 27) - 1 },
		{ "the half", 1ULL << 63, (1ULL << 63) + (1ULL << 58) - 1 },
		{ "below the largest", UINT64_MAX - 1, UINT64_MAX },
		{ "the largest", UINT64_MAX, UINT64_MAX },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct lull_hist hist = { 0 };

		lull_hist_add(&hist, cases[i].value);
		check(cases[i].name, hist.count == 1);
		check(cases[i].name, hist.max == cases[i].value);
		check(cases[i].name, lull_hist_permille(&hist, 1) == cases[i].value);
		check(cases[i].name, lull_hist_permille(&hist, 1000) == cases[i].value);
		lull_hist_add(&hist, UINT64_MAX);
		check(cases[i].name, lull_hist_permille(&hist, 500) == cases[i].bound);
	}
}

/* Which value a percentile is, at the edges of the counting. */
static void test_ranks(void **state UNUSED)
{
	static const struct {
		const char *name;
		unsigned int permille;
		uint64_t wanted;
	} cases[] = {
		{ "none of ten", 0, 1 },       { "first of ten", 100, 1 },
		{ "a bit more", 101, 2 },      { "half", 500, 5 },
		{ "more than half", 501, 6 },  { "nine of ten", 900, 9 },
		{ "more than nine", 901, 10 }, { "99.9 percent", 999, 10 },
		{ "all", 1000, 10 },
	};
	struct lull_hist hist = { 0 };

	for (uint64_t i = 10; i >= 1; i--)
		lull_hist_add(&hist, i);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		check_int(cases[i].name, lull_hist_permille(&hist, cases[i].permille),
			  cases[i].wanted);
}

static uint64_t draw(unsigned int kind)
{
	switch (kind) {
	case 0: /* small numbers, where buckets are exact */
		return unit_below(100);
	case 1: /* any magnitude */
		return unit_random() >> unit_below(64);
	case 2: /* like calls: around a millisecond, some far longer */
		return 900000 + unit_below(200000) +
		       (unit_below(100) == 0 ? 80000000 : 0);
	default: /* one value over and over */
		return 123456789;
	}
}

static void test_percentiles(void **state UNUSED)
{
	static const char *const names[] = { "small", "any", "calls", "constant" };
	static const unsigned int permilles[] = { 0,   1,   10,  250, 500,
						  750, 900, 990, 999, 1000 };
	uint64_t *values = calloc(VALUES, sizeof(*values));

	assert_non_null(values);
	unit_seed("percentiles", 0);
	for (unsigned int round = 0; round < 40; round++) {
		unsigned int kind = round % ARRAY_SIZE(names);
		size_t n = 1 + unit_below(VALUES);
		struct lull_hist hist = { 0 };

		for (size_t i = 0; i < n; i++) {
			values[i] = draw(kind);
			lull_hist_add(&hist, values[i]);
		}
		qsort(values, n, sizeof(*values), by_value);
		check(names[kind], hist.count == n);
		check(names[kind], hist.max == values[n - 1]);
		for (size_t i = 0; i < ARRAY_SIZE(permilles); i++) {
			size_t rank = (n * permilles[i] + 999) / 1000;
			uint64_t exact = values[rank > 0 ? rank - 1 : 0];
			uint64_t got = lull_hist_permille(&hist, permilles[i]);

			check(names[kind], got >= exact);
			check(names[kind], got - exact <= exact / 32);
			check(names[kind], got <= hist.max);
		}
	}
	free(values);
}

static void test_bars(void **state UNUSED)
{
	struct lull_bar bars[70];

	unit_seed("bars", 0);
	for (unsigned int round = 0; round < 40; round++) {
		struct lull_hist hist = { 0 };
		uint64_t per_log[64] = { 0 };
		uint64_t sum = 0;
		size_t n = 1 + unit_below(2000);

		for (size_t i = 0; i < n; i++) {
			uint64_t value = unit_random() >> (1 + unit_below(63));

			lull_hist_add(&hist, value);
			per_log[value ? 63 - __builtin_clzll(value) : 0]++;
		}

		unsigned int count = lull_hist_bars(&hist, bars, ARRAY_SIZE(bars));

		for (unsigned int i = 0; i < count; i++) {
			unsigned int log = bars[i].from_ns
						   ? 63 - __builtin_clzll(bars[i].from_ns)
						   : 0;

			assert_true(bars[i].calls > 0);
			assert_true(bars[i].calls == per_log[log]);
			assert_true(bars[i].from_ns == (log ? 1ULL << log : 0));
			assert_true(bars[i].to_ns == 2ULL << log);
			if (i > 0)
				assert_true(bars[i].from_ns >= bars[i - 1].to_ns);
			sum += bars[i].calls;
		}
		assert_true(sum == n);
	}
}

/* Too little room: the shortest come first and nothing is written beyond it. */
static void test_bars_room(void **state UNUSED)
{
	struct lull_hist hist = { 0 };
	struct lull_bar bars[3] = { { 7, 7, 7 }, { 7, 7, 7 }, { 7, 7, 7 } };

	lull_hist_add(&hist, 1);
	lull_hist_add(&hist, 1);
	lull_hist_add(&hist, 5);
	lull_hist_add(&hist, 1000);
	assert_int_equal(lull_hist_bars(&hist, bars, 0), 0);
	assert_int_equal(lull_hist_bars(&hist, bars, 2), 2);
	assert_int_equal(bars[0].calls, 2);
	assert_int_equal(bars[1].from_ns, 4);
	assert_int_equal(bars[1].to_ns, 8);
	assert_int_equal(bars[1].calls, 1);
	assert_int_equal(bars[2].calls, 7);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_empty), cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_ranks), cmocka_unit_test(test_percentiles),
		cmocka_unit_test(test_bars),  cmocka_unit_test(test_bars_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
