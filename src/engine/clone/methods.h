/* SPDX-License-Identifier: MIT */
/* The methods by which a clone becomes a copy of one point in time: see enum
   lull_method. */
#pragma once

#include "engine/base/job.h"

/* Clones a file in one call. The file must fit one call within the budget. */
enum lull_outcome lull_method_single(struct lull_job *job);

/* Copies the bytes in one pass. Warns if the source was written to in the meantime. */
enum lull_outcome lull_method_copy(struct lull_job *job);

/* Returns the outcome of a copy of bytes whose source was written to in the meantime.
   That is LULL_OK, with a warning, unless options->on_writers makes it a failure. */
enum lull_outcome lull_method_torn(struct lull_job *job);

/* Clones without a hook. Makes passes in the hope that nobody writes during one, then
   does what options->on_writers says. */
enum lull_outcome lull_method_unfrozen(struct lull_job *job);

/*
 * Returns the method that lull_method_unfrozen() would use if writers never pause, as far
 * as that can be told without trying; LULL_METHOD_NONE: it would stop. job->no_snapshot
 * says why it is not a snapshot.
 */
enum lull_method lull_method_if_written(struct lull_job *job);

/* ---- steps of the frozen method: frozen.c ---- */

/* Drains, flushes and takes the reference. *ret_taken is false if writes kept coming. */
enum lull_outcome lull_method_reference(struct lull_job *job, bool *ret_taken);

/*
 * Makes one pass over job->src, which must begin after job->reference was taken.
 * *ret_held: nobody wrote in the meantime. *ret_whole: the pass covered the whole file,
 * which is false if the file shrank.
 */
enum lull_outcome lull_method_pass(struct lull_job *job, bool *ret_held, bool *ret_whole);

/* Reports that the source was written to. Returns the outcome for that. */
enum lull_outcome lull_method_written(struct lull_job *job, enum lull_cause cause);

/* Makes passes while writers run, so that little is left for the frozen pass. */
enum lull_outcome lull_method_live(struct lull_job *job);
