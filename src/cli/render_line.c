// SPDX-License-Identifier: MIT
/*
 * The progress line: see render_line.h.
 *
 * DESIGN
 *
 * A line consists of a name, how much is done, and parts, the most important first. A
 * part that does not fit the terminal is left out completely: half a number would be
 * misleading. A long name is shortened in its middle before it would displace how much is
 * done. The bar comes before the parts that only tell how well the calls keep to the
 * budget.
 */
#include "render_line.h"

#include "columns.h"
#include "quote.h"
#include "service.h"
#include "words.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The time left is shown once one part in this many is done. */
#define LEAST_FOR_ESTIMATE 200

#define FULL_BAR   "####################"
#define LONG_BAR   20
#define SHORT_BAR  10
#define AROUND_BAR 3 /* "[] " */
#define CUT        "..."
/* A name is shortened to LEAST_NAME columns for the first part, and to SHORT_NAME for the
   others. */
#define LEAST_NAME  12
#define SHORT_NAME  24
#define PARTS       6
#define PART_ROOM   96
#define LINE_ROOM   1024
#define FIRST_PARTS 4

struct line {
	const char *name;
	char done[PART_ROOM];
	/* FIRST_PARTS that are more important than the bar, then the others; some are
	   "" */
	char part[PARTS][PART_ROOM];
};

static bool is_looking(const struct command *c)
{
	return c->mode == MODE_EXPORT || c->mode == MODE_DIFF || c->mode == MODE_VERIFY;
}

/* Fills in bytes and extents, rate, p99 and longest call against the budget, time left,
   freeze. */
static void describe(const struct render *render, const struct lull_progress *p,
		     struct line *ret)
{
	struct lull_hold hold = lull_progress_hold(p);
	double seconds = (double)p->elapsed_ns / 1e9;
	uint64_t all = words_all(p), at = words_done(p);
	uint64_t done = at > p->resumed_at ? at - p->resumed_at : 0;
	uint64_t rate = seconds > 0 ? (uint64_t)((double)done / seconds) : 0;

	*ret = (struct line){ .name = quote(p->source) };
	if (p->discarding > 0) {
		ret->name = quote(p->dest);
		(void)snprintf(ret->done, PART_ROOM, ": discarding %s%s left",
			       render->command->mode == MODE_DISCARD
				       ? "it, "
				       : "an abandoned clone, ",
			       words_bytes(p->discarding));
		return;
	}
	(void)snprintf(ret->done, PART_ROOM, ": %u%%", words_percent(p));
	(void)snprintf(ret->part[0], PART_ROOM, ", %s of %s", words_bytes(at),
		       words_bytes(all));
	/* Earlier the estimate would depend on the time that the hook took. */
	if (done > all / LEAST_FOR_ESTIMATE && at < all)
		(void)snprintf(ret->part[1], PART_ROOM, ", %s left",
			       words_time((uint64_t)((double)p->elapsed_ns /
						     (double)done * (double)(all - at))));
	if (p->frozen_ns > 0)
		(void)snprintf(ret->part[2], PART_ROOM, ", frozen %s",
			       words_time(p->frozen_ns));
	if (render->command->mode == MODE_EXPORT)
		(void)snprintf(ret->part[2], PART_ROOM, ", %s written",
			       words_bytes(p->bytes_written));
	if (render->call != LULL_CALL_NONE)
		(void)snprintf(ret->part[3], PART_ROOM, ", in %s for %s",
			       words_call((int)render->call),
			       words_time(render->call_ns));
	/* These modes clone nothing, and have no calls to report. */
	if (is_looking(render->command)) {
		(void)snprintf(ret->part[4], PART_ROOM, ", %s/s", words_bytes(rate));
		return;
	}
	(void)snprintf(ret->part[4], PART_ROOM, ", calls p99 %s max %s of %s",
		       words_time(hold.p99), words_time(hold.max),
		       words_time(p->budget_ns));
	(void)snprintf(ret->part[5], PART_ROOM, ", %llu extents, %.0f/s",
		       (unsigned long long)p->extents_cloned,
		       seconds > 0 ? (double)p->extents_cloned / seconds : 0);
}

char *render_line_words(const struct render *render, const struct lull_progress *p)
{
	struct line line;

	describe(render, p, &line);
	return format("%s%s%s%s%s%s%s%s", line.name, line.done, line.part[0],
		      line.part[1], line.part[2], line.part[3], line.part[4],
		      line.part[5]);
}

/* Writes name, with its middle left out if it is wider than width. */
static void put_name(char *out, size_t size, const char *name, int width)
{
	int keep = width - (int)strlen(CUT), columns = columns_of(name);
	int gone = columns_fit(name, columns - keep / 2);

	if (columns <= width || keep < 2)
		(void)snprintf(out, size, "%s", name);
	else
		(void)snprintf(out, size, "%.*s" CUT "%s",
			       columns_fit(name, keep - keep / 2), name, name + gone);
}

/* Adds the parts that fit, of n. Returns the columns left of room. */
static int add_parts(char *line, const char (*part)[PART_ROOM], int n, int room)
{
	for (int i = 0; i < n; i++) {
		int columns = columns_of(part[i]);
		size_t len = strlen(line);

		if (columns > room)
			continue;
		(void)snprintf(line + len, LINE_ROOM - len, "%s", part[i]);
		room -= columns;
	}
	return room;
}

/* Returns how wide the name may be, so that how much is done has space. */
static int name_width(const struct line *line, int width)
{
	int room = width - columns_of(line->done) - columns_of(line->part[0]);
	int rest = 0;

	for (int i = 1; i < FIRST_PARTS; i++)
		rest += columns_of(line->part[i]);
	if (room - rest >= SHORT_NAME)
		return room - rest;
	if (room >= LEAST_NAME)
		return room < SHORT_NAME ? room : SHORT_NAME;
	return LEAST_NAME;
}

static void draw(const struct line *line, const struct lull_progress *p, int width)
{
	char text[LINE_ROOM], bar[LONG_BAR + AROUND_BAR + 1] = "";
	int room, cells;
	size_t len;

	put_name(text, sizeof(text) - 2 * PART_ROOM, line->name, name_width(line, width));
	len = strlen(text);
	(void)snprintf(text + len, sizeof(text) - len, "%s", line->done);
	room = add_parts(text, line->part, FIRST_PARTS, width - columns_of(text));
	cells = room >= LONG_BAR + AROUND_BAR    ? LONG_BAR
		: room >= SHORT_BAR + AROUND_BAR ? SHORT_BAR
						 : 0;
	if (p->size > 0 && p->discarding == 0 && cells > 0) {
		int done = (int)((double)words_done(p) / (double)words_all(p) * cells);

		(void)snprintf(bar, sizeof(bar), "[%-*.*s] ", cells, done, FULL_BAR);
		room -= cells + AROUND_BAR;
	}
	(void)add_parts(text, line->part + FIRST_PARTS, PARTS - FIRST_PARTS, room);
	(void)fprintf(stderr, "\r\033[K%s%.*s", bar,
		      columns_fit(text, width - (int)strlen(bar)), text);
}

void render_line_draw(struct render *render, const struct lull_progress *p)
{
	/* Some terminals wrap after a character in the last column. */
	int width = columns_of_terminal(STDERR_FILENO) - 1;
	struct line line;

	service_level(SERVICE_INFO);
	if (width > 0) {
		describe(render, p, &line);
		draw(&line, p, width);
	} else {
		char *text = render_line_words(render, p);

		if (text)
			(void)fprintf(stderr, "%s\n", text);
		free(text);
	}
	(void)fflush(stderr);
	service_level(SERVICE_ERROR);
	render->line_shown = width > 0;
}
