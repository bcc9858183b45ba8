// SPDX-License-Identifier: MIT
/* The sampled walk against maps that are known in full. */
#include "unit.h"

#include "plan/sample.h"
#include "util/macros.h"

#define BLOCK 4096ULL

/* Extents of 1..longest blocks with holes of 0..gap blocks between them, made on
   demand. */
struct map {
	uint64_t end;
	uint64_t pos;
	unsigned int longest;
	unsigned int gap;
	uint64_t from, to; /* between them extents are a block long, without holes */
	bool tells;        /* how sparse it is, in places */
	uint64_t walked;
	uint64_t skips;
	uint64_t *starts; /* of all extents, for counting */
	uint64_t n;
	uint64_t at;
};

static void draw(struct map *map)
{
	uint64_t pos = 0;

	map->starts = calloc(map->end / BLOCK + 1, sizeof(uint64_t));
	assert_non_null(map->starts);
	while (pos < map->end) {
		bool inside = pos >= map->from && pos < map->to;

		map->starts[map->n++] = pos;
		pos += inside ? BLOCK
			      : (1 + unit_below(map->longest) +
				 unit_below(map->gap + 1)) *
					BLOCK;
	}
}

static uint64_t extent_end(const struct map *map, uint64_t i)
{
	return i + 1 < map->n ? map->starts[i + 1] : map->end;
}

static int map_next(void *ctx, struct lull_extent *ret_extent)
{
	struct map *map = ctx;

	while (map->at < map->n && extent_end(map, map->at) <= map->pos)
		map->at++;
	if (map->at == map->n)
		return 0;

	uint64_t off = MAX(map->starts[map->at], map->pos);

	*ret_extent = (struct lull_extent){
		.off = off,
		.len = extent_end(map, map->at) - off,
		.phys = BLOCK,
		.weight = 1,
	};
	map->pos = off + ret_extent->len;
	map->walked++;
	return 1;
}

static void map_skip(void *ctx, uint64_t off)
{
	struct map *map = ctx;

	assert_true(off > map->pos);
	map->pos = off;
	map->skips++;
}

/* Looks at each stride as sys/extmap_sparse.c does: no five extents within four times the
   spacing. */
static uint64_t map_sparse_until(void *ctx, uint64_t off, uint64_t end,
				 const struct lull_spacing *spacing)
{
	const struct map *map = ctx;
	uint64_t i = 0;

	assert_int_equal(spacing->stride, LULL_SAMPLE_STRIDE);
	for (uint64_t pos = off; pos < end; pos += spacing->stride) {
		while (i < map->n && extent_end(map, i) <= pos)
			i++;
		if (i + 4 < map->n && map->starts[i + 4] - pos < 4 * spacing->least)
			return pos;
	}
	return end;
}

static uint64_t count(const struct map *map, uint64_t off, uint64_t len)
{
	uint64_t n = 0;

	for (uint64_t i = 0; i < map->n; i++)
		n += map->starts[i] < off + len && extent_end(map, i) > off;
	return n;
}

static struct lull_cursor begin(struct lull_sample *sample, struct map *map)
{
	struct lull_sample_map source = {
		.cursor = { .next = map_next, .ctx = map },
		.skip = map_skip,
		.sparse_until = map->tells ? map_sparse_until : NULL,
	};

	draw(map);
	lull_sample_init(sample, &source, map->end, BLOCK);
	return lull_sample_cursor(sample);
}

/* Walks it all; what is delivered must lie end to end. Gives the sum of weights. */
static uint64_t walk(struct map *map, bool *ret_used, double *ret_worst)
{
	struct lull_sample sample;
	struct lull_cursor cursor = begin(&sample, map);
	struct lull_extent e;
	uint64_t pos = 0, weight = 0;

	*ret_worst = 0;
	while (cursor.next(cursor.ctx, &e) == 1) {
		assert_int_equal(e.off, pos);
		assert_true(e.len > 0 && e.weight > 0);
		if (e.flags & LULL_EXTENT_SAMPLED) {
			double real = (double)count(map, e.off, e.len) / e.weight;

			assert_true(e.flags & LULL_EXTENT_OPAQUE);
			assert_int_equal(e.off % BLOCK, 0);
			*ret_worst = MAX(*ret_worst, real);
		}
		pos = e.off + e.len;
		weight += e.weight;
	}
	assert_int_equal(pos, map->end);
	*ret_used = sample.used;
	return weight;
}

/* Short extents: an eighth is looked at, the rest is estimated well. */
static void test_dense(void **state UNUSED)
{
	for (unsigned int longest = 1; longest <= 6; longest++) {
		struct map map = { .end = 60000 * BLOCK, .longest = longest, .gap = 2 };
		bool used;
		double worst;
		uint64_t weight = walk(&map, &used, &worst);

		assert_true(used);
		assert_true(map.walked <= map.n / 8 + LULL_SAMPLE_RUN + map.skips);
		assert_true((double)weight > 0.9 * (double)map.n &&
			    (double)weight < 1.1 * (double)map.n);
		assert_true(worst < 1.25);
		free(map.starts);
	}
}

/* Long extents are all looked at. */
static void test_sparse(void **state UNUSED)
{
	struct map map = { .end = 60000 * BLOCK, .longest = 40 };
	bool used;
	double worst;
	uint64_t weight = walk(&map, &used, &worst);

	assert_int_equal(weight, map.n);
	assert_false(used);
	assert_int_equal(map.walked, map.n);
	assert_int_equal(map.skips, 0);
	free(map.starts);
}

/* Where the map tells how sparse it is, a part of it is enough as well, and more so. */
static void test_sparse_told(void **state UNUSED)
{
	struct map map = { .end = 600000 * BLOCK, .longest = 40, .tells = true };
	bool used;
	double worst;
	uint64_t weight = walk(&map, &used, &worst);

	assert_true(used);
	assert_true(map.walked <= map.n / 16 + LULL_SAMPLE_RUN + map.skips);
	assert_true((double)weight > 0.9 * (double)map.n &&
		    (double)weight < 1.1 * (double)map.n);
	assert_true(worst < 1.25);
	free(map.starts);
}

/* Extents so far apart that looking between them costs more than it saves. */
static void test_too_sparse(void **state UNUSED)
{
	struct map map = { .end = 2000000 * BLOCK, .longest = 900, .tells = true };
	bool used;
	double worst;

	(void)walk(&map, &used, &worst);
	assert_false(used);
	free(map.starts);
}

/* A dense stretch in a sparse map: what is taken unseen of it is below a stride. */
static void test_jump_told(void **state UNUSED)
{
	const uint64_t most = LULL_SAMPLE_STRIDE / BLOCK;
	bool met = false;

	for (unsigned int i = 0; i < 40; i++) {
		struct map map = { .end = 600000 * BLOCK, .longest = 40, .tells = true };
		struct lull_sample sample;
		struct lull_cursor cursor;
		struct lull_extent e;

		map.from = (50000 + unit_below(400000)) * BLOCK;
		map.to = map.from + unit_below(100000) * BLOCK;
		cursor = begin(&sample, &map);
		while (cursor.next(cursor.ctx, &e) == 1) {
			uint64_t real;

			if (!(e.flags & LULL_EXTENT_SAMPLED))
				continue;
			real = count(&map, e.off, e.len);
			assert_true(real <= LULL_SAMPLE_BLOCKS * e.weight + most);
			/* Found by a look inside, not by the end of a stretch. */
			met |= e.off < map.from && e.off + e.len > map.from;
		}
		free(map.starts);
	}
	assert_true(met);
}

/* Density that jumps where nobody looks: wrong by LULL_SAMPLE_BLOCKS at the most. */
static void test_bound(void **state UNUSED)
{
	double worst_of_all = 0;

	for (unsigned int i = 0; i < 40; i++) {
		struct map map = { .end = 60000 * BLOCK, .longest = 13 };
		bool used;
		double worst;

		map.from = unit_below(30000) * BLOCK;
		map.to = map.from + unit_below(30000) * BLOCK;
		(void)walk(&map, &used, &worst);
		worst_of_all = MAX(worst_of_all, worst);
		assert_true(worst <= LULL_SAMPLE_BLOCKS);
		free(map.starts);
	}
	/* The jump was met: else this test would show nothing. */
	assert_true(worst_of_all > 4);
}

/* The end of a file need not be the end of a block, and nothing is taken beyond it. */
static void test_end(void **state UNUSED)
{
	for (unsigned int i = 0; i < 40; i++) {
		struct map map = { .end = (LULL_SAMPLE_RUN - 4 + unit_below(9)) * BLOCK -
					  4095 + unit_below(4096),
				   .longest = 1 };
		bool used;
		double worst;

		(void)walk(&map, &used, &worst);
		assert_int_equal(used, map.end > LULL_SAMPLE_RUN * BLOCK);
		free(map.starts);
	}
}

static int failing(void *ctx UNUSED, struct lull_extent *ret_extent UNUSED)
{
	return -EIO;
}

static void test_error(void **state UNUSED)
{
	struct lull_sample sample;
	struct lull_sample_map source = { .cursor = { .next = failing },
					  .skip = map_skip };
	struct lull_cursor cursor;
	struct lull_extent e;

	lull_sample_init(&sample, &source, BLOCK, BLOCK);
	cursor = lull_sample_cursor(&sample);
	assert_int_equal(cursor.next(cursor.ctx, &e), -EIO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dense),       cmocka_unit_test(test_sparse),
		cmocka_unit_test(test_sparse_told), cmocka_unit_test(test_too_sparse),
		cmocka_unit_test(test_jump_told),   cmocka_unit_test(test_bound),
		cmocka_unit_test(test_end),         cmocka_unit_test(test_error),
	};

	unit_seed("sample", 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
