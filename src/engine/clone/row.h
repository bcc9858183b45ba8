/* SPDX-License-Identifier: MIT */
/*
 * The generations of a destination, as the record lists them and as they are now: which
 * are what it says, which of them may go, which rule keeps one.
 */
#pragma once

#include "engine/base/job.h"
#include "plan/retain.h"
#include "store/generations.h"

/* What became of a generation that the record lists. */
enum lull_row_state {
	LULL_ROW_GOOD,
	LULL_ROW_GONE,
	LULL_ROW_OTHER,  /* another file has its name */
	LULL_ROW_UNSURE, /* it cannot be opened */
};

/* *ret_fd is open on it for reading if it is LULL_ROW_GOOD, else -1. */
enum lull_row_state lull_row_look(const struct lull_dest *dest,
				  const struct lull_generation *generation, int *ret_fd);

/* fd, on the file system of dest, is open on that generation, whatever its name. */
bool lull_row_is(const struct lull_dest *dest, const struct lull_generation *generation,
		 int fd);

/* Of what cannot be read or believed in a record: err is an errno of either sign. */
enum lull_cause lull_row_cause(int err);

/* The name in dest->home of the record of the generations of dest, which has no date yet;
   to be freed, NULL without memory. */
char *lull_row_record(const struct lull_dest *dest);

/* The absolute path of name in the directory of dest; to be freed, NULL without
   memory. */
char *lull_row_path(const struct lull_dest *dest, const char *name);

/*
 * What the rules make of the list, and of one more that is made at the time more (ns
 * since the epoch; 0: of none): an item for each, in the order of the list, to be freed.
 * Local times are those of localtime_r(3). NULL without memory.
 */
struct lull_retain_item *lull_row_retain(const struct lull_generations *list,
					 const struct lull_keep_rules *rules,
					 uint64_t more);

/*
 * Which of the list a clone of job->src uses up: the oldest that no rule keeps, by items
 * from lull_row_retain(), and that may be, but never the newest. Its index, or list->n:
 * none. *ret_spared is the first that no rule keeps and that may not be, *ret_why an
 * errno, why; list->n: there is no such.
 */
size_t lull_row_choose(const struct lull_job *job, const struct lull_generations *list,
		       const struct lull_retain_item *items, size_t *ret_spared,
		       int *ret_why);
