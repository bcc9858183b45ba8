/* SPDX-License-Identifier: MIT */
/* The progress line, and how much of it a terminal has room for. */
#pragma once

#include "render.h"

/* All that there is to say of a run, to be freed; NULL without memory. */
char *render_line_words(const struct render *render,
			const struct lull_progress *progress);

/* Draws the line on standard error. Without a terminal it is a line of its own. */
void render_line_draw(struct render *render, const struct lull_progress *progress);
