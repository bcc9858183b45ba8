// SPDX-License-Identifier: MIT
/* The output of --probe: see render.h. */
#include "render.h"

#include "columns.h"
#include "json.h"
#include "obstacle.h"
#include "quote.h"
#include "words.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Width of the labels. */
#define INDENT 13
/* Width of "  snapshot      1:23 min  ". */
#define BEFORE_BAR  26u
#define LONGEST_BAR 50u
#define FULL_BAR    "##################################################"

/* Prints a stall and a bar of its length relative to the longest one. A bar has at least
   one cell. */
static void stall_line(const char *what, uint64_t ns, uint64_t longest)
{
	unsigned int cells = columns_of_bar(BEFORE_BAR, LONGEST_BAR), width = 0;

	if (ns > 0 && longest > 0)
		width = (unsigned int)((double)ns / (double)longest * cells + 0.5);
	if (ns > 0 && width == 0 && cells > 0)
		width = 1;
	(void)printf("  %-10s %10s%s%.*s\n", what, ns ? words_time(ns) : "0",
		     width > 0 ? "  " : "", (int)width, FULL_BAR);
}

/* Prints text after a label, wrapped between words on a terminal. Frees text. */
static void labelled(const char *label, char *text)
{
	int columns = columns_of_terminal(STDOUT_FILENO);
	const char *at = text ? text : "";

	(void)printf("%-*s", INDENT, label);
	while (columns > 0 && columns_of(at) > columns - INDENT) {
		int blank = columns_fit(at, columns - INDENT);

		while (blank > 0 && at[blank] != ' ')
			blank--;
		/* a name is not wrapped, however long it is */
		if (blank == 0)
			blank = (int)strcspn(at, " ");
		if (at[blank] == '\0')
			break;
		(void)printf("%.*s\n%*s", blank, at, INDENT, "");
		at += blank + 1;
	}
	(void)printf("%s\n", at);
	free(text);
}

static void snapshot_line(const struct lull_forecast *f, uint64_t longest)
{
	char *why;

	if (f->snapshot_ns > 0) {
		stall_line("snapshot", f->snapshot_ns, longest);
		return;
	}
	why = obstacle_words(&f->no_snapshot);
	labelled("  snapshot",
		 format("not possible here%s%s", why ? ": " : "", why ? why : ""));
	free(why);
}

static uint64_t larger(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

void render_forecast(struct render *render, enum lull_outcome outcome,
		     const struct lull_forecast *f, int signal)
{
	static const char *const fixes[] = {
		[LULL_FIX_UNKNOWN] = "its version does not tell whether it has the fix",
		[LULL_FIX_PRESENT] = "fixed",
		[LULL_FIX_MISSING] = "not fixed; writers with O_DIRECT may damage a "
				     "clone",
	};
	const struct command *c = render->command;
	uint64_t longest = larger(larger(f->cp_ns, f->atomic_ns),
				  larger(f->budget_ns, f->snapshot_ns));

	if (outcome != LULL_OK)
		render_failure(render, outcome, &f->failure, signal);
	if (c->json) {
		json_forecast(c->source, outcome, f);
		return;
	}
	if (outcome != LULL_OK)
		return;
	labelled("source:",
		 format("%s, %s in %s%llu extent%s", quote(c->source),
			words_bytes(f->size), f->extents_exact ? "" : "about ",
			(unsigned long long)f->extents, f->extents == 1 ? "" : "s"));
	labelled("file system:",
		 format("%s%s on %s, blocks of %llu bytes; reflinks work", f->type,
			f->reverse_map ? " with a reverse mapping tree" : "",
			f->mount_point, (unsigned long long)f->block));
	labelled("kernel:",
		 format("%s; during a clone call writes wait, reads %s", f->kernel,
			f->reads_wait ? "wait as well"
				      : "wait behind a writer that waits"));
	labelled("", format("(%s)", f->reads_measured
					    ? "measured with a reader"
					    : "reads: by its version, not measured"));
	if (strcmp(f->type, "xfs") == 0)
		labelled("", format("CVE-2026-64600: %s", fixes[f->writer_race]));
	/* An empty file has no extents. */
	if (f->extents > 0)
		labelled("an extent:",
			 format("%s to clone, %s to go over again (a sample, measured)",
				words_time(f->extent_ns), words_time(f->again_ns)));
	labelled("time:", format("cp --reflink %s, lullcp %s", words_time(f->cp_ns),
				 words_time(f->clone_ns)));
	(void)printf("longest stall of a writer, predicted:\n");
	stall_line("cp", f->cp_ns, longest);
	stall_line("quiet", f->budget_ns, longest);
	stall_line("frozen", f->budget_ns, longest);
	snapshot_line(f, longest);
	stall_line("atomic", f->atomic_ns, longest);
	labelled("method now:", format("%s", words_method(f->method)));
	labelled("if written:", format("%s", words_method(f->if_written)));
	for (unsigned int bit = 1; words_advice(bit); bit <<= 1) {
		if (f->advice & bit)
			labelled("advice:", format("%s", words_advice(bit)));
	}
}
