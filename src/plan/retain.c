// SPDX-License-Identifier: MIT
/* Decides which generations stay: see retain.h. */
#include "plan/retain.h"

#include <stdlib.h>

/* Returns the days since 1 March of year 0 of the Gregorian calendar. Only differences
   matter. */
static uint64_t day_of(const struct lull_wall_time *local)
{
	uint64_t month = (local->month + 10) % 12;
	uint64_t year = (uint64_t)local->year - (local->month < 2);

	return 365 * year + year / 4 - year / 100 + year / 400 + (306 * month + 5) / 10 +
	       local->day;
}

void lull_retain_periods(struct lull_retain_item *item,
			 const struct lull_wall_time *local)
{
	uint64_t day = day_of(local);
	/* Time zones go from -12 to +14 hours. */
	uint64_t zone = (uint64_t)(local->east + 24 * 3600);

	item->period[LULL_KEEP_LAST] = 0;
	item->period[LULL_KEEP_HOURLY] = (day * 24 + local->hour) * (48 * 3600) + zone;
	item->period[LULL_KEEP_DAILY] = day;
	item->period[LULL_KEEP_WEEKLY] = day - (local->weekday + 6) % 7;
	item->period[LULL_KEEP_MONTHLY] = local->year * 12ULL + local->month;
	item->period[LULL_KEEP_YEARLY] = local->year;
}

static int by_order(const void *a, const void *b)
{
	const struct lull_retain_item *x = a, *y = b;

	return (x->order > y->order) - (x->order < y->order);
}

/* Sorts the latest first. Of two with the same time, the one that was made last is
   first. */
static int by_time(const void *a, const void *b)
{
	const struct lull_retain_item *x = a, *y = b;

	return x->time != y->time ? (x->time < y->time) - (x->time > y->time)
				  : by_order(b, a);
}

/* Keeps the latest item of each of the last periods. items must be sorted by time. Then
   those of one period are adjacent, unless the time zone was changed in the meantime. */
static void keep_latest(struct lull_retain_item *items, size_t n, unsigned int kind,
			unsigned int periods)
{
	bool begun = false;
	uint64_t last = 0;

	for (size_t i = 0; i < n && periods > 0; i++) {
		if (begun && items[i].period[kind] == last)
			continue;
		begun = true;
		last = items[i].period[kind];
		items[i].kept_by |= 1u << kind;
		periods--;
	}
}

void lull_retain(struct lull_retain_item *items, size_t n,
		 const struct lull_keep_rules *rules)
{
	for (size_t i = 0; i < n; i++) {
		items[i].kept_by = items[i].order + 1 == n ? LULL_KEPT_NEWEST : 0;
		if (n - items[i].order <= rules->n[LULL_KEEP_LAST])
			items[i].kept_by |= 1u << LULL_KEEP_LAST;
	}
	qsort(items, n, sizeof(*items), by_time);
	for (unsigned int kind = LULL_KEEP_HOURLY; kind < LULL_KEEP_KINDS; kind++)
		keep_latest(items, n, kind, rules->n[kind]);
	qsort(items, n, sizeof(*items), by_order);
}
