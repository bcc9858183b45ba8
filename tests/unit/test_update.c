// SPDX-License-Identifier: MIT
/* cp's rules for a DEST that exists, case by case as its manual has them. */
#include "unit.h"

#include "plan/update.h"
#include "util/macros.h"

/* When dest was modified, and when the source. */
static const struct times {
	const char *name;
	struct lull_mtime dest, source;
	bool older; /* dest than source */
} times[] = {
	{ "equal", { 1000, 500 }, { 1000, 500 }, false },
	{ "older by seconds", { 999, 999999999 }, { 1000, 0 }, true },
	{ "newer by seconds", { 1000, 0 }, { 999, 999999999 }, false },
	{ "older by a nanosecond", { 1000, 499 }, { 1000, 500 }, true },
	{ "newer by a nanosecond", { 1000, 501 }, { 1000, 500 }, false },
	{ "before 1970, and older", { -2, 0 }, { -1, 0 }, true },
	{ "before 1970, and newer", { 0, 0 }, { -1, 999999999 }, false },
};

static const struct rule {
	const char *name;
	enum lull_update update;
	enum lull_overwrite overwrite;
	enum lull_update_verdict older, else_; /* if dest is older; if it is not */
} rules[] = {
	{ "", LULL_UPDATE_ALL, LULL_OVERWRITE_YES, LULL_VERDICT_REPLACE,
	  LULL_VERDICT_REPLACE },
	{ "-i", LULL_UPDATE_ALL, LULL_OVERWRITE_ASK, LULL_VERDICT_ASK, LULL_VERDICT_ASK },
	{ "-n", LULL_UPDATE_ALL, LULL_OVERWRITE_NO, LULL_VERDICT_LEAVE,
	  LULL_VERDICT_LEAVE },
	{ "-u", LULL_UPDATE_OLDER, LULL_OVERWRITE_YES, LULL_VERDICT_REPLACE,
	  LULL_VERDICT_CURRENT },
	{ "-ui", LULL_UPDATE_OLDER, LULL_OVERWRITE_ASK, LULL_VERDICT_ASK,
	  LULL_VERDICT_CURRENT },
	{ "-un", LULL_UPDATE_OLDER, LULL_OVERWRITE_NO, LULL_VERDICT_LEAVE,
	  LULL_VERDICT_LEAVE },
	{ "--update=none", LULL_UPDATE_NONE, LULL_OVERWRITE_YES, LULL_VERDICT_LEAVE,
	  LULL_VERDICT_LEAVE },
	{ "--update=none -i", LULL_UPDATE_NONE, LULL_OVERWRITE_ASK, LULL_VERDICT_LEAVE,
	  LULL_VERDICT_LEAVE },
	{ "--update=none-fail", LULL_UPDATE_NONE_FAIL, LULL_OVERWRITE_YES,
	  LULL_VERDICT_REFUSE, LULL_VERDICT_REFUSE },
	{ "--update=none-fail -i", LULL_UPDATE_NONE_FAIL, LULL_OVERWRITE_ASK,
	  LULL_VERDICT_REFUSE, LULL_VERDICT_REFUSE },
};

static void judges_files_by_rule_and_time(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
		struct lull_cp cp = { .update = rules[i].update,
				      .overwrite = rules[i].overwrite };

		for (size_t k = 0; k < ARRAY_SIZE(times); k++) {
			char name[128];

			(void)snprintf(name, sizeof(name), "%s, dest is %s",
				       rules[i].name, times[k].name);
			check_int(name,
				  lull_update_judge(&cp, false, &times[k].source,
						    &times[k].dest),
				  times[k].older ? rules[i].older : rules[i].else_);
		}
	}
}

static void fills_directories_whatever_the_rule(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
		struct lull_cp cp = { .update = rules[i].update,
				      .overwrite = rules[i].overwrite };

		for (size_t k = 0; k < ARRAY_SIZE(times); k++)
			check_int(rules[i].name,
				  lull_update_judge(&cp, true, &times[k].source,
						    &times[k].dest),
				  LULL_VERDICT_REPLACE);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(judges_files_by_rule_and_time),
		cmocka_unit_test(fills_directories_whatever_the_rule),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
