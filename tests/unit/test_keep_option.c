// SPDX-License-Identifier: MIT
/* What --keep takes, and what it refuses. */
#include "unit.h"

#include "keep_option.h"
#include "util/macros.h"

static void test_good(void **state UNUSED)
{
	static const struct {
		const char *text;
		struct lull_keep_rules rules;
	} good[] = {
		{ "1", { .n[LULL_KEEP_LAST] = 1 } },
		{ "1000", { .n[LULL_KEEP_LAST] = 1000 } },
		{ "last:7", { .n[LULL_KEEP_LAST] = 7 } },
		{ "yearly:1", { .n[LULL_KEEP_YEARLY] = 1 } },
		{ "last:1,hourly:2,daily:3,weekly:4,monthly:5,yearly:6",
		  { .n = { 1, 2, 3, 4, 5, 6 } } },
		{ "yearly:6,last:1", { .n = { 1, 0, 0, 0, 0, 6 } } },
		{ "last:500,daily:500", { .n = { 500, 0, 500 } } },
	};

	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		struct lull_keep_rules rules;
		struct keep_mistake mistake;

		check(good[i].text, keep_option_read(good[i].text, &rules, &mistake));
		for (unsigned int kind = 0; kind < LULL_KEEP_KINDS; kind++)
			check_int(good[i].text, rules.n[kind], good[i].rules.n[kind]);
		check(good[i].text, lull_keep_any(&rules));
	}
}

static void test_bad(void **state UNUSED)
{
	/* and which part of it is wrong, unless that is all or nothing */
	static const struct {
		const char *text;
		const char *part;
	} bad[] = {
		{ "", "" },
		{ "0", "" },
		{ "1001", "" },
		{ "-1", "" },
		{ "+1", "" },
		{ " 1", "" },
		{ "1 ", "" },
		{ "1.0", "" },
		{ "x", "" },
		{ "last", "" },
		{ "last:", "" },
		{ "last:0", "" },
		{ "last:x", "" },
		{ "last:1001", "" },
		{ ":1", "" },
		{ "last:1,", "" },
		{ ",last:1", "" },
		{ "last:1,,", "" },
		{ "last:1 ", "" },
		{ "Last:1", "" },
		{ "las:1", "" },
		{ "lastly:1", "" },
		{ "1,daily:1", "1" },
		{ "daily:1,1", "1" },
		{ "daily:1:2", "" },
		{ "daily=1", "" },
		{ "daily 1", "" },
		{ "daily:1;weekly:1", "" },
		{ "daily:01x", "" },
		{ "last:1,last:1", "last:1" },
		{ "last:501,daily:500", "daily:500" },
		{ "daily:99999999999999999999", "" },
		{ "daily:7,foo:1", "foo:1" },
		{ "foo:1,daily:7", "foo:1" },
		{ "daily:7,weekly:x,monthly:3", "weekly:x" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct lull_keep_rules rules;
		struct keep_mistake m = { 0 };

		check(bad[i].text, !keep_option_read(bad[i].text, &rules, &m));
		check(bad[i].text, m.wrong);
		check_int(bad[i].text, m.len, strlen(bad[i].part));
		check(bad[i].text, strncmp(m.part, bad[i].part, m.len) == 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_bad),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
