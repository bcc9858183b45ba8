// SPDX-License-Identifier: MIT
/* The output about generations: see render_row.h. */
#include "render_row.h"

#include "columns.h"
#include "json.h"
#include "quote.h"
#include "words.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* A row of the table: name, age, size, own, changed, rules. */
#define LINE "%-*s  %8s  %8s  %8s  %8s  "
/* Columns between the name and the rules. */
#define BESIDE_NAME 42
/* Width of a date with a number and of what stands for the rest. */
#define LEAST_NAME 22
#define NAME_ROOM  512
/* Heading of the column of rules. */
#define KEPT_BY "KEPT BY"
/* Text before the rules if the table does not fit the terminal. */
#define KEPT_BY_BELOW "  kept by "
/* Replaces the beginning of a name. */
#define CUT "..."

static const char *const fates[] = {
	[LULL_FATE_STAYS] = "keep",
	[LULL_FATE_MADE] = "make",
	[LULL_FATE_USED_UP] = "use up",
	[LULL_FATE_REMOVED] = "remove",
};

/* Formats the age, rounded down, in the largest unit of which it has at least two. */
static const char *age(uint64_t then, char text[static 24])
{
	static const struct {
		uint64_t seconds;
		const char *unit;
	} units[] = { { 86400, "d" }, { 3600, "h" }, { 60, "min" }, { 1, "s" } };
	time_t now = time(NULL);
	uint64_t s = (uint64_t)now > then / 1000000000ULL
			     ? (uint64_t)now - then / 1000000000ULL
			     : 0;
	size_t i = 0;

	while (i < 3 && s < 2 * units[i].seconds)
		i++;
	(void)snprintf(text, 24, "%llu %s", (unsigned long long)(s / units[i].seconds),
		       units[i].unit);
	return text;
}

static const char *bytes(uint64_t n)
{
	return n == UINT64_MAX ? "-" : words_bytes(n);
}

static const char *rules(const struct lull_row *row, unsigned int kept_by,
			 char text[static 80])
{
	bool any = false;

	*text = '\0';
	for (unsigned int kind = 0; kind < LULL_KEEP_KINDS; kind++) {
		if (!(kept_by & (1u << kind)))
			continue;
		(void)snprintf(text + strlen(text), 80 - strlen(text), "%s%s",
			       any ? ", " : "", lull_keep_name(kind));
		any = true;
	}
	if (any)
		return text;
	return kept_by & LULL_KEPT_NEWEST   ? "the newest"
	       : lull_keep_any(&row->rules) ? "nothing: it goes"
					    : "-";
}

static int longer(int width, const char *text)
{
	int len = (int)strlen(text);

	return len > width ? len : width;
}

/* Returns the width of the column of names: that of the longest, unless the terminal
   would then wrap rows. */
static int name_width(const struct lull_row *row)
{
	int columns = columns_of_terminal(STDOUT_FILENO), name = 4,
	    why = (int)strlen(KEPT_BY);
	char room[80];

	for (size_t i = 0; i < row->n; i++) {
		name = longer(name, quote_if_needed(row->entry[i].path));
		why = longer(why, rules(row, row->entry[i].kept_by, room));
	}
	if (columns == 0 || name + BESIDE_NAME + why <= columns)
		return name;
	columns -= BESIDE_NAME + why;
	return columns > LEAST_NAME ? columns : name < LEAST_NAME ? name : LEAST_NAME;
}

/* Prints the last column, broken after commas where the terminal would wrap it. */
static void print_rules(const char *text, int before)
{
	int room = columns_of_terminal(STDOUT_FILENO) - before, at = 0;

	while (*text) {
		int len = (int)strcspn(text, ",");

		len += text[len] == ',';
		if (at > 0 && room > 0 && at + len > room) {
			(void)printf("\n%*s", before, "");
			at = 0;
		}
		if (at == 0)
			text += strspn(text, " ");
		len = (int)strcspn(text, ",");
		len += text[len] == ',';
		(void)printf("%.*s", len, text);
		text += len;
		at += len;
	}
	(void)printf("\n");
}

/* Returns the end of a name that is longer than width, because the date is there. */
static const char *cut(const char *name, int width, char room[static NAME_ROOM])
{
	size_t len = strlen(name), keep = (size_t)width - strlen(CUT);

	if (len <= (size_t)width || keep >= NAME_ROOM - sizeof(CUT))
		return name;
	name += len - keep;
	/* skip the rest of a character */
	while (((unsigned char)*name & 0xc0) == 0x80)
		name++;
	(void)snprintf(room, NAME_ROOM, CUT "%s", name);
	return room;
}

static const char *size_of(const struct lull_row_entry *e)
{
	return e->unreadable ? "-" : words_bytes(e->size);
}

/* Prints a generation as a row of the table. */
static void print_beside(const struct lull_row *row, const struct lull_row_entry *e,
			 int width)
{
	char old[24], why[80], name[NAME_ROOM];

	(void)printf(LINE, width, cut(quote_if_needed(e->path), width, name),
		     age(e->time, old), size_of(e), bytes(e->bytes_own),
		     bytes(e->bytes_changed));
	print_rules(rules(row, e->kept_by, why), width + BESIDE_NAME);
}

/* Prints a generation on several lines, for a terminal that would wrap a row of the
   table. */
static void print_below(const struct lull_row *row, const struct lull_row_entry *e)
{
	char old[24], why[80];

	(void)printf("%s\n  %s old, %s\n  own %s, changed %s\n" KEPT_BY_BELOW,
		     quote_if_needed(e->path), age(e->time, old), size_of(e),
		     bytes(e->bytes_own), bytes(e->bytes_changed));
	print_rules(rules(row, e->kept_by, why), (int)strlen(KEPT_BY_BELOW));
}

static void print_table(const struct lull_row *row)
{
	int columns = columns_of_terminal(STDOUT_FILENO), width = name_width(row);
	bool below = columns > 0 &&
		     columns < LEAST_NAME + BESIDE_NAME + (int)strlen(KEPT_BY);
	uint64_t own = 0;
	bool all_own = true;

	if (!below)
		(void)printf(LINE KEPT_BY "\n", width, "NAME", "AGE", "SIZE", "OWN",
			     "CHANGED");
	for (size_t i = 0; i < row->n; i++) {
		const struct lull_row_entry *e = &row->entry[i];

		if (below)
			print_below(row, e);
		else
			print_beside(row, e, width);
		all_own = all_own && e->bytes_own != UINT64_MAX;
		own += e->bytes_own == UINT64_MAX ? 0 : e->bytes_own;
	}
	(void)printf("%zu generation%s", row->n, row->n == 1 ? "" : "s");
	if (all_own)
		(void)printf(",%c%s that only one of them holds", below ? '\n' : ' ',
			     words_bytes(own));
	(void)printf("\n");
}

void render_row(struct render *render, enum lull_outcome outcome,
		const struct lull_row *row, int signal)
{
	const struct command *c = render->command;

	if (outcome != LULL_OK) {
		render_failure(render, outcome, &row->failure, signal);
		return;
	}
	if (c->json) {
		for (size_t i = 0; i < row->n; i++)
			json_generation(&row->entry[i], NULL);
	} else {
		print_table(row);
	}
}

void render_idle_row(struct render *render, const struct lull_row *row)
{
	if (!render->command->json)
		(void)printf("no clone of it is at work or interrupted\n");
	render_row(render, LULL_OK, row, 0);
}

void render_foreseen(struct render *render, enum lull_outcome outcome,
		     const struct lull_row *row, int signal)
{
	const struct command *c = render->command;

	if (outcome != LULL_OK) {
		render_failure(render, outcome, &row->failure, signal);
		return;
	}
	for (size_t i = 0; i < row->n; i++) {
		const struct lull_row_entry *e = &row->entry[i];
		char why[80];

		if (c->json)
			json_generation(e, fates[e->fate]);
		else if (e->fate == LULL_FATE_STAYS)
			(void)printf("would keep %s: %s\n", quote(e->path),
				     rules(row, e->kept_by, why));
		else
			(void)printf("would %s %s\n", fates[e->fate], quote(e->path));
	}
}
