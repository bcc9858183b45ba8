// SPDX-License-Identifier: MIT
/* What the name of a kernel says about the fix of CVE-2026-64600. */
#include "unit.h"

#include "plan/fixes.h"
#include "util/macros.h"

#define HAS   LULL_FIX_PRESENT
#define LACKS LULL_FIX_MISSING
#define OPEN  LULL_FIX_UNKNOWN

static void test_writer_race(void **state)
{
	static const struct {
		const char *release;
		enum lull_fix fix;
	} cases[] = {
		/* each maintained series, on both sides */
		{ "5.15.211", LACKS },
		{ "5.15.212", HAS },
		{ "5.15.0", LACKS },
		{ "6.1.177", LACKS },
		{ "6.1.178", HAS },
		{ "6.1.300", HAS },
		{ "6.6.144", LACKS },
		{ "6.6.145", HAS },
		{ "6.12.95", LACKS },
		{ "6.12.96", HAS },
		{ "6.18.38", LACKS },
		{ "6.18.39", HAS },
		{ "6.18", LACKS },
		{ "7.1.3", LACKS },
		{ "7.1.4", HAS },
		{ "7.1", LACKS },
		/* distributions: at the fix or above it is in there, below it may be */
		{ "6.18.44-fc-v782", HAS },
		{ "6.18.20-fc-v1", OPEN },
		{ "6.12.96-1-lts", HAS },
		{ "6.12.43+deb13-amd64", OPEN },
		{ "6.1.0-37-amd64", OPEN },
		{ "5.15.0-160-generic", OPEN },
		{ "5.15.212+", HAS },
		{ "5.15.211+", OPEN },
		{ "5.14.0-570.el9.x86_64", OPEN },
		{ "6.6.145-rc1", HAS },
		/* series that nobody maintains */
		{ "4.11.0", OPEN },
		{ "4.19.325", OPEN },
		{ "5.10.260", OPEN },
		{ "6.8.12", OPEN },
		{ "6.17.13", OPEN },
		{ "6.19.14", OPEN },
		{ "7.0.9", OPEN },
		{ "7.0.9-x", OPEN },
		/* before the fault */
		{ "4.10.17", HAS },
		{ "4.10.17-generic", OPEN },
		{ "3.10.0-1160.el7.x86_64", OPEN },
		{ "2.6.32", HAS },
		/* with the fix from the start */
		{ "7.2.0", HAS },
		{ "7.2", HAS },
		{ "7.2.0-rc3", OPEN },
		{ "7.2-rc3", OPEN },
		{ "7.2.1-arch1", HAS },
		{ "7.3.0-rc1", HAS },
		{ "8.0.0", HAS },
		{ "10.1.2-x", HAS },
		/* no version */
		{ "", OPEN },
		{ "linux", OPEN },
		{ "6", OPEN },
		{ "6.", OPEN },
		{ "6.x", OPEN },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		check_int(cases[i].release, lull_fixes_writer_race(cases[i].release),
			  cases[i].fix);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_writer_race) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
