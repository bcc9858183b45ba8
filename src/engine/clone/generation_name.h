/* SPDX-License-Identifier: MIT */
/*
 * What a user calls a generation of a file: "latest", the full name of one of its row, or
 * a date that begins exactly one; or ROW.latest and ROW.DATE, of another row. Anything
 * else is a path.
 */
#pragma once

#include "engine/base/job.h"
#include "lullcp.h"
#include "store/generations.h"

enum lull_generation_match {
	LULL_GENERATION_PATH,      /* it names none of the row */
	LULL_GENERATION_NAMED,     /* *ret_index */
	LULL_GENERATION_NONE,      /* "latest", and there is none */
	LULL_GENERATION_AMBIGUOUS, /* *ret_index is the first of those that it begins */
};

/*
 * Which of the generations of a file called stem is meant by wanted. "latest" is the last
 * in the list that is not pending. Pure.
 */
enum lull_generation_match lull_generation_pick(
	const struct lull_generations *generations, const char *stem, const char *wanted,
	size_t *ret_index);

/*
 * Finds the generation of target, from the record of its row. LULL_OK with *ret_path, to
 * be freed, which is wanted itself if that is a path; LULL_FAILED with *ret_failure set:
 * its paths are to be freed.
 */
enum lull_outcome lull_generation_find(const struct lull_options *options,
				       const char *wanted, const char *target,
				       char **ret_path, struct lull_failure *ret_failure);

/*
 * What path means where a file is asked for that is there: itself, or, if nothing has
 * that name, the generation that it is of a row: ROW.DATE, and with latest ROW.latest.
 * LULL_OK with *ret_path, to be freed: path itself too if no row has such a one; or
 * LULL_FAILED with *ret_failure set: the record cannot be believed, or several are meant.
 */
enum lull_outcome lull_generation_path(const struct lull_options *options,
				       const char *path, bool latest, char **ret_path,
				       struct lull_failure *ret_failure);

/* What follows DEST in the name of a generation, ".20261125T021500Z" or that and "-1";
   NULL if the name is none. */
const char *lull_generation_date(const char *name);

/* That as ns since the epoch; 0 if it is none. */
uint64_t lull_generation_time(const char *date);

/* What follows DEST in the name of a generation that was made at that time. */
void lull_generation_call(uint64_t ns, char ret_date[static 24]);

/*
 * True if path is a generation of a row, or reads as one (ROW.latest, ROW.DATE) of a row
 * that has some; *ret_row is to be freed then.
 */
bool lull_generation_is_meant(const struct lull_options *options, const char *path,
			      char **ret_row);

/*
 * The file that wanted means where a generation of the file of is asked for, which may be
 * one of that row itself: a path if there is such a file, else as above. LULL_OK with
 * *ret_path, to be freed; else the job knows what failed.
 */
enum lull_outcome lull_generation_resolve(struct lull_job *job, const char *wanted,
					  const char *of, char **ret_path);
