/* SPDX-License-Identifier: MIT */
/*
 * --metrics=FILE: writes the results of a run as Prometheus text for the textfile
 * collector of node_exporter. All functions do nothing without --metrics. A process makes
 * one run.
 */
#pragma once

#include "command.h"

#include <stdbool.h>
#include <time.h>

/*
 * Checks before the run that FILE's directory can be written to, and that FILE is
 * missing, empty or written by an earlier run: a clone is not begun if its metrics could
 * not be written. Returns false after a message.
 */
bool metrics_begin(const struct command *command);

/* Adds the result of a file, after success or failure. Only reads the result. */
void metrics_file(const struct lull_result *result);

/* Returns DEST of the last file's row, for which metrics_row() must be called, or NULL if
   there is none. Valid until metrics_end(). */
const char *metrics_row_dest(const struct command *command);

/* Adds the space that the row uses. */
void metrics_row(const struct lull_row *row);

/*
 * Replaces FILE by a rename with what is known now. exit_status is the run's as a shell
 * sees it: 128 plus the number for a signal. If it is not 0, the time of the last success
 * of this DEST is taken from the old FILE. totals is NULL if the run did not get that
 * far. Returns false after a message.
 */
bool metrics_end(const struct command *command, int exit_status,
		 const struct lull_totals *totals);
