// SPDX-License-Identifier: MIT
/* Ranges through the walker's ring, whole and in order. */
#include "unit.h"

#include "engine/walker.h"
#include "util/macros.h"

#define BLOCK 4096ULL

/* n extents with a hole behind each; then end. */
struct fake {
	uint64_t n;
	uint64_t at;
	int end;
};

static int fake_next(void *ctx, struct lull_extent *ret_extent)
{
	struct fake *fake = ctx;

	if (fake->at == fake->n)
		return fake->end;
	*ret_extent = (struct lull_extent){
		.off = fake->at * 2 * BLOCK,
		.len = BLOCK,
		.phys = (1 + fake->at) * BLOCK,
		.weight = 1 + (uint32_t)(fake->at % 7),
	};
	fake->at++;
	return 1;
}

static struct lull_walker *start(struct fake *fake)
{
	struct lull_cursor cursor = { .next = fake_next, .ctx = fake };
	struct lull_walker *walker = NULL;
	struct lull_plan plan;

	lull_plan_init(&plan, LULL_PLAN_FRESH, 0, 1ULL << 40, BLOCK, &cursor, NULL);
	assert_int_equal(lull_walker_start(&plan, &walker), 0);
	return walker;
}

static void check_order(const char *name, const struct lull_range *range, uint64_t i)
{
	check_int(name, range->off, i * 2 * BLOCK);
	check_int(name, range->len, BLOCK);
	check_int(name, range->weight, 1 + i % 7);
	check_int(name, range->kind, LULL_RANGE_CLONE);
}

static void test_all(void **state UNUSED)
{
	static const struct {
		const char *name;
		uint64_t n;
		int end;
	} cases[] = {
		{ "none", 0, 0 },
		{ "one", 1, 0 },
		{ "a block but one", 511, 0 },
		{ "a block", 512, 0 },
		{ "a block and one", 513, 0 },
		{ "the ring", 8 * 512, 0 },
		{ "the ring and one", 8 * 512 + 1, 0 },
		{ "many", 100000, 0 },
		{ "error at once", 0, -EIO },
		{ "error after a block", 512, -ENOMEM },
		{ "error in the middle", 3000, -EIO },
		{ "error after many", 50000, -EUCLEAN },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct fake fake = { .n = cases[i].n, .end = cases[i].end };
		struct lull_walker *walker = start(&fake);
		struct lull_range_source source = lull_walker_source(walker);
		struct lull_range range;

		for (uint64_t j = 0; j < cases[i].n; j++) {
			check_int(cases[i].name, source.next(source.ctx, &range), 1);
			check_order(cases[i].name, &range, j);
		}
		/* The end stays the end. */
		for (int j = 0; j < 3; j++)
			check_int(cases[i].name, source.next(source.ctx, &range),
				  cases[i].end);
		check_int(cases[i].name, lull_walker_extents(walker), cases[i].n);
		lull_walker_stop(walker);
	}
}

/* The reader gives up: at once, within a block, while the ring is full. */
static void test_stop_early(void **state UNUSED)
{
	static const struct {
		const char *name;
		uint64_t read;
		useconds_t wait;
	} cases[] = {
		{ "unread", 0, 0 },	      { "unread, full", 0, 5000 },
		{ "within a block", 100, 0 }, { "within a block, full", 100, 5000 },
		{ "between blocks", 512, 0 }, { "between blocks, full", 512, 5000 },
		{ "after some", 20000, 0 },   { "after some, full", 20000, 5000 },
	};

	for (unsigned int round = 0; round < 10; round++) {
		for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
			struct fake fake = { .n = 1ULL << 24 };
			struct lull_walker *walker = start(&fake);
			struct lull_range_source source = lull_walker_source(walker);
			struct lull_range range;

			for (uint64_t j = 0; j < cases[i].read; j++) {
				check_int(cases[i].name, source.next(source.ctx, &range),
					  1);
				check_order(cases[i].name, &range, j);
			}
			if (cases[i].wait)
				(void)usleep(cases[i].wait);
			lull_walker_stop(walker);
			/* It ran ahead by no more than the ring. */
			check(cases[i].name, fake.at <= cases[i].read + 9 * 512);
		}
	}
	lull_walker_stop(NULL);
}

/* A reader that falls behind and catches up. */
static void test_uneven(void **state UNUSED)
{
	struct fake fake = { .n = 40000 };
	struct lull_walker *walker = start(&fake);
	struct lull_range_source source = lull_walker_source(walker);
	struct lull_range range;

	unit_seed("uneven", 0);
	for (uint64_t j = 0; j < fake.n; j++) {
		if (unit_below(1000) == 0)
			(void)usleep((useconds_t)unit_below(2000));
		assert_int_equal(source.next(source.ctx, &range), 1);
		check_order("uneven", &range, j);
	}
	assert_int_equal(source.next(source.ctx, &range), 0);
	lull_walker_stop(walker);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all),
		cmocka_unit_test(test_stop_early),
		cmocka_unit_test(test_uneven),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
