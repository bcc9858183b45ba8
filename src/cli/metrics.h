/* SPDX-License-Identifier: MIT */
/*
 * --metrics=FILE: what a run came to, as Prometheus text for node_exporter's textfile
 * collector. All functions do nothing without --metrics. One run a process.
 */
#pragma once

#include "command.h"

#include <stdbool.h>
#include <time.h>

/*
 * Before a run: whether FILE's directory is there. False after a message; a clone whose
 * metrics cannot be kept is not begun.
 */
bool metrics_begin(const struct command *command);

/* A file is done, or has failed; its result is read only. */
void metrics_file(const struct lull_result *result);

/* DEST of the row that the last file belongs to, which metrics_row() is to hear of; NULL:
   none. Lasts until metrics_end(). */
const char *metrics_row_dest(const struct command *command);

/* What that row costs. */
void metrics_row(const struct lull_row *row);

/*
 * Replaces FILE by what is known now, by a rename. exit_status is the run's, as a shell
 * sees it: 128 and the number for a signal. The time of the last success of this DEST is
 * taken over from the FILE of the run before unless exit_status is 0. totals may be NULL:
 * the run did not come so far. False after a message.
 */
bool metrics_end(const struct command *command, int exit_status,
		 const struct lull_totals *totals);
