// SPDX-License-Identifier: MIT
/* File names as text, and names by inode. */
#include "unit.h"

#include "util/idmap.h"
#include "util/macros.h"
#include "util/path.h"

static void last_parts(void **state UNUSED)
{
	static const struct {
		const char *path, *last;
	} rows[] = {
		{ "a", "a" },          { "a/b", "b" },  { "a/b/", "b/" },
		{ "a/b//", "b//" },    { "/", "" },     { "//", "" },
		{ "/a", "a" },         { "//a", "a" },  { "", "" },
		{ ".", "." },          { "a/.", "." },  { "a/..", ".." },
		{ "a//b", "b" },       { "../x", "x" }, { "a b/c d", "c d" },
		{ "///a///", "a///" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		check_str(rows[i].path, lull_path_last(rows[i].path), rows[i].last);
}

static void slashes_at_the_end(void **state UNUSED)
{
	static const struct {
		const char *path, *stripped;
		bool any;
	} rows[] = {
		{ "a/", "a", true },   { "a", "a", false },     { "a///", "a", true },
		{ "/", "/", false },   { "//", "/", true },     { "", "", false },
		{ "/a/", "/a", true }, { "a/b/", "a/b", true },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char room[16];

		(void)snprintf(room, sizeof(room), "%s", rows[i].path);
		check_int(rows[i].path, lull_path_strip(room), rows[i].any);
		check_str(rows[i].path, room, rows[i].stripped);
	}
}

static void dots(void **state UNUSED)
{
	static const struct {
		const char *name;
		bool dots;
	} rows[] = { { ".", true },   { "..", true },   { "...", false }, { "", false },
		     { ".a", false }, { "..a", false }, { "a", false } };

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		check_int(rows[i].name, lull_path_is_dots(rows[i].name), rows[i].dots);
}

static void backup_numbers(void **state UNUSED)
{
	static const struct {
		const char *name, *entry;
		uint64_t number;
	} rows[] = {
		{ "a", "a.~1~", 1 },
		{ "a", "a.~42~", 42 },
		{ "a", "a.~18446744073709551609~", 18446744073709551609ULL },
		{ "a", "a.~18446744073709551610~", 0 }, /* the next must fit as well */
		{ "a", "a.~99999999999999999999~", 0 },
		{ "a", "a.~0~", 0 },
		{ "a", "a.~01~", 0 },
		{ "a", "a.~~", 0 },
		{ "a", "a.~1", 0 },
		{ "a", "a.~1~x", 0 },
		{ "a", "a.~-1~", 0 },
		{ "a", "a.~1x~", 0 },
		{ "a", "a~", 0 },
		{ "a", "a", 0 },
		{ "a", "b.~1~", 0 },
		{ "a", "ab.~1~", 0 },
		{ "a.~1~", "a.~1~.~3~", 3 },
		{ "", ".~5~", 5 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		check_int(rows[i].entry,
			  lull_path_backup_number(rows[i].name, strlen(rows[i].name),
						  rows[i].entry),
			  rows[i].number);
}

/* ---- names by inode ---- */

static void one_inode_several_names(void **state UNUSED)
{
	static const char *const youngest_first[] = { "c", "b", "a" };
	struct lull_idmap *map = lull_idmap_new();
	struct lull_named *named = NULL;

	assert_non_null(map);
	assert_null(lull_idmap_find(map, 1, 2, NULL));
	assert_non_null(lull_idmap_add(map, 1, 2, "a"));
	assert_non_null(lull_idmap_add(map, 1, 2, "b"));
	assert_non_null(lull_idmap_add(map, 2, 2, "another device"));
	assert_non_null(lull_idmap_add(map, 1, 3, "another inode"));
	assert_non_null(lull_idmap_add(map, 1, 2, "c"));
	/* Enough to make the table grow several times: the order stays. */
	for (uint64_t i = 0; i < 1000; i++)
		assert_non_null(lull_idmap_add(map, 9, i, "filler"));
	for (size_t i = 0; i < ARRAY_SIZE(youngest_first); i++) {
		named = lull_idmap_find(map, 1, 2, named);
		assert_non_null(named);
		assert_string_equal(named->name, youngest_first[i]);
	}
	assert_null(lull_idmap_find(map, 1, 2, named));
	lull_idmap_remove(map,
			  lull_idmap_find(map, 1, 2, lull_idmap_find(map, 1, 2, NULL)));
	named = lull_idmap_find(map, 1, 2, NULL);
	assert_string_equal(named->name, "c");
	assert_string_equal(lull_idmap_find(map, 1, 2, named)->name, "a");
	assert_string_equal(lull_idmap_find(map, 2, 2, NULL)->name, "another device");
	lull_idmap_free(map);
	lull_idmap_free(NULL);
}

/* What is looked for is compared with few others, whatever differs in the keys. */
static void spread(void **state UNUSED)
{
	static const struct {
		uint64_t dev, dev_step, inode, inode_step;
	} rows[] = {
		{ 1, 0, 0, 1 },          { 1, 0, 64, 32 },
		{ 1, 0, 1ULL << 40, 1 }, { 0, 1, 0, 0 },
		{ 0, 1ULL << 8, 1, 0 },  { 0, 1ULL << 32, 0, 0 },
		{ 0, 1ULL << 40, 0, 0 }, { 0, 0x100000001b3ULL, 0, 0 },
		{ 5, 1, 1000, 1 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct lull_idmap *map = lull_idmap_new();
		uint64_t steps = 0;

		assert_non_null(map);
		for (uint64_t n = 0; n < 4096; n++)
			assert_non_null(
				lull_idmap_add(map, rows[i].dev + n * rows[i].dev_step,
					       rows[i].inode + n * rows[i].inode_step,
					       ""));
		for (uint64_t n = 0; n < 4096; n++) {
			const struct lull_named *at =
				lull_idmap_find(map, rows[i].dev + n * rows[i].dev_step,
						rows[i].inode + n * rows[i].inode_step,
						NULL);

			for (assert_non_null(at); at; at = at->next)
				steps++;
		}
		/* One or two each; three of four is a table with one entry in a
		   bucket. */
		if (steps > 4096 * 3)
			fail_msg("row %zu: %ju steps for 4096", i, (uintmax_t)steps);
		lull_idmap_free(map);
	}
}

/* Against an array: random inodes, few enough to meet again, added and removed. */
static void like_an_array(void **state UNUSED)
{
	struct lull_named *model[2000] = { 0 };
	struct lull_idmap *map = lull_idmap_new();

	unit_seed("idmap", 0);
	assert_non_null(map);
	for (unsigned int step = 0; step < 20000; step++) {
		size_t at = (size_t)unit_below(ARRAY_SIZE(model));
		/* Pairs that differ in one half only. */
		uint64_t dev = at % 3, inode = at / 3 * (at % 2 ? 1 : 1ULL << 40);
		char name[16];

		if (model[at]) {
			assert_ptr_equal(lull_idmap_find(map, dev, inode, NULL),
					 model[at]);
			lull_idmap_remove(map, model[at]);
			model[at] = NULL;
		} else if (!lull_idmap_find(map, dev, inode, NULL)) {
			(void)snprintf(name, sizeof(name), "%zu", at);
			model[at] = lull_idmap_add(map, dev, inode, name);
			assert_non_null(model[at]);
			assert_string_equal(model[at]->name, name);
			assert_int_equal(model[at]->other_inode, 0);
		}
	}
	lull_idmap_free(map);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(last_parts),
		cmocka_unit_test(slashes_at_the_end),
		cmocka_unit_test(dots),
		cmocka_unit_test(backup_numbers),
		cmocka_unit_test(one_inode_several_names),
		cmocka_unit_test(spread),
		cmocka_unit_test(like_an_array),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
