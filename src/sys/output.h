/* SPDX-License-Identifier: MIT */
/*
 * Passes a hook's output on to standard error. A hook must never end or block because of
 * standard error: the terminal may be closed, the reader of a pipe may be gone or not
 * read, or the file may be on a file system that the hook has frozen. So the hook prints
 * into a pipe, which is emptied in any case. Output that nobody reads is dropped.
 */
#pragma once

#include <stdbool.h>

struct lull_output;

/* Returns NULL without memory or descriptors; then the hook gets /dev/null. */
struct lull_output *lull_output_open(void);

/* Returns the descriptor for the hook's standard output and error, which is
   close-on-exec. NULL: -1. */
int lull_output_end(const struct lull_output *output);

/* Returns the descriptor to poll for reading, or -1 while lull_output_take() would take
   nothing. NULL: -1. */
int lull_output_source(struct lull_output *output);

/* Reads the available output. Waits at most some hundredths of a second for room. NULL is
   fine. */
void lull_output_take(struct lull_output *output);

/*
 * Keeps the output from now on, for lull_output_release() to pass on or to drop. If it
 * exceeds some KiB, it is passed on at once. NULL is fine.
 */
void lull_output_hold(struct lull_output *output);

/* Ends lull_output_hold(). drop: discards what was kept. NULL is fine. */
void lull_output_release(struct lull_output *output, bool drop);

/* Passes on the rest, as long as somebody reads it, and frees everything. NULL is
   fine. */
void lull_output_close(struct lull_output *output);
