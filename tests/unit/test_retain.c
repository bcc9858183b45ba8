// SPDX-License-Identifier: MIT
/* Which generations the rules keep: known cases, and what must hold in any. */
#include "unit.h"

#include "plan/retain.h"
#include "util/macros.h"

#define SECOND 1000000000ULL
#define HOUR   3600ULL
#define DAY    (24 * HOUR)
/* In words of its own, for there may be no database of zones. */
#define BERLIN "CET-1CEST,M3.5.0,M10.5.0/3"
#define MOST   400

static struct lull_retain_item items[MOST];
static size_t n;

static void add(time_t seconds)
{
	struct tm local;

	assert_non_null(localtime_r(&seconds, &local));
	items[n].time = (uint64_t)seconds * SECOND;
	items[n].order = n;
	lull_retain_periods(&items[n], &(struct lull_wall_time){
					       .year = (unsigned int)local.tm_year + 1900,
					       .month = (unsigned int)local.tm_mon,
					       .day = (unsigned int)local.tm_mday,
					       .weekday = (unsigned int)local.tm_wday,
					       .hour = (unsigned int)local.tm_hour,
					       .east = local.tm_gmtoff,
				       });
	n++;
}

static time_t at(const char *text)
{
	struct tm tm = { .tm_isdst = -1 };

	assert_non_null(strptime(text, "%Y-%m-%d %H:%M", &tm));
	return mktime(&tm);
}

static void zone(const char *name)
{
	(void)setenv("TZ", name, 1);
	tzset();
	n = 0;
}

static bool keeps(size_t i, enum lull_keep_kind kind)
{
	return items[i].kept_by & (1u << kind);
}

static unsigned int count(void)
{
	unsigned int kept = 0;

	for (size_t i = 0; i < n; i++)
		kept += items[i].kept_by != 0;
	return kept;
}

static void last_ones(void **state UNUSED)
{
	const struct lull_keep_rules rules = { .n[LULL_KEEP_LAST] = 3 };

	zone("UTC");
	for (unsigned int i = 0; i < 10; i++)
		add((time_t)(i * DAY));
	lull_retain(items, n, &rules);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(items[i].kept_by != 0, i >= 7);
	/* A clock that went back by years: the last that were made still stay. */
	n = 0;
	for (unsigned int i = 0; i < 10; i++)
		add((time_t)((1000 - i * 10) * DAY));
	lull_retain(items, n, &rules);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(items[i].kept_by != 0, i >= 7);
}

static void days_weeks_months_years(void **state UNUSED)
{
	const struct lull_keep_rules rules = { .n = { [LULL_KEEP_DAILY] = 3,
						      [LULL_KEEP_WEEKLY] = 2,
						      [LULL_KEEP_MONTHLY] = 2,
						      [LULL_KEEP_YEARLY] = 2 } };
	const struct {
		const char *when;
		unsigned int by;
	} cases[] = {
		{ "2024-12-30 12:00", 0 },
		{ "2024-12-31 23:59", 1u << LULL_KEEP_YEARLY },
		/* Wednesday, of the week that began in 2024 */
		{ "2025-01-01 00:00", 0 },
		{ "2025-03-30 12:00", 0 },
		{ "2025-04-30 12:00", 1u << LULL_KEEP_MONTHLY },
		{ "2025-05-10 12:00", 0 },
		/* Sunday: the last day of its week */
		{ "2025-05-11 23:30", 1u << LULL_KEEP_WEEKLY },
		/* Monday: the first of the next */
		{ "2025-05-12 00:30", 0 },
		{ "2025-05-15 01:00", 0 },
		{ "2025-05-15 02:00", 1u << LULL_KEEP_DAILY },
		{ "2025-05-16 02:00", 1u << LULL_KEEP_DAILY },
		{ "2025-05-17 01:00", 0 },
		{ "2025-05-17 02:00", 1u << LULL_KEEP_DAILY | 1u << LULL_KEEP_WEEKLY |
					      1u << LULL_KEEP_MONTHLY |
					      1u << LULL_KEEP_YEARLY | LULL_KEPT_NEWEST },
	};

	zone(BERLIN);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		add(at(cases[i].when));
	lull_retain(items, n, &rules);
	for (size_t i = 0; i < n; i++) {
		if (items[i].kept_by != cases[i].by)
			fail_msg("%s: %x, not %x", cases[i].when, items[i].kept_by,
				 cases[i].by);
	}
}

/* The hour from 2 to 3 comes twice, and is two. */
static void clock_put_back(void **state UNUSED)
{
	const struct lull_keep_rules rules = { .n[LULL_KEEP_HOURLY] = 4 };
	/* 26 October 2025, 00:30 UTC is 02:30 summer time */
	const time_t summer = 1761438600;

	zone(BERLIN);
	add(summer - (time_t)HOUR);
	add(summer);
	add(summer + (time_t)HOUR); /* 02:30 again */
	add(summer + (time_t)(2 * HOUR));
	lull_retain(items, n, &rules);
	assert_int_equal(count(), 4);
	for (size_t i = 0; i < n; i++)
		assert_true(keeps(i, LULL_KEEP_HOURLY));
}

/* A day of 23 hours and one of 25 are a day each. */
static void short_and_long_days(void **state UNUSED)
{
	const struct lull_keep_rules rules = { .n[LULL_KEEP_DAILY] = 400 };

	zone(BERLIN);
	for (time_t t = at("2025-03-29 00:10"); t < at("2025-04-02 00:00");
	     t += (time_t)HOUR)
		add(t);
	lull_retain(items, n, &rules);
	assert_int_equal(count(), 4);
	zone(BERLIN);
	for (time_t t = at("2025-10-25 00:10"); t < at("2025-10-29 00:00");
	     t += (time_t)HOUR)
		add(t);
	lull_retain(items, n, &rules);
	assert_int_equal(count(), 4);
}

/* Of a clock that stood wrong for a while, and was put right. */
static void clock_put_right(void **state UNUSED)
{
	const struct lull_keep_rules rules = { .n[LULL_KEEP_DAILY] = 2 };

	zone("UTC");
	add(at("2025-05-10 01:00"));
	add(at("2031-01-01 01:00"));
	add(at("2025-05-11 01:00"));
	add(at("2025-05-12 01:00"));
	lull_retain(items, n, &rules);
	/* The one of the wrong date counts as a day; the newest stays whatever
	   happens. */
	assert_true(keeps(1, LULL_KEEP_DAILY));
	assert_true(keeps(3, LULL_KEEP_DAILY));
	assert_int_equal(items[0].kept_by, 0);
	assert_int_equal(items[2].kept_by, 0);
	n = 0;
	add(at("2031-01-01 01:00"));
	add(at("2031-01-02 01:00"));
	add(at("2025-05-12 01:00"));
	lull_retain(items, n, &rules);
	assert_int_equal(items[2].kept_by, LULL_KEPT_NEWEST);
}

/* Any times in any sequence: what a rule keeps are so many periods, each by its latest,
   and no later period is without one. */
static void anything(void **state UNUSED)
{
	static const char *const zones[] = { "UTC", BERLIN,
					     "LHST-10:30LHDT-11,M10.1.0,M4.1.0",
					     "<+14>-14", "NST3:30NDT,M3.2.0,M11.1.0" };

	for (unsigned int round = 0; round < 2000; round++) {
		struct lull_keep_rules rules = { 0 };
		unsigned int want = 1 + unit_below(60);

		zone(zones[unit_below(ARRAY_SIZE(zones))]);
		for (unsigned int i = 0; i < want; i++)
			add((time_t)(1740000000 +
				     unit_below(100 + round * 20000) * 60ULL));
		for (unsigned int kind = 0; kind < LULL_KEEP_KINDS; kind++)
			rules.n[kind] = unit_below(2) ? unit_below(8) : 0;
		lull_retain(items, n, &rules);
		assert_true(items[n - 1].kept_by & LULL_KEPT_NEWEST);
		for (unsigned int kind = LULL_KEEP_HOURLY; kind < LULL_KEEP_KINDS;
		     kind++) {
			unsigned int kept = 0;

			for (size_t i = 0; i < n; i++) {
				unsigned int later = 0;

				kept += keeps(i, (enum lull_keep_kind)kind);
				for (size_t k = 0; k < n; k++) {
					bool same = items[k].period[kind] ==
						    items[i].period[kind];
					bool after = items[k].time > items[i].time ||
						     (items[k].time == items[i].time &&
						      k > i);

					/* Not the latest of its period. */
					if (same && after &&
					    keeps(i, (enum lull_keep_kind)kind))
						fail_msg("an older one of a period");
					later += after &&
						 keeps(k, (enum lull_keep_kind)kind);
				}
				/* All periods after the N-th have nothing, those before
				   it have one. */
				if (keeps(i, (enum lull_keep_kind)kind))
					assert_true(later < rules.n[kind]);
			}
			assert_true(kept <= rules.n[kind]);
			if (rules.n[kind] > 0)
				assert_true(kept > 0);
		}
		for (size_t i = 0; i < n; i++) {
			assert_int_equal(items[i].order, i);
			assert_int_equal(keeps(i, LULL_KEEP_LAST),
					 n - i <= rules.n[LULL_KEEP_LAST]);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(last_ones),
		cmocka_unit_test(days_weeks_months_years),
		cmocka_unit_test(clock_put_back),
		cmocka_unit_test(short_and_long_days),
		cmocka_unit_test(clock_put_right),
		cmocka_unit_test(anything),
	};

	unit_seed("retain", 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
