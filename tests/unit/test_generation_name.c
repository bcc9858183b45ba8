// SPDX-License-Identifier: MIT
/* What a user calls a generation. */
#include "unit.h"

#include "engine/clone/generation_name.h"

static char names[][40] = {
	"img.20261123T030000Z", "img.20261124T030000Z", "img.20261124T030000Z-1",
	"img.20261125T021500Z", "img.20261126T021500Z",
};
/* Of one second each, the first of them gone since. */
static char later[][40] = { "img.20261123T030000Z-1", "img.20261124T030000Z-10" };

static const struct {
	const char *wanted;
	enum lull_generation_match match;
	size_t index;
} cases[] = {
	{ "latest", LULL_GENERATION_NAMED, 3 }, /* the last one is pending */
	{ "img.20261123T030000Z", LULL_GENERATION_NAMED, 0 },
	{ "img.20261126T021500Z", LULL_GENERATION_NAMED, 4 },
	{ "20261123", LULL_GENERATION_NAMED, 0 },
	{ "20261125T02", LULL_GENERATION_NAMED, 3 },
	{ "20261124", LULL_GENERATION_AMBIGUOUS, 1 },
	{ "20261124T030000Z", LULL_GENERATION_NAMED, 1 },
	{ "20261124T030000Z-", LULL_GENERATION_NAMED, 2 },
	{ "20261124T030000Z-1", LULL_GENERATION_NAMED, 2 },
	{ "2", LULL_GENERATION_AMBIGUOUS, 0 },
	{ "", LULL_GENERATION_PATH, 0 },
	{ "img", LULL_GENERATION_PATH, 0 },
	{ "img.", LULL_GENERATION_PATH, 0 },
	{ "img.20261123", LULL_GENERATION_PATH, 0 },
	{ "20261123T030000Z-1", LULL_GENERATION_PATH, 0 },
	{ "latest2", LULL_GENERATION_PATH, 0 },
	{ "./img.20261123T030000Z", LULL_GENERATION_PATH, 0 },
};

static void test_names(void **state)
{
	struct lull_generations list = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct lull_generation g = { .name = names[i], .pending = i == 4 };

		assert_int_equal(lull_generations_add(&list, &g), 0);
	}
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t index = 0;

		check_int(cases[i].wanted,
			  lull_generation_pick(&list, "img", cases[i].wanted, &index),
			  cases[i].match);
		check_int(cases[i].wanted, index, cases[i].index);
	}
	lull_generations_done(&list);
}

/* A complete date is that of one generation, and of no other once that is gone. */
static void test_complete(void **state)
{
	static const struct {
		const char *wanted;
		enum lull_generation_match match;
	} rows[] = {
		{ "20261123T030000Z", LULL_GENERATION_PATH },
		{ "20261124T030000Z-1", LULL_GENERATION_PATH },
		{ "20261123T030000Z-1", LULL_GENERATION_NAMED },
		{ "20261123T030000", LULL_GENERATION_NAMED },
		{ "20261123", LULL_GENERATION_NAMED },
	};
	struct lull_generations list = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(later) / sizeof(later[0]); i++) {
		struct lull_generation g = { .name = later[i] };

		assert_int_equal(lull_generations_add(&list, &g), 0);
	}
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		size_t index = 0;

		check_int(rows[i].wanted,
			  lull_generation_pick(&list, "img", rows[i].wanted, &index),
			  rows[i].match);
	}
	lull_generations_done(&list);
}

/* The names of another row are not dates of this one. */
static void test_other_rows(void **state)
{
	struct lull_generations list = { 0 };
	struct lull_generation g = { .name = names[0] };
	size_t index = 7;

	(void)state;
	check_int("none", lull_generation_pick(&list, "img", "latest", &index),
		  LULL_GENERATION_NONE);
	assert_int_equal(lull_generations_add(&list, &g), 0);
	check_int("a longer stem", lull_generation_pick(&list, "img.2", "0261", &index),
		  LULL_GENERATION_PATH);
	check_int("a shorter stem", lull_generation_pick(&list, "im", "2026", &index),
		  LULL_GENERATION_PATH);
	g.pending = true;
	list.item[0].pending = true;
	check_int("only a pending one",
		  lull_generation_pick(&list, "img", "latest", &index),
		  LULL_GENERATION_NONE);
	check_int("untouched", index, 7);
	lull_generations_done(&list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_complete),
		cmocka_unit_test(test_other_rows),
	};

	return cmocka_run_group_tests_name("generation_name", tests, NULL, NULL);
}
