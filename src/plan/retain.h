/* SPDX-License-Identifier: MIT */
/*
 * Decides which generations stay. Of each of the last N hours, days, weeks, months and
 * years that have a generation, the latest stays. The last N that were made stay too,
 * however old they are. A generation stays if any rule keeps it. Makes no system call:
 * the caller supplies local times.
 */
#pragma once

#include "lullcp.h"

/* A local time, as a wall clock shows it. */
struct lull_wall_time {
	unsigned int year;
	unsigned int month;   /* 0 is January */
	unsigned int day;     /* of the month, from 1 */
	unsigned int weekday; /* 0 is Sunday */
	unsigned int hour;
	int64_t east; /* seconds ahead of UTC */
};

struct lull_retain_item {
	uint64_t time; /* ns since the epoch */
	/* 0, 1, ... in the order in which they were made, which may not be that of
	   time */
	size_t order;
	/* number of its hour, day, ...; equal if two items have the same */
	uint64_t period[LULL_KEEP_KINDS];
	unsigned int kept_by; /* as in struct lull_row_entry; 0: it is removed */
};

/*
 * Sets the periods of an item from its local time. The hour that occurs twice when a
 * clock is put back counts as two. Weeks begin on Monday.
 */
void lull_retain_periods(struct lull_retain_item *item,
			 const struct lull_wall_time *local);

/*
 * Sets kept_by of all n items. Their order must be 0 to n - 1, in any sequence. Sorts
 * them by order.
 */
void lull_retain(struct lull_retain_item *items, size_t n,
		 const struct lull_keep_rules *rules);
