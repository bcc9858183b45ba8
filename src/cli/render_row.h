/* SPDX-License-Identifier: MIT */
/* Generations, as a table or as JSON Lines. */
#pragma once

#include "render.h"

/* What --list found. signal: 0 or what ended it. */
void render_row(struct render *render, enum lull_outcome outcome,
		const struct lull_row *row, int signal);

/* What --status shows of a row of which no clone is at work or interrupted. */
void render_idle_row(struct render *render, const struct lull_row *row);

/* What --dry-run found. */
void render_foreseen(struct render *render, enum lull_outcome outcome,
		     const struct lull_row *row, int signal);
