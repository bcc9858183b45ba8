/* SPDX-License-Identifier: MIT */
/* The methods by which a clone becomes a copy of one point in time: see lull_method. */
#pragma once

#include "engine/base/job.h"

/* One call over a file that fits one within the budget. */
enum lull_outcome lull_method_single(struct lull_job *job);

/* One pass that copies bytes; with a warning if somebody wrote meanwhile. */
enum lull_outcome lull_method_copy(struct lull_job *job);

/* The outcome of a copy of bytes whose source was written to meanwhile: LULL_OK after a
   warning, or as lull_method_written() where options->on_writers says so. */
enum lull_outcome lull_method_torn(struct lull_job *job);

/* Without a hook: passes in the hope of a quiet one, then what options->on_writers
   says. */
enum lull_outcome lull_method_unfrozen(struct lull_job *job);

/*
 * The method that lull_method_unfrozen() comes to if writers never pause, as far as that
 * can be told without trying; LULL_METHOD_NONE: it stops. job->no_snapshot says why it is
 * no snapshot.
 */
enum lull_method lull_method_if_written(struct lull_job *job);

/* ---- steps of the frozen method: frozen.c ---- */

/* Drain, flush, reference. *ret_taken is false if writes kept coming. */
enum lull_outcome lull_method_reference(struct lull_job *job, bool *ret_taken);

/*
 * One pass over job->src from job->reference on. *ret_held: nobody wrote meanwhile.
 * *ret_whole: it went over all of the file, which it does not if that shrinks under it.
 */
enum lull_outcome lull_method_pass(struct lull_job *job, bool *ret_held, bool *ret_whole);

/* Notes that the source was written to, and returns the outcome that this means. */
enum lull_outcome lull_method_written(struct lull_job *job, enum lull_cause cause);

/* Passes while writers run, so that little is left for the frozen one. */
enum lull_outcome lull_method_live(struct lull_job *job);
