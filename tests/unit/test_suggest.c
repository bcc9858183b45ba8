// SPDX-License-Identifier: MIT
/* Words that are near each other. */
#include "unit.h"

#include "suggest.h"
#include "util/macros.h"

static void expect(const char *text, const char *word, int changes)
{
	unsigned int found = 99;
	bool near = suggest_near(text, strlen(text), word, &found);

	if (near != (changes >= 0) || (near && found != (unsigned int)changes))
		fail_msg("%s, %s: near %d, %u changes", text, word, near, found);
}

static void test_changes(void **state UNUSED)
{
	expect("refresh", "refresh", 0);
	expect("refesh", "refresh", 1);   /* missing */
	expect("reffresh", "refresh", 1); /* too many */
	expect("refrush", "refresh", 1);  /* another */
	expect("reffesh", "refresh", 1);
	expect("refrehs", "refresh", 1); /* swapped */
	expect("lateny-buget", "latency-budget", 2);
	expect("chekcpoint-intreval", "checkpoint-interval", 2);
	expect("keep", "keep", 0);
	expect("kepe", "keep", 1);
	expect("kexx", "keep", -1);
	expect("hook", "json", -1);
	expect("no", "no", 0);
	expect("on", "no", -1); /* too short for a change */
	expect("", "keep", -1);
}

/* In both ways the same, never more than the longer one is long. */
static void test_random(void **state UNUSED)
{
	for (unsigned int i = 0; i < 20000; i++) {
		char a[40] = "", b[40] = "";
		unsigned int n = unit_below(34), m = unit_below(34), there = 0, back = 0;

		for (unsigned int j = 0; j < n; j++)
			a[j] = (char)('a' + unit_below(3));
		for (unsigned int j = 0; j < m; j++)
			b[j] = (char)('a' + unit_below(3));

		bool near = suggest_near(a, n, b, &there);

		assert_int_equal(near, suggest_near(b, m, a, &back));
		assert_int_equal(there, back);
		assert_true(there <= MAX(n, m));
		if (n > 31 || m > 31)
			assert_false(near);
		else if (strcmp(a, b) == 0)
			assert_true(near && there == 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_changes),
		cmocka_unit_test(test_random),
	};

	unit_seed("suggest", 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
