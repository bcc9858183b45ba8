// SPDX-License-Identifier: MIT
/* The output for the user: see render.h. */
#include "render.h"

#include "columns.h"
#include "json.h"
#include "moments.h"
#include "notes.h"
#include "obstacle.h"
#include "outlet.h"
#include "quote.h"
#include "render_line.h"
#include "service.h"
#include "words.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define SECOND 1000000000ULL
/* Users take silence for a hang after a few seconds, and frequent redraws for flicker. */
#define FIRST_LINE_NS   (2 * SECOND)
#define LINE_EVERY_NS   (SECOND / 5)
#define STATUS_EVERY_NS SECOND

void render_init(struct render *render, const struct command *command)
{
	bool terminal = isatty(STDERR_FILENO);

	*render = (struct render){
		.command = command,
		.terminal = terminal,
		.line_wanted = !command->quiet &&
			       (command->progress == PROGRESS_ALWAYS ||
				(command->progress == PROGRESS_AUTO && terminal)),
		.next_line = command->progress == PROGRESS_ALWAYS ? 0 : FIRST_LINE_NS,
		.next_status = STATUS_EVERY_NS,
	};
}

static void clear_line(struct render *render)
{
	/* Both outputs may go to one terminal: keep the order in which they were
	   written. */
	(void)fflush(stdout);
	if (render->line_shown)
		(void)fputs("\r\033[K", stderr);
	render->line_shown = false;
}

void render_progress(struct render *render, const struct lull_progress *p)
{
	if (render->command->json && p->elapsed_ns >= render->next_status) {
		if (outlet_has_room(STDOUT_FILENO))
			json_status(p);
		render->next_status = p->elapsed_ns + STATUS_EVERY_NS;
	}
	if (render->line_wanted && p->elapsed_ns >= render->next_line) {
		if (outlet_has_room(STDERR_FILENO))
			render_line_draw(render, p);
		render->next_line = p->elapsed_ns + (render->line_shown
							     ? LINE_EVERY_NS
							     : STATUS_EVERY_NS);
	}
}

void render_status(struct render *render, const struct lull_progress *p)
{
	char *text = render_line_words(render, p);

	clear_line(render);
	if (render->command->json)
		json_status(p);
	service_level(SERVICE_INFO);
	if (text)
		(void)fprintf(stderr, "%s: %s\n", render->command->program, text);
	(void)fflush(stderr);
	service_level(SERVICE_ERROR);
	free(text);
}

void render_clear(struct render *render)
{
	clear_line(render);
}

void render_say(struct render *render, const char *message, const char *advice)
{
	clear_line(render);
	(void)fprintf(stderr, "%s: %s\n", render->command->program,
		      message ? message : strerror(12));
	if (advice)
		(void)fprintf(stderr, "%s\n", advice);
}

void render_failure(struct render *render, enum lull_outcome outcome,
		    const struct lull_failure *failure, int signal)
{
	const char *advice = NULL;
	char *message = NULL;

	if (outcome == LULL_INTERRUPTED)
		message = format("interrupted by signal %d", signal);
	else
		words_failure(outcome, failure, &message, &advice);
	if (render->command->json)
		json_error(outcome, failure, message ? message : "");
	render_say(render, message, advice);
	free(message);
}

/* Prints a message that is not about a failure, with kind before it. */
static void tell(struct render *render, const char *kind, const char *text)
{
	clear_line(render);
	service_level(SERVICE_WARNING);
	(void)fprintf(stderr, "%s: %s%s\n", render->command->program, kind, text);
	service_level(SERVICE_ERROR);
}

static void warn(struct render *render, enum lull_warning warning, int err,
		 const char *path)
{
	char *text;

	if (warning == LULL_WARNING_UNRECORDED) {
		if (render->unrecorded)
			return;
		render->unrecorded = true;
	}
	text = words_warning(warning, err, path);
	/* cp does the same without a message. */
	if (warning == LULL_WARNING_HARD_LINKS && !render->command->summary &&
	    !render->command->json) {
		free(text);
		return;
	}
	if (render->command->json)
		json_warning(text ? text : "", path);
	if (text &&
	    (!render->command->quiet || warning == LULL_WARNING_LEFT_FROZEN ||
	     warning == LULL_WARNING_SIDECAR || warning == LULL_WARNING_SIDECAR_OLD ||
	     warning == LULL_WARNING_IN_PLACE || warning == LULL_WARNING_AWAY))
		tell(render, "warning: ", text);
	free(text);
}

/* Says that writers are about to wait. */
static void announce(struct render *render, enum lull_method method, uint64_t ns)
{
	const struct command *c = render->command;

	if (c->json)
		json_announce(c->source, method, ns);
	/* Do not print what a cron job would mail every night. */
	if (c->quiet || (!c->summary && !render->terminal))
		return;
	clear_line(render);
	service_level(SERVICE_INFO);
	(void)fprintf(stderr, "%s: %s%s%s for about %s\n", c->program,
		      c->source ? quote(c->source) : "", c->source ? ": " : "",
		      method == LULL_METHOD_FROZEN
			      ? "freezing the writers"
			      : "one call over the whole file: writers wait",
		      words_time(ns));
	service_level(SERVICE_ERROR);
}

/* Prints a note about an entry. */
static void speak(struct render *render, const struct lull_note *note)
{
	const struct command *c = render->command;
	char *text = notes_words(note);

	if (notes_is_report(note)) {
		if (!c->json) {
			if (render->line_shown)
				clear_line(render);
			(void)printf("%s\n", text ? text : "");
		}
	} else {
		if (c->json)
			json_note(note, text ? text : "");
		clear_line(render);
		service_level(note->kind < LULL_NOTE_FAILURES ? SERVICE_WARNING
							      : SERVICE_ERROR);
		if (note->kind >= LULL_NOTE_FAILURES || !c->quiet)
			(void)fprintf(stderr, "%s: %s\n", c->program,
				      text ? text : strerror(12));
		service_level(SERVICE_ERROR);
	}
	free(text);
}

void render_note(struct render *render, const struct lull_note *note)
{
	if (note->kind == LULL_NOTE_WARNING)
		warn(render, note->warning, note->err, note->path);
	else if (note->kind == LULL_NOTE_WAIT)
		announce(render, note->method, note->count);
	else
		speak(render, note);
}

bool render_ask(struct render *render, const struct lull_question *question)
{
	char *text = notes_question(question), *line = NULL;
	size_t size = 0;
	bool yes;

	clear_line(render);
	(void)fflush(stdout);
	(void)fprintf(stderr, "%s: %s", render->command->program, text ? text : "");
	(void)fflush(stderr);
	yes = getline(&line, &size, stdin) > 0 && rpmatch(line) > 0;
	render->input_failed = ferror(stdin);
	free(line);
	free(text);
	return yes;
}

/* Prints the summary of a run that cloned no regular file: every run has one. */
static void summarize_nothing(struct render *render, enum lull_outcome outcome,
			      const struct lull_totals *t)
{
	const struct command *c = render->command;
	struct lull_result result = {
		.progress = {
			.source = c->source,
			.dest = c->dest ? c->dest : c->target_directory,
			.budget_ns = c->engine.latency_budget_ns,
		},
	};

	memcpy(result.run_id, t->run_id, sizeof(result.run_id));
	json_summary(outcome, &result, c->mode == MODE_APPLY);
}

void render_totals(struct render *render, enum lull_outcome outcome,
		   const struct lull_totals *t)
{
	const struct command *c = render->command;
	char *text;

	if (c->json && !render->summarized)
		summarize_nothing(render, outcome, t);
	if (t->files_not_cloned == 0)
		return;
	text = format("copied %s of %llu %s that could not be cloned (%s: %s)",
		      words_bytes(t->bytes_not_cloned),
		      (unsigned long long)t->files_not_cloned,
		      t->files_not_cloned == 1 ? "file" : "files", quote(t->not_cloned),
		      strerror(t->err));
	if (!text)
		return;
	if (c->json)
		json_warning(text, t->not_cloned);
	if (!c->quiet)
		tell(render, "", text);
	free(text);
}

void render_moments(struct render *render)
{
	const struct command *c = render->command;
	const char *path = NULL;
	char *text = moments_warning(c, render->written, &path);

	if (!text)
		return;
	if (c->json)
		json_warning(text, path);
	if (!c->quiet)
		tell(render, "warning: ", text);
	free(text);
}

void render_comparison(struct render *render, enum lull_outcome outcome,
		       const struct lull_comparison *f, int signal)
{
	const struct command *c = render->command;

	clear_line(render);
	if (outcome == LULL_INTERRUPTED || outcome == LULL_FAILED)
		render_failure(render, outcome, &f->failure, signal);
	if (c->json) {
		json_comparison(c->source, c->dest, outcome, f);
		return;
	}
	/* A difference is a result and goes to standard output, as with cmp. */
	if (outcome == LULL_DIFFERENT && !c->quiet)
		(void)printf(
			"%s %s differ: first at byte %llu, %llu byte%s in %llu range%s\n",
			quote(c->source), quote(c->dest),
			(unsigned long long)f->first_difference,
			(unsigned long long)f->different_bytes,
			f->different_bytes == 1 ? "" : "s",
			(unsigned long long)f->different_ranges,
			f->different_ranges == 1 ? "" : "s");
	if ((c->engine.cp.verbose || c->summary) && outcome != LULL_FAILED)
		(void)printf(
			"%s of %s proven by the extent maps (%llu extents), %s read, in "
			"%s\n",
			words_bytes(f->proven_bytes), words_bytes(f->size),
			(unsigned long long)f->extents, words_bytes(f->read_bytes),
			words_time(f->elapsed_ns));
}

/* Width of "  1.23 ms to   2.46 ms       123 ". */
#define BEFORE_BAR  33u
#define LONGEST_BAR 40u
#define FULL_BAR    "########################################"

static void draw_histogram(const struct lull_result *result)
{
	unsigned int cells = columns_of_bar(BEFORE_BAR, LONGEST_BAR);
	struct lull_bar bars[64];
	unsigned int n = result->hist ? lull_hist_bars(result->hist, bars, 64) : 0;
	uint64_t most = 0;

	(void)printf("How long the calls took (budget %s):\n",
		     words_time(result->progress.budget_ns));
	for (unsigned int i = 0; i < n; i++)
		most = bars[i].calls > most ? bars[i].calls : most;
	for (unsigned int i = 0; i < n; i++) {
		int width = (int)((double)bars[i].calls / (double)most * cells + 0.999);

		(void)printf("%9s to %9s %9llu %.*s\n", words_time(bars[i].from_ns),
			     words_time(bars[i].to_ns), (unsigned long long)bars[i].calls,
			     width, FULL_BAR);
	}
}

void render_arrow(const struct command *c, const struct lull_result *result)
{
	bool stream = c->mode == MODE_APPLY && !c->source;

	(void)printf("%s -> %s\n",
		     stream ? "standard input" : quote(result->progress.source),
		     quote(result->progress.dest));
}

static void explain(const struct command *c, const struct lull_result *result)
{
	const struct lull_progress *p = &result->progress;
	struct lull_hold hold = lull_progress_hold(p);

	/* -v has printed the arrow. */
	if (!c->engine.cp.verbose)
		render_arrow(c, result);
	if (c->mode == MODE_APPLY)
		(void)printf("  %s written and %s zeroed by the stream\n",
			     words_bytes(p->bytes_written), words_bytes(p->bytes_zeroed));
	/* There was no base to clone. */
	if (c->mode == MODE_APPLY && !c->source) {
		(void)printf("  %s in %s\n", words_bytes(p->size),
			     words_time(p->elapsed_ns));
		return;
	}
	(void)printf("  %s: %llu of %llu extents, %s of %s%s, in %s\n",
		     lull_method_name(p->method), (unsigned long long)p->extents_cloned,
		     (unsigned long long)p->extents, words_bytes(p->bytes_cloned),
		     words_bytes(p->size),
		     p->bytes_cloned < p->size && p->extents_cloned == p->extents &&
				     p->resumed_at == 0
			     ? " (the rest is holes)"
			     : "",
		     words_time(p->elapsed_ns));
	(void)printf(
		"  %llu call%s, %llu over the budget of %s: p50 %s, p99 %s, longest %s\n",
		(unsigned long long)p->calls, p->calls == 1 ? "" : "s",
		(unsigned long long)p->over_budget_calls, words_time(p->budget_ns),
		words_time(hold.p50), words_time(hold.p99), words_time(hold.max));
	if (p->resumed_at > 0)
		(void)printf("  resumed at %s\n", words_bytes(p->resumed_at));
	if (p->freeze_ns > 0)
		(void)printf("  writers frozen for %s\n", words_time(p->freeze_ns));
}

/* Returns NULL for the advice that was printed last: repeated for each file, it would
   hide the names. */
static const char *new_advice(struct render *render, const char *advice)
{
	if (!advice)
		return NULL;
	if (render->advice && strcmp(render->advice, advice) == 0)
		return NULL;
	free(render->advice);
	render->advice = strdup(advice);
	return advice;
}

void render_end(struct render *render, enum lull_outcome outcome,
		const struct lull_result *result, int signal)
{
	const struct command *c = render->command;
	const struct lull_progress *p = &result->progress;
	const char *advice = NULL;
	char *message = NULL;

	clear_line(render);
	if (outcome == LULL_OK || result->elsewhere) {
		/* nothing, or nothing more, to report */
	} else if (outcome == LULL_INTERRUPTED) {
		message = format("interrupted by signal %d at %s of %s", signal,
				 words_bytes(p->offset), words_bytes(p->size));
		advice = c->mode == MODE_DISCARD ? NULL
			 : result->kept          ? "--resume continues there."
						 : "Nothing was kept.";
	} else {
		words_failure(outcome, &result->failure, &message, &advice);
	}
	if (outcome != LULL_OK && !result->elsewhere) {
		if (c->json)
			json_error(outcome, &result->failure, message ? message : "");
		/* "Not now" is not an error for a job that runs every night. */
		service_level(outcome == LULL_SKIPPED ? SERVICE_WARNING : SERVICE_ERROR);
		render_say(render, message, new_advice(render, advice));
		service_level(SERVICE_ERROR);
		free(message);
	}
	if (c->mode == MODE_DISCARD) {
		if (c->json)
			json_discarded(p->source, outcome);
	} else if (c->json) {
		json_summary(outcome, result, c->mode == MODE_APPLY);
		render->summarized = true;
	} else if (c->summary && outcome == LULL_OK)
		explain(c, result);
	if (c->histogram && p->calls > 0)
		draw_histogram(result);
	if (outcome == LULL_OK && p->source && !render->written &&
	    (p->method == LULL_METHOD_SNAPSHOT || p->method == LULL_METHOD_ATOMIC ||
	     p->method == LULL_METHOD_TRUST))
		render->written = strdup(p->source);
}

static const char *date(uint64_t ns, char *room, size_t size)
{
	time_t t = (time_t)(ns / SECOND);
	struct tm tm;

	if (!localtime_r(&t, &tm) ||
	    strftime(room, size, "%Y-%m-%d %H:%M:%S %z", &tm) == 0)
		(void)snprintf(room, size, "%llu", (unsigned long long)t);
	return room;
}

static void print_report(const struct lull_report *r)
{
	char room[64];

	(void)printf("source:     %s\n", quote(r->source));
	(void)printf("dest:       %s\n", quote(r->dest));
	(void)printf("checkpoint: %s, written %s\n", quote(r->checkpoint),
		     date(r->updated, room, sizeof(room)));
	(void)printf("run:        %s, method %s, pass %u%s\n", r->run_id,
		     lull_method_name(r->method), r->pass,
		     r->running ? ", at work now" : "");
	(void)printf("done:       %s of %s%s\n", words_bytes(r->offset),
		     words_bytes(r->size),
		     r->published  ? ", published"
		     : r->complete ? ", complete but not published: --resume does that"
				   : "");
	if (r->frozen)
		(void)printf("writers:    frozen since %s%s, hook %s\n",
			     date(r->frozen_since, room, sizeof(room)),
			     r->kept_frozen ? " (--keep-frozen)" : "", quote(r->hook));
	else
		(void)printf("writers:    not frozen\n");
}

void render_report(struct render *render, enum lull_outcome outcome,
		   const struct lull_report *r)
{
	const struct command *c = render->command;
	const char *advice = NULL;
	char *message = NULL;

	if (outcome != LULL_OK) {
		words_failure(outcome, &r->failure, &message, &advice);
		if (c->json)
			json_error(outcome, &r->failure, message ? message : "");
		render_say(render, message, advice);
		free(message);
		return;
	}
	if (c->json) {
		for (; r; r = r->next)
			json_report(r);
		return;
	}
	if (c->mode == MODE_RECOVER) {
		for (; r && !c->quiet; r = r->next)
			(void)printf("%s: %s\n", quote(r->source),
				     r->frozen ? "thawed" : "nothing was frozen");
		return;
	}
	for (; r; r = r->next) {
		print_report(r);
		if (r->next)
			(void)putchar('\n');
	}
}
