/* SPDX-License-Identifier: MIT */
/* The progress line, fitted to the terminal. */
#pragma once

#include "render.h"

/* Returns the complete line about a run, to be freed; NULL without memory. */
char *render_line_words(const struct render *render,
			const struct lull_progress *progress);

/* Draws the line on standard error. Without a terminal it prints the complete line with a
   line feed. */
void render_line_draw(struct render *render, const struct lull_progress *progress);
