// SPDX-License-Identifier: MIT
/* Whether an exchange fits into what XFS reserves for it, on maps that are made up. */
#include "unit.h"

#include "engine/clone/difference.h"
#include "sys/extmap.h"
#include "sys/inode.h"
#include "util/macros.h"

#include <string.h>

#define BLOCK  4096ULL
#define BLOCKS 40000u

#define UNWRITTEN (1u << 31)

/* Where each block of a file lies, in blocks; 0: a hole. */
static uint32_t files[3][BLOCKS];
enum { RESULT, TARGET, MADE };

struct lull_extmap {
	const uint32_t *file;
	uint64_t at, end; /* in blocks */
};

static unsigned int n_open, n_read;
static uint32_t fresh = 1u << 20;

int lull_extmap_open(int fd, enum lull_extmap_kind kind UNUSED, uint64_t start,
		     uint64_t end, struct lull_extmap **ret_map)
{
	struct lull_extmap *map = malloc(sizeof(*map));

	assert_non_null(map);
	assert_int_equal(start % BLOCK, 0);
	*map = (struct lull_extmap){ .file = files[fd], .at = start / BLOCK };
	map->end = MIN((end + BLOCK - 1) / BLOCK, (uint64_t)BLOCKS);
	n_open++;
	*ret_map = map;
	return 0;
}

void lull_extmap_close(struct lull_extmap *map)
{
	n_open -= map != NULL;
	free(map);
}

enum lull_extmap_kind lull_extmap_kind(const struct lull_extmap *map UNUSED)
{
	return LULL_EXTMAP_FIEMAP;
}

/* Some in two pieces, as what is shared in part. */
static int next(void *ctx, struct lull_extent *ret_extent)
{
	struct lull_extmap *map = ctx;
	uint64_t off;

	while (map->at < map->end && map->file[map->at] == 0)
		map->at++;
	if (map->at == map->end)
		return 0;
	off = map->at++;
	while (map->at < map->end && map->at % 7 != 0 &&
	       map->file[map->at] == map->file[map->at - 1] + 1)
		map->at++;
	n_read++;
	*ret_extent = (struct lull_extent){
		.off = off * BLOCK,
		.len = (map->at - off) * BLOCK,
		.phys = map->file[off] & UNWRITTEN ? 0 : map->file[off] * BLOCK,
		.flags = map->file[off] & UNWRITTEN ? LULL_EXTENT_UNWRITTEN : 0,
		.weight = 1,
	};
	return 1;
}

struct lull_cursor lull_extmap_cursor(struct lull_extmap *map)
{
	return (struct lull_cursor){ .next = next, .ctx = map };
}

uint64_t lull_inode_extents(int fd UNUSED)
{
	return 0;
}

int lull_identity_xfs(int fd UNUSED, struct lull_xfs *ret_xfs UNUSED)
{
	return -EOPNOTSUPP;
}

/* Extents of so many blocks each, with a hole after each, or without. */
static void make(unsigned int length, bool holes)
{
	memset(files, 0, sizeof(files));
	fresh = 1u << 20;
	for (unsigned int i = 0; i < BLOCKS; i++) {
		fresh += i % length == 0 ? 2 : 1;
		if (!holes || i / length % 2 == 0)
			files[TARGET][i] = fresh;
	}
	memcpy(files[RESULT], files[TARGET], sizeof(files[TARGET]));
}

/* The target is to hold something else there. */
static void change(unsigned int at, unsigned int n)
{
	fresh += 2;
	for (unsigned int i = at; i < MIN(at + n, BLOCKS); i++)
		files[RESULT][i] = files[MADE][i] = fresh++;
}

static bool overflows(void)
{
	bool all = lull_difference_overflows(RESULT, TARGET, BLOCKS * BLOCK, BLOCK);

	assert_int_equal(n_open, 0);
	return all;
}

static bool may_overflow(void)
{
	bool may = lull_difference_may_overflow(MADE, TARGET, BLOCKS * BLOCK, BLOCK);

	assert_int_equal(n_open, 0);
	return may;
}

static bool part_overflows(void)
{
	bool part = lull_difference_part_overflows(MADE, TARGET, BLOCKS * BLOCK, BLOCK);

	assert_int_equal(n_open, 0);
	assert_true(!part || may_overflow());
	return part;
}

static void equal_files_fit(void **state UNUSED)
{
	make(3, false);
	assert_false(overflows());
	assert_false(may_overflow());
	assert_false(part_overflows());
}

/* Shut a file system down: 12,000 extents of 3 blocks, 16 of them cut in three. */
static void a_few_cuts_far_apart_do_not(void **state UNUSED)
{
	make(3, false);
	for (unsigned int i = 0; i < 16; i++)
		change(i * 2100 + 1, 1);
	assert_true(overflows());
	assert_true(may_overflow());
	assert_true(part_overflows());
}

/*
 * Shut one down as well: one block of three written, the others unwritten, which is a
 * hole in the clone. That differs in thousands of places, but none of them is exchanged.
 */
static void what_stays_unwritten_makes_no_room(void **state UNUSED)
{
	make(3, false);
	for (unsigned int i = 0; i < BLOCKS; i++) {
		if (i % 3 != 0)
			files[TARGET][i] |= UNWRITTEN, files[RESULT][i] = 0;
	}
	for (unsigned int i = 0; i < 108; i++)
		change(i * 369 + 1, 1);
	assert_false(overflows());
	assert_true(part_overflows());
}

/* They look alike, but a clone has holes where its source is unwritten. */
static void a_clone_is_not_unwritten(void **state UNUSED)
{
	make(3, false);
	for (unsigned int i = 0; i < 16; i++) {
		for (unsigned int j = 0; j < 3; j++) {
			files[TARGET][i * 2100 + j] |= UNWRITTEN;
			files[RESULT][i * 2100 + j] |= UNWRITTEN;
		}
	}
	assert_true(overflows());
}

/* Many in one block of the map need no more than that. */
static void cuts_side_by_side_fit(void **state UNUSED)
{
	make(3, false);
	for (unsigned int i = 0; i < 16; i++)
		change(i * 21 + 1, 1);
	assert_true(may_overflow());
	assert_false(part_overflows());
	assert_false(overflows());
}

/* A single place, but of many extents where there was one. */
static void one_place_can_need_many_blocks(void **state UNUSED)
{
	make(BLOCKS, false);
	for (unsigned int i = 0; i < 2000; i++)
		change(100 + i, 1);
	assert_true(overflows());
	assert_true(may_overflow());
	assert_true(part_overflows());
}

/* Whole extents that lie elsewhere by now: as many records as before. */
static void what_keeps_its_bounds_fits(void **state UNUSED)
{
	for (unsigned int length = 1; length < 4; length++) {
		for (int holes = 0; holes < 2; holes++) {
			make(length, holes);
			for (unsigned int i = 0; i < 100; i++)
				change(i * 360 / (2 * length) * (2 * length), length);
			assert_false(overflows());
			assert_false(may_overflow());
			assert_false(part_overflows());
		}
	}
}

/* It costs what differs. */
static void only_what_differs_is_read(void **state UNUSED)
{
	make(1, false);
	for (unsigned int i = 0; i < 10; i++)
		change(i * 3000, 1);
	n_read = 0;
	assert_false(may_overflow());
	assert_true(n_read < 50);
	n_read = 0;
	assert_false(overflows());
	assert_true(n_read > BLOCKS);
}

/* Where it is content, so is the other, which reads all. */
static void never_content_where_the_other_is_not(void **state UNUSED)
{
	unsigned int content = 0, too_much = 0;

	srand(20261130);
	for (unsigned int round = 0; round < 400; round++) {
		unsigned int n = (unsigned int)rand() % 60;

		make(1 + (unsigned int)rand() % 5, rand() % 2);
		for (unsigned int i = 0; i < n; i++)
			change((unsigned int)rand() % BLOCKS,
			       1 + (unsigned int)rand() % 4);
		assert_true(part_overflows() == overflows());
		if (overflows()) {
			too_much++;
			assert_true(may_overflow());
		} else if (!may_overflow()) {
			content++;
		}
	}
	assert_true(content > 20);
	assert_true(too_much > 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(equal_files_fit),
		cmocka_unit_test(a_few_cuts_far_apart_do_not),
		cmocka_unit_test(what_stays_unwritten_makes_no_room),
		cmocka_unit_test(a_clone_is_not_unwritten),
		cmocka_unit_test(cuts_side_by_side_fit),
		cmocka_unit_test(one_place_can_need_many_blocks),
		cmocka_unit_test(what_keeps_its_bounds_fits),
		cmocka_unit_test(only_what_differs_is_read),
		cmocka_unit_test(never_content_where_the_other_is_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
