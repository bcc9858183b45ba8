// SPDX-License-Identifier: MIT
/*
 * The planner against a model: files of a few blocks whose every block has a place on a
 * small disk. What the planner orders is done to the bytes of the destination, which must
 * then be those of the source.
 */
/* The tables name the first fields. */
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"

#include "unit.h"

#include "plan/plan.h"
#include "util/macros.h"

#define BLOCK   16ULL
#define BLOCKS  24
#define PLACES  40
#define EXTENTS (BLOCKS * 2)
#define MAPS    24000

struct map {
	struct lull_extent extent[EXTENTS];
	size_t n;
	size_t at;
	int end;
};

static int map_next(void *ctx, struct lull_extent *ret_extent)
{
	struct map *map = ctx;

	if (map->at == map->n)
		return map->end;
	*ret_extent = map->extent[map->at++];
	return 1;
}

static struct lull_cursor cursor(struct map *map)
{
	map->at = 0;
	return (struct lull_cursor){ .next = map_next, .ctx = map };
}

enum kind { HOLE, PLAIN, UNWRITTEN, OPAQUE, OPAQUE_UNWRITTEN, ENCODED, KINDS };

struct file {
	enum kind kind[BLOCKS];
	unsigned int place[BLOCKS];
	unsigned int stored[BLOCKS]; /* of ENCODED: one of a few extents, else 0 */
	unsigned char bytes[BLOCKS * BLOCK];
	struct map map;
};

#define STORED 4

static unsigned char disk[PLACES][BLOCK];
/* What an offset of a compressed extent stands for depends on both. */
static unsigned char encoded[STORED][PLACES][BLOCK];

static void fill(unsigned char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		bytes[i] = (unsigned char)(1 + unit_below(255));
}

static uint32_t flags_of(enum kind kind)
{
	return kind == UNWRITTEN          ? LULL_EXTENT_UNWRITTEN
	       : kind == OPAQUE           ? LULL_EXTENT_OPAQUE
	       : kind == OPAQUE_UNWRITTEN ? LULL_EXTENT_OPAQUE | LULL_EXTENT_UNWRITTEN
	       : kind == ENCODED          ? LULL_EXTENT_ENCODED
					  : 0;
}

/* The map that a kernel could give for the blocks: runs, sometimes in pieces. */
static void draw_map(struct file *file, unsigned int blocks, uint64_t size)
{
	struct map *map = &file->map;

	map->n = 0;
	map->end = 0;
	for (unsigned int i = 0; i < blocks; i++) {
		struct lull_extent *e = map->n ? &map->extent[map->n - 1] : NULL;
		uint32_t flags = flags_of(file->kind[i]);
		uint64_t phys = file->place[i] * BLOCK;

		if (file->kind[i] == HOLE)
			continue;
		if (e && e->off + e->len == i * BLOCK && e->flags == flags &&
		    e->phys + e->len == phys && e->stored == file->stored[i] * BLOCK &&
		    unit_below(4)) {
			e->len += BLOCK;
			continue;
		}
		map->extent[map->n++] = (struct lull_extent){
			.off = i * BLOCK,
			.len = BLOCK,
			.phys = phys,
			.flags = flags,
			.weight = (uint32_t)(1 + unit_below(6)),
			.stored = file->stored[i] * BLOCK,
		};
	}
	/* Some say that the last extent ends with the file, some with the block. */
	if (map->n > 0 && unit_below(2)) {
		struct lull_extent *e = &map->extent[map->n - 1];

		e->len = MIN(e->len, size - e->off);
	}
}

static void draw_bytes(struct file *file, unsigned int blocks)
{
	for (unsigned int i = 0; i < blocks; i++) {
		unsigned char *at = &file->bytes[i * BLOCK];

		if (file->kind[i] == PLAIN)
			memcpy(at, disk[file->place[i]], BLOCK);
		else if (file->kind[i] == ENCODED)
			memcpy(at, encoded[file->stored[i]][file->place[i]], BLOCK);
		else if (file->kind[i] == OPAQUE || file->kind[i] == OPAQUE_UNWRITTEN)
			fill(at, BLOCK);
		else
			memset(at, 0, BLOCK);
	}
}

static void draw_blocks(struct file *file, unsigned int blocks, const struct file *like)
{
	unsigned int place = 1;

	for (unsigned int i = 0; i < blocks; i++) {
		if (like && unit_below(3)) {
			file->kind[i] = like->kind[i];
			file->place[i] = like->place[i];
			file->stored[i] = like->stored[i];
			if (like->kind[i] == ENCODED && unit_below(4) == 0)
				file->stored[i] = 1 +
						  (unsigned int)unit_below(STORED - 1);
			else if (like->kind[i] == ENCODED && unit_below(4) == 0) {
				file->kind[i] = PLAIN;
				file->stored[i] = 0;
			}
			continue;
		}
		/* Mostly the next place, so that there are extents of several blocks. */
		file->kind[i] = i > 0 && unit_below(2) ? file->kind[i - 1]
				: unit_below(2)        ? PLAIN
						       : (enum kind)unit_below(KINDS);
		place = unit_below(4) == 0 ? 1 + (unsigned int)unit_below(PLACES - 1)
					   : place % (PLACES - 1) + 1;
		file->place[i] = place;
		file->stored[i] = file->kind[i] == ENCODED
					  ? 1 + (unsigned int)unit_below(STORED - 1)
					  : 0;
		/* An extent may have no place at all. */
		if (flags_of(file->kind[i]) & LULL_EXTENT_OPAQUE && unit_below(2))
			file->place[i] = 0;
	}
}

/* What holds of every range; gives the end of it. */
static uint64_t check_range(const char *name, const struct lull_range *range,
			    uint64_t pos, uint64_t size)
{
	check(name, range->len > 0);
	check(name, range->off >= pos);
	check(name, range->off % BLOCK == 0);
	check(name, range->off + range->len <= size);
	check(name,
	      (range->off + range->len) % BLOCK == 0 || range->off + range->len == size);
	check(name, range->kind == LULL_RANGE_CLONE || range->kind == LULL_RANGE_PUNCH);
	check(name, (range->weight > 0) == (range->kind == LULL_RANGE_CLONE));
	return range->off + range->len;
}

static void apply(const struct lull_range *range, const unsigned char *from,
		  unsigned char *to)
{
	if (range->kind == LULL_RANGE_CLONE)
		memcpy(to + range->off, from + range->off, range->len);
	else
		memset(to + range->off, 0, range->len);
}

static void run_maps(const char *name, enum lull_plan_mode mode)
{
	static struct file source, dest;

	unit_seed(name, 0);
	for (unsigned int round = 0; round < MAPS; round++) {
		unsigned int blocks = 1 + (unsigned int)unit_below(BLOCKS);
		uint64_t size = blocks * BLOCK - (unit_below(2) ? unit_below(BLOCK) : 0);
		uint64_t start = unit_below(3) ? 0 : unit_below(blocks) * BLOCK;
		uint64_t pos = start;
		struct lull_plan plan;
		struct lull_range range;
		bool any = false;
		int r;

		fill(disk[0], sizeof(disk));
		fill(encoded[0][0], sizeof(encoded));
		draw_blocks(&source, blocks, NULL);
		draw_bytes(&source, blocks);
		draw_map(&source, blocks, size);
		draw_blocks(&dest, blocks, &source);
		draw_bytes(&dest, blocks);
		draw_map(&dest, blocks, size);
		if (mode == LULL_PLAN_FRESH)
			memset(dest.bytes, 0, sizeof(dest.bytes));
		else if (mode == LULL_PLAN_UNKNOWN)
			fill(dest.bytes, sizeof(dest.bytes));
		/* What is before the start has been done. */
		memcpy(dest.bytes, source.bytes, start);

		struct lull_cursor s = cursor(&source.map), d = cursor(&dest.map);

		lull_plan_init(&plan, mode, start, size, BLOCK, &s,
			       mode == LULL_PLAN_COMPARE ? &d : NULL);
		while ((r = lull_plan_next(&plan, &range)) == 1) {
			bool holes = any;

			for (uint64_t at = pos; at < range.off; at += BLOCK)
				holes = holes && (source.kind[at / BLOCK] == HOLE ||
						  source.kind[at / BLOCK] == UNWRITTEN);
			check(name, range.after_hole == holes);
			any = true;
			pos = check_range(name, &range, pos, size);
			for (uint64_t at = range.off; at < pos; at += BLOCK) {
				enum kind kind = source.kind[at / BLOCK];

				check(name, (kind == HOLE || kind == UNWRITTEN) ==
						    (range.kind == LULL_RANGE_PUNCH));
			}
			if (mode == LULL_PLAN_FRESH)
				check(name, range.kind == LULL_RANGE_CLONE);
			apply(&range, source.bytes, dest.bytes);
		}
		check_int(name, r, 0);
		check(name, lull_plan_next(&plan, &range) == 0);
		check(name, memcmp(source.bytes, dest.bytes, size) == 0);
		check(name, plan.extents <= source.map.n);
	}
}

static void test_fresh(void **state UNUSED)
{
	run_maps("fresh", LULL_PLAN_FRESH);
}

static void test_unknown(void **state UNUSED)
{
	run_maps("unknown", LULL_PLAN_UNKNOWN);
}

static void test_compare(void **state UNUSED)
{
	run_maps("compare", LULL_PLAN_COMPARE);
}

static void test_compare_identical(void **state UNUSED)
{
	static struct file file;

	unit_seed("identical", 0);
	for (unsigned int round = 0; round < 5000; round++) {
		unsigned int blocks = 1 + (unsigned int)unit_below(BLOCKS);
		uint64_t size = blocks * BLOCK - (unit_below(2) ? unit_below(BLOCK) : 0);
		struct map other;
		struct lull_plan plan;
		struct lull_range range;

		draw_blocks(&file, blocks, NULL);
		for (unsigned int i = 0; i < blocks; i++) {
			if (file.kind[i] == OPAQUE || file.kind[i] == OPAQUE_UNWRITTEN)
				file.kind[i] = PLAIN;
			if (file.place[i] == 0)
				file.place[i] = 1;
		}
		draw_map(&file, blocks, size);
		other = file.map;
		/* The same places in other pieces are the same. */
		draw_map(&file, blocks, size);

		struct lull_cursor s = cursor(&file.map), d = cursor(&other);

		lull_plan_init(&plan, LULL_PLAN_COMPARE, 0, size, BLOCK, &s, &d);
		assert_int_equal(lull_plan_next(&plan, &range), 0);
	}
}

/* Data that begins or ends within a block takes the whole block with it. */
static void test_ragged(void **state UNUSED)
{
	static const enum lull_plan_mode modes[] = { LULL_PLAN_FRESH, LULL_PLAN_UNKNOWN };

	unit_seed("ragged", 0);
	for (unsigned int round = 0; round < MAPS; round++) {
		enum lull_plan_mode mode = modes[round % 2];
		uint64_t size = 1 + unit_below(BLOCKS * BLOCK), at = 0, pos = 0;
		unsigned char from[BLOCKS * BLOCK] = { 0 }, to[BLOCKS * BLOCK] = { 0 };
		struct map map = { .n = 0 };
		struct lull_plan plan;
		struct lull_range range;
		int r;

		while (at < size && map.n < EXTENTS) {
			uint64_t off = at + (unit_below(3) ? unit_below(3 * BLOCK) : 0);
			uint64_t len = 1 + unit_below(3 * BLOCK);

			if (off >= size)
				break;
			len = MIN(len, size - off);
			fill(from + off, len);
			map.extent[map.n++] = (struct lull_extent){
				.off = off,
				.len = len,
				.flags = unit_below(2) ? LULL_EXTENT_OPAQUE : 0,
				.phys = 1 + unit_below(1000),
				.weight = 1,
			};
			at = off + len;
		}
		if (mode == LULL_PLAN_UNKNOWN)
			fill(to, sizeof(to));

		struct lull_cursor s = cursor(&map);

		lull_plan_init(&plan, mode, 0, size, BLOCK, &s, NULL);
		while ((r = lull_plan_next(&plan, &range)) == 1) {
			pos = check_range("ragged", &range, pos, size);
			apply(&range, from, to);
		}
		assert_int_equal(r, 0);
		assert_memory_equal(from, to, size);
	}
}

#define FAR ((1ULL << 63) - 16 * BLOCK)
#define END ((1ULL << 63) - 1)

static void test_table(void **state UNUSED)
{
	static const struct {
		const char *name;
		enum lull_plan_mode mode;
		uint64_t start, size;
		struct lull_extent in[4];
		struct lull_range out[5];
		int end; /* of the cursor */
		int last;
	} cases[] = {
		{ .name = "empty file", .mode = LULL_PLAN_UNKNOWN, .size = 0 },
		{ .name = "one hole, fresh", .mode = LULL_PLAN_FRESH, .size = 100 },
		{ .name = "one hole, unknown",
		  .mode = LULL_PLAN_UNKNOWN,
		  .size = 100,
		  .out = { { 0, 100, 0, LULL_RANGE_PUNCH } } },
		{ .name = "trailing hole, fresh",
		  .mode = LULL_PLAN_FRESH,
		  .size = 64,
		  .in = { { 0, 32, 160, 0, 1, 0 } },
		  .out = { { 0, 32, 1, LULL_RANGE_CLONE } } },
		{ .name = "trailing hole, unknown",
		  .mode = LULL_PLAN_UNKNOWN,
		  .size = 64,
		  .in = { { 0, 32, 160, 0, 1, 0 } },
		  .out = { { 0, 32, 1, LULL_RANGE_CLONE },
			   { 32, 32, 0, LULL_RANGE_PUNCH } } },
		{ .name = "smaller than a block",
		  .mode = LULL_PLAN_FRESH,
		  .size = 5,
		  .in = { { 0, 16, 160, 0, 1, 0 } },
		  .out = { { 0, 5, 1, LULL_RANGE_CLONE } } },
		{ .name = "inline, and so without a place",
		  .mode = LULL_PLAN_FRESH,
		  .size = 5,
		  .in = { { 0, 5, 0, LULL_EXTENT_OPAQUE, 1, 0 } },
		  .out = { { 0, 5, 1, LULL_RANGE_CLONE } } },
		{ .name = "tail of a part of a block",
		  .mode = LULL_PLAN_FRESH,
		  .size = 37,
		  .in = { { 0, 16, 160, 0, 1, 0 }, { 32, 16, 320, 0, 1, 0 } },
		  .out = { { 0, 16, 1, LULL_RANGE_CLONE },
			   { 32, 5, 1, LULL_RANGE_CLONE } } },
		{ .name = "data beyond the end",
		  .mode = LULL_PLAN_FRESH,
		  .size = 16,
		  .in = { { 32, 16, 160, 0, 1, 0 } } },
		{ .name = "unwritten, fresh",
		  .mode = LULL_PLAN_FRESH,
		  .size = 32,
		  .in = { { 0, 32, 160, LULL_EXTENT_UNWRITTEN, 1, 0 } } },
		{ .name = "unwritten, unknown",
		  .mode = LULL_PLAN_UNKNOWN,
		  .size = 32,
		  .in = { { 0, 32, 160, LULL_EXTENT_UNWRITTEN, 1, 0 } },
		  .out = { { 0, 32, 0, LULL_RANGE_PUNCH } } },
		{ .name = "unwritten, perhaps dirty",
		  .mode = LULL_PLAN_FRESH,
		  .size = 32,
		  .in = { { 0, 32, 160, LULL_EXTENT_UNWRITTEN | LULL_EXTENT_OPAQUE, 1 } },
		  .out = { { 0, 32, 1, LULL_RANGE_CLONE } } },
		{ .name = "neighbours stay apart",
		  .mode = LULL_PLAN_FRESH,
		  .size = 32,
		  .in = { { 0, 16, 160, 0, 2, 0 }, { 16, 16, 176, 0, 3, 0 } },
		  .out = { { 0, 16, 2, LULL_RANGE_CLONE },
			   { 16, 16, 3, LULL_RANGE_CLONE } } },
		{ .name = "starts within an extent, with its share of the weight",
		  .mode = LULL_PLAN_FRESH,
		  .start = 48,
		  .size = 64,
		  .in = { { 0, 64, 160, 0, 8, 0 } },
		  .out = { { 48, 16, 2, LULL_RANGE_CLONE } } },
		{ .name = "no weight is taken for one",
		  .mode = LULL_PLAN_FRESH,
		  .size = 16,
		  .in = { { 0, 16, 160, 0, 0, 0 } },
		  .out = { { 0, 16, 1, LULL_RANGE_CLONE } } },
		{ .name = "error at once",
		  .mode = LULL_PLAN_FRESH,
		  .size = 64,
		  .end = -EIO,
		  .last = -EIO },
		{ .name = "error after an extent",
		  .mode = LULL_PLAN_FRESH,
		  .size = 64,
		  .in = { { 0, 16, 160, 0, 1, 0 } },
		  .out = { { 0, 16, 1, LULL_RANGE_CLONE } },
		  .end = -ENOMEM,
		  .last = -ENOMEM },
		{ .name = "no error when all is planned before",
		  .mode = LULL_PLAN_FRESH,
		  .size = 16,
		  .in = { { 0, 16, 160, 0, 1, 0 } },
		  .out = { { 0, 16, 1, LULL_RANGE_CLONE } },
		  .end = -EIO },
		{ .name = "backwards",
		  .mode = LULL_PLAN_UNKNOWN,
		  .size = 64,
		  .in = { { 32, 16, 160, 0, 1, 0 },
			  { 0, 16, 320, 0, 1, 0 },
			  { 48, 16, 480, 0, 1, 0 } },
		  .out = { { 0, 32, 0, LULL_RANGE_PUNCH },
			   { 32, 16, 1, LULL_RANGE_CLONE },
			   { 48, 16, 1, LULL_RANGE_CLONE } } },
		{ .name = "the same extent again",
		  .mode = LULL_PLAN_FRESH,
		  .size = 32,
		  .in = { { 0, 16, 160, 0, 1, 0 },
			  { 0, 16, 160, 0, 1, 0 },
			  { 16, 16, 32, 0, 1, 0 } },
		  .out = { { 0, 16, 1, LULL_RANGE_CLONE },
			   { 16, 16, 1, LULL_RANGE_CLONE } } },
		{ .name = "overlap",
		  .mode = LULL_PLAN_FRESH,
		  .size = 64,
		  .in = { { 0, 48, 160, 0, 1, 0 }, { 16, 48, 480, 0, 3, 0 } },
		  .out = { { 0, 48, 1, LULL_RANGE_CLONE },
			   { 48, 16, 1, LULL_RANGE_CLONE } } },
		{ .name = "one within the other",
		  .mode = LULL_PLAN_FRESH,
		  .size = 64,
		  .in = { { 0, 64, 160, 0, 1, 0 }, { 16, 16, 480, 0, 1, 0 } },
		  .out = { { 0, 64, 1, LULL_RANGE_CLONE } } },
		{ .name = "an extent without length",
		  .mode = LULL_PLAN_FRESH,
		  .size = 32,
		  .in = { { 0, 0, 160, 0, 1, 0 }, { 16, 16, 320, 0, 1, 0 } },
		  .out = { { 16, 16, 1, LULL_RANGE_CLONE } } },
		{ .name = "as far as a file goes",
		  .mode = LULL_PLAN_UNKNOWN,
		  .start = FAR,
		  .size = END,
		  .in = { { FAR + 32, 16, 160, 0, 1, 0 },
			  { END - 15, 16, 160, 0, 1, 0 } },
		  .out = { { FAR, 32, 0, LULL_RANGE_PUNCH },
			   { FAR + 32, 16, 1, LULL_RANGE_CLONE },
			   { FAR + 48, 192, 0, LULL_RANGE_PUNCH },
			   { END - 15, 15, 1, LULL_RANGE_CLONE } } },
		{ .name = "an extent that ends beyond all numbers",
		  .mode = LULL_PLAN_FRESH,
		  .start = FAR,
		  .size = END,
		  .in = { { 16, UINT64_MAX, 160, 0, 1, 0 } },
		  .out = { { FAR, END - FAR, 1, LULL_RANGE_CLONE } } },
		{ .name = "one extent of 2^63 bytes",
		  .mode = LULL_PLAN_FRESH,
		  .size = END,
		  .in = { { 0, 1ULL << 63, 160, 0, 7, 0 } },
		  .out = { { 0, END, 7, LULL_RANGE_CLONE } } },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct map map = { .end = cases[i].end };
		struct lull_plan plan;
		struct lull_range got;

		while (map.n < ARRAY_SIZE(cases[i].in) &&
		       cases[i].in[map.n].off + cases[i].in[map.n].len +
			       cases[i].in[map.n].phys) {
			map.extent[map.n] = cases[i].in[map.n];
			map.n++;
		}

		struct lull_cursor s = cursor(&map);

		lull_plan_init(&plan, cases[i].mode, cases[i].start, cases[i].size, BLOCK,
			       &s, NULL);
		for (const struct lull_range *want = cases[i].out; want->len > 0;
		     want++) {
			check_int(cases[i].name, lull_plan_next(&plan, &got), 1);
			check_int(cases[i].name, got.off, want->off);
			check_int(cases[i].name, got.len, want->len);
			check_int(cases[i].name, got.weight, want->weight);
			check_int(cases[i].name, got.kind, want->kind);
		}
		check_int(cases[i].name, lull_plan_next(&plan, &got), cases[i].last);
	}
}

/* What COMPARE takes for proven, and what not. */
static void test_proof(void **state UNUSED)
{
	static const struct {
		const char *name;
		struct lull_extent source, dest;
		int kind; /* of the one range, -1: none */
	} cases[] = {
		{ "same place", { 0, 32, 160, 0, 1, 0 }, { 0, 32, 160, 0, 1, 0 }, -1 },
		{ "other place",
		  { 0, 32, 160, 0, 1, 0 },
		  { 0, 32, 320, 0, 1, 0 },
		  LULL_RANGE_CLONE },
		{ "no place",
		  { 0, 32, 0, 0, 1, 0 },
		  { 0, 32, 0, 0, 1, 0 },
		  LULL_RANGE_CLONE },
		{ "opaque source",
		  { 0, 32, 160, LULL_EXTENT_OPAQUE, 1, 0 },
		  { 0, 32, 160, 0, 1, 0 },
		  LULL_RANGE_CLONE },
		{ "opaque destination",
		  { 0, 32, 160, 0, 1, 0 },
		  { 0, 32, 160, LULL_EXTENT_OPAQUE, 1, 0 },
		  LULL_RANGE_CLONE },
		{ "unwritten destination",
		  { 0, 32, 160, 0, 1, 0 },
		  { 0, 32, 160, LULL_EXTENT_UNWRITTEN, 1, 0 },
		  LULL_RANGE_CLONE },
		{ "unwritten source",
		  { 0, 32, 160, LULL_EXTENT_UNWRITTEN, 1, 0 },
		  { 0, 32, 160, 0, 1, 0 },
		  LULL_RANGE_PUNCH },
		{ "both unwritten",
		  { 0, 32, 160, LULL_EXTENT_UNWRITTEN, 1, 0 },
		  { 0, 32, 320, LULL_EXTENT_UNWRITTEN, 1, 0 },
		  -1 },
		{ "the same compressed bytes",
		  { 0, 32, 160, LULL_EXTENT_ENCODED, 1, 128 },
		  { 0, 32, 160, LULL_EXTENT_ENCODED, 1, 128 },
		  -1 },
		{ "the same place of another compressed extent",
		  { 0, 32, 160, LULL_EXTENT_ENCODED, 1, 128 },
		  { 0, 32, 160, LULL_EXTENT_ENCODED, 1, 144 },
		  LULL_RANGE_CLONE },
		{ "compressed and plain",
		  { 0, 32, 160, LULL_EXTENT_ENCODED, 1, 128 },
		  { 0, 32, 160, 0, 1, 128 },
		  LULL_RANGE_CLONE },
		{ "compressed, no place",
		  { 0, 32, 0, LULL_EXTENT_ENCODED, 1, 0 },
		  { 0, 32, 0, LULL_EXTENT_ENCODED, 1, 0 },
		  LULL_RANGE_CLONE },
		{ "hole over data",
		  { 99, 0, 0, 0, 0, 0 },
		  { 0, 32, 160, 0, 1, 0 },
		  LULL_RANGE_PUNCH },
		{ "hole over what may be data",
		  { 99, 0, 0, 0, 0, 0 },
		  { 0, 32, 160, LULL_EXTENT_OPAQUE | LULL_EXTENT_UNWRITTEN, 1, 0 },
		  LULL_RANGE_PUNCH },
		{ "hole over unwritten",
		  { 99, 0, 0, 0, 0, 0 },
		  { 0, 32, 160, LULL_EXTENT_UNWRITTEN, 1, 0 },
		  -1 },
		{ "data over a hole",
		  { 0, 32, 160, 0, 1, 0 },
		  { 99, 0, 0, 0, 0, 0 },
		  LULL_RANGE_CLONE },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct map from = { .extent = { cases[i].source },
				    .n = cases[i].source.len > 0 };
		struct map to = { .extent = { cases[i].dest },
				  .n = cases[i].dest.len > 0 };
		struct lull_cursor s = cursor(&from), d = cursor(&to);
		struct lull_plan plan;
		struct lull_range got;

		lull_plan_init(&plan, LULL_PLAN_COMPARE, 0, 32, BLOCK, &s, &d);
		if (cases[i].kind >= 0) {
			check_int(cases[i].name, lull_plan_next(&plan, &got), 1);
			check_int(cases[i].name, got.kind, cases[i].kind);
			check_int(cases[i].name, got.off, 0);
			check_int(cases[i].name, got.len, 32);
		}
		check_int(cases[i].name, lull_plan_next(&plan, &got), 0);
	}
}

/* An error of the destination's map ends the plan as well. */
static void test_dest_error(void **state UNUSED)
{
	struct map from = { .extent = { { 0, 32, 160, 0, 1 } }, .n = 1 };
	struct map to = { .end = -EUCLEAN };
	struct lull_cursor s = cursor(&from), d = cursor(&to);
	struct lull_plan plan;
	struct lull_range got;

	lull_plan_init(&plan, LULL_PLAN_COMPARE, 0, 32, BLOCK, &s, &d);
	assert_int_equal(lull_plan_next(&plan, &got), -EUCLEAN);
}

/* A map that changes all the time: extents from anywhere, in any order. */
static void test_wild(void **state UNUSED)
{
	unit_seed("wild", 0);
	for (unsigned int round = 0; round < MAPS; round++) {
		struct map map[2];
		struct lull_plan plan;
		struct lull_range range;
		uint64_t size = unit_below(BLOCKS * BLOCK), pos = 0;
		int r;

		for (size_t i = 0; i < 2; i++) {
			map[i] = (struct map){ .n = unit_below(EXTENTS + 1) };
			for (size_t j = 0; j < map[i].n; j++)
				map[i].extent[j] = (struct lull_extent){
					.off = unit_below(BLOCKS) * BLOCK,
					.len = unit_below(5) * BLOCK,
					.phys = unit_below(8) * BLOCK,
					.flags = (uint32_t)unit_below(16),
					.weight = (uint32_t)unit_below(3),
				};
		}

		struct lull_cursor s = cursor(&map[0]), d = cursor(&map[1]);

		lull_plan_init(&plan, (enum lull_plan_mode)(round % 3), 0, size, BLOCK,
			       &s, &d);
		while ((r = lull_plan_next(&plan, &range)) == 1)
			pos = check_range("wild", &range, pos, size);
		assert_int_equal(r, 0);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fresh),
		cmocka_unit_test(test_unknown),
		cmocka_unit_test(test_compare),
		cmocka_unit_test(test_ragged),
		cmocka_unit_test(test_compare_identical),
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_proof),
		cmocka_unit_test(test_dest_error),
		cmocka_unit_test(test_wild),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
