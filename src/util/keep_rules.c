// SPDX-License-Identifier: MIT
/* The rules of --keep: their names on the command line, in JSON and in the record. */
#include "lullcp.h"

const char *lull_keep_name(enum lull_keep_kind kind)
{
	static const char *const names[LULL_KEEP_KINDS] = {
		[LULL_KEEP_LAST] = "last",       [LULL_KEEP_HOURLY] = "hourly",
		[LULL_KEEP_DAILY] = "daily",     [LULL_KEEP_WEEKLY] = "weekly",
		[LULL_KEEP_MONTHLY] = "monthly", [LULL_KEEP_YEARLY] = "yearly",
	};

	return names[kind];
}

bool lull_keep_any(const struct lull_keep_rules *rules)
{
	unsigned int all = 0;

	for (unsigned int kind = 0; kind < LULL_KEEP_KINDS; kind++)
		all += rules->n[kind];
	return all > 0;
}
