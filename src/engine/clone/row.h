/* SPDX-License-Identifier: MIT */
/*
 * The generations of a destination, as the record lists them and as they are now.
 * Determines which are as recorded, which may be removed, and which rule keeps one.
 */
#pragma once

#include "engine/base/job.h"
#include "plan/retain.h"
#include "store/generations.h"

/* What has become of a generation that the record lists. */
enum lull_row_state {
	LULL_ROW_GOOD,
	LULL_ROW_GONE,
	LULL_ROW_OTHER,  /* another file has its name */
	LULL_ROW_UNSURE, /* it cannot be opened */
};

/* Examines a generation. With LULL_ROW_GOOD, *ret_fd is open for reading, else it is
   -1. */
enum lull_row_state lull_row_look(const struct lull_dest *dest,
				  const struct lull_generation *generation, int *ret_fd);

/* Returns true if fd, on the file system of dest, is that generation, whatever its
   name. */
bool lull_row_is(const struct lull_dest *dest, const struct lull_generation *generation,
		 int fd);

/* Returns the cause if a record cannot be read or is not trusted. err is an errno of
   either sign. */
enum lull_cause lull_row_cause(int err);

/* Returns the name in dest->home of the record of the generations of dest, to be freed,
   or NULL without memory. dest must not have a date yet. */
char *lull_row_record(const struct lull_dest *dest);

/* Returns the absolute path of name in the directory of dest, to be freed, or NULL
   without memory. */
char *lull_row_path(const struct lull_dest *dest, const char *name);

/*
 * Applies the rules to the list, and to one more generation made at time more (ns since
 * the epoch; 0: none). Returns an item for each, in the order of the list, to be freed,
 * or NULL without memory. Local times are those of localtime_r(3).
 */
struct lull_retain_item *lull_row_retain(const struct lull_generations *list,
					 const struct lull_keep_rules *rules,
					 uint64_t more);

/*
 * Chooses the generation that a clone of job->src uses up: the oldest that no rule keeps
 * and that can be used up, but never the newest. items are those of lull_row_retain().
 * Returns its index, or list->n for none. *ret_spared is the first that no rule keeps but
 * that cannot be used up, with *ret_why an errno; list->n: there is none.
 */
size_t lull_row_choose(const struct lull_job *job, const struct lull_generations *list,
		       const struct lull_retain_item *items, size_t *ret_spared,
		       int *ret_why);
