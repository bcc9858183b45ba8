/* SPDX-License-Identifier: MIT */
/*
 * What a hook prints, on its way to standard error. A hook must never end, or wait,
 * because of what has become of that: a terminal that was closed, a pipe whose reader is
 * gone or does not read, a file on a file system that the hook has frozen. So it prints
 * into a pipe, which is emptied whatever happens; what nobody reads is dropped.
 */
#pragma once

#include <stdbool.h>

struct lull_output;

/* NULL without memory or descriptors: the hook gets /dev/null then. */
struct lull_output *lull_output_open(void);

/* What the hook gets as standard output and error; close-on-exec. NULL: -1. */
int lull_output_end(const struct lull_output *output);

/* Poll this for reading; -1 while lull_output_take() would take nothing. NULL: -1. */
int lull_output_source(struct lull_output *output);

/* Takes in what there is. Waits some hundredths of a second for room at most. NULL is
   fine. */
void lull_output_take(struct lull_output *output);

/*
 * From now on keeps what comes, for lull_output_release() to pass on or to drop; more
 * than some KiB is passed on at once. NULL is fine.
 */
void lull_output_hold(struct lull_output *output);

/* Ends that. drop: what was kept is forgotten. NULL is fine. */
void lull_output_release(struct lull_output *output, bool drop);

/* Passes on what is left as long as somebody reads it, and frees. NULL is fine. */
void lull_output_close(struct lull_output *output);
