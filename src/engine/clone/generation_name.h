/* SPDX-License-Identifier: MIT */
/*
 * Finds the generation that a user names. Within the row of a file, that is "latest", the
 * full name, or a date with which exactly one begins. ROW.latest and ROW.DATE name one of
 * another row. Anything else is a path.
 */
#pragma once

#include "engine/base/job.h"
#include "lullcp.h"
#include "store/generations.h"

enum lull_generation_match {
	LULL_GENERATION_PATH,      /* it names no generation of the row */
	LULL_GENERATION_NAMED,     /* *ret_index is the generation */
	LULL_GENERATION_NONE,      /* "latest", and the row has none */
	LULL_GENERATION_AMBIGUOUS, /* several begin with it; *ret_index is the first */
};

/*
 * Finds which of the generations of a file called stem wanted means. "latest" is the last
 * in the list that is not pending. Makes no system call.
 */
enum lull_generation_match lull_generation_pick(
	const struct lull_generations *generations, const char *stem, const char *wanted,
	size_t *ret_index);

/*
 * Finds the generation of target that wanted means, in the record of its row. If wanted
 * is a path, it is the result. Returns LULL_OK with *ret_path set, or LULL_FAILED with
 * *ret_failure set. The caller frees *ret_path, or the paths of *ret_failure.
 */
enum lull_outcome lull_generation_find(const struct lull_options *options,
				       const char *wanted, const char *target,
				       char **ret_path, struct lull_failure *ret_failure);

/*
 * Finds what path means where an existing file is required. That is path itself. If there
 * is no such file, it is the generation ROW.DATE, or ROW.latest if latest is set, or
 * still path if no row has it. Returns LULL_OK with *ret_path set, which the caller
 * frees. Returns LULL_FAILED with *ret_failure set if the record is not trusted, or if
 * several generations match.
 */
enum lull_outcome lull_generation_path(const struct lull_options *options,
				       const char *path, bool latest, char **ret_path,
				       struct lull_failure *ret_failure);

/* Returns what follows DEST in the name of a generation, such as ".20261125T021500Z" or
   that with "-1", or NULL if name is not that of a generation. */
const char *lull_generation_date(const char *name);

/* Converts such a date to ns since the epoch. Returns 0 if it is not one. */
uint64_t lull_generation_time(const char *date);

/* Makes the date that follows DEST in the name of a generation made at time ns. */
void lull_generation_call(uint64_t ns, char ret_date[static 24]);

/*
 * Returns true if path is a generation of a row, or has the form ROW.latest or ROW.DATE
 * of one of a row. Then the caller frees *ret_row.
 */
bool lull_generation_is_meant(const struct lull_options *options, const char *path,
			      char **ret_row);

/*
 * Finds the file that wanted means where a generation of the file of is required. of may
 * be a generation of that row itself. If a file called wanted exists, it is that; else
 * see lull_generation_find(). Returns LULL_OK with *ret_path set, which the caller frees.
 * On failure the job has the error.
 */
enum lull_outcome lull_generation_resolve(struct lull_job *job, const char *wanted,
					  const char *of, char **ret_path);
