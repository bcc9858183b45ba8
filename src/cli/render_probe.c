// SPDX-License-Identifier: MIT
/* What --probe found, for people: see render.h. */
#include "render.h"

#include "json.h"
#include "obstacle.h"
#include "quote.h"
#include "words.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* "  snapshot      1:23 min  " */
#define BEFORE_BAR  26u
#define LONGEST_BAR 50u
#define FULL_BAR    "##################################################"

/* Cells for the longest bar. */
static unsigned int room(void)
{
	struct winsize size;
	unsigned int columns = 80;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
		columns = size.ws_col;
	if (columns <= BEFORE_BAR + 1)
		return 0;
	return columns - BEFORE_BAR - 1 < LONGEST_BAR ? columns - BEFORE_BAR - 1
						      : LONGEST_BAR;
}

/* A stall, and how long it is beside the longest one; what is shorter than a cell has
   one. */
static void stall_line(const char *what, uint64_t ns, uint64_t longest)
{
	unsigned int cells = room(), width = 0;

	if (ns > 0 && longest > 0)
		width = (unsigned int)((double)ns / (double)longest * cells + 0.5);
	if (ns > 0 && width == 0 && cells > 0)
		width = 1;
	(void)printf("  %-10s %10s%s%.*s\n", what, ns ? words_time(ns) : "0",
		     width > 0 ? "  " : "", (int)width, FULL_BAR);
}

static void snapshot_line(const struct lull_forecast *f, uint64_t longest)
{
	char *why;

	if (f->snapshot_ns > 0) {
		stall_line("snapshot", f->snapshot_ns, longest);
		return;
	}
	why = obstacle_words(&f->no_snapshot);
	(void)printf("  %-10s not possible here%s%s\n", "snapshot", why ? ": " : "",
		     why ? why : "");
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
		[LULL_FIX_MISSING] = "not fixed; two direct writers may damage a clone",
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
	(void)printf("source:      %s, %s in %s%llu extents\n", quote(c->source),
		     words_bytes(f->size), f->extents_exact ? "" : "about ",
		     (unsigned long long)f->extents);
	(void)printf("file system: %s%s on %s, blocks of %llu bytes; reflinks work\n",
		     f->type, f->reverse_map ? " with a reverse mapping tree" : "",
		     f->mount_point, (unsigned long long)f->block);
	(void)printf("kernel:      %s; for a clone call writes wait, reads %s\n",
		     f->kernel,
		     f->reads_wait ? "wait as well" : "wait behind a writer that waits");
	(void)printf("             (%s)\n", f->reads_measured
						    ? "measured with a reader"
						    : "for readers by its version");
	if (strcmp(f->type, "xfs") == 0)
		(void)printf("             CVE-2026-64600: %s\n", fixes[f->writer_race]);
	(void)printf(
		"an extent:   %s to clone, %s to go over again (a sample, measured)\n",
		words_time(f->extent_ns), words_time(f->again_ns));
	(void)printf("time:        cp --reflink %s, lullcp %s\n", words_time(f->cp_ns),
		     words_time(f->clone_ns));
	(void)printf("longest stall of a writer, predicted:\n");
	stall_line("cp", f->cp_ns, longest);
	stall_line("quiet", f->budget_ns, longest);
	stall_line("frozen", f->budget_ns, longest);
	snapshot_line(f, longest);
	stall_line("atomic", f->atomic_ns, longest);
	(void)printf("method now:  %s\n", words_method(f->method));
	(void)printf("if written:  %s\n", words_method(f->if_written));
	for (unsigned int bit = 1; words_advice(bit); bit <<= 1) {
		if (f->advice & bit)
			(void)printf("advice:      %s\n", words_advice(bit));
	}
}
