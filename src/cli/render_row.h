/* SPDX-License-Identifier: MIT */
/* Generations, as a table or as JSON Lines. */
#pragma once

#include "render.h"

/* Prints the result of --list. signal: the signal that interrupted it, or 0. */
void render_row(struct render *render, enum lull_outcome outcome,
		const struct lull_row *row, int signal);

/* Prints what --status shows for a row of which no clone is running or interrupted. */
void render_idle_row(struct render *render, const struct lull_row *row);

/* Prints the result of --dry-run. */
void render_foreseen(struct render *render, enum lull_outcome outcome,
		     const struct lull_row *row, int signal);
