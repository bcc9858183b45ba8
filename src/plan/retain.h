/* SPDX-License-Identifier: MIT */
/*
 * Which generations stay. Of each of the last N hours, days, weeks, months and years that
 * have one, the latest stays, and the last N that were made, however old; one stays if
 * any rule keeps it. Pure: the caller says what time it was where he lives.
 */
#pragma once

#include "lullcp.h"

/* The local time that a wall clock shows. */
struct lull_wall_time {
	unsigned int year;
	unsigned int month;   /* 0 is January */
	unsigned int day;     /* of the month, from 1 */
	unsigned int weekday; /* 0 is Sunday */
	unsigned int hour;
	int64_t east; /* seconds that it is ahead of UTC */
};

struct lull_retain_item {
	uint64_t time; /* ns since the epoch */
	size_t order;  /* 0, 1, ... as they were made, which a clock may belie */
	/* in which hour, day, ... it lies; two items in one have the same number */
	uint64_t period[LULL_KEEP_KINDS];
	unsigned int kept_by; /* as in struct lull_row_entry; 0: it goes */
};

/*
 * Sets the periods of an item by its local time. The hour that a clock is put back for
 * comes twice, and is two. Weeks begin on Mondays.
 */
void lull_retain_periods(struct lull_retain_item *item,
			 const struct lull_wall_time *local);

/*
 * Sets kept_by of all n items, whose order is 0 to n - 1 in any sequence, and leaves them
 * sorted by order.
 */
void lull_retain(struct lull_retain_item *items, size_t n,
		 const struct lull_keep_rules *rules);
