// SPDX-License-Identifier: MIT
/* The output of --check-hook. */
#include "json.h"
#include "quote.h"
#include "render.h"
#include "words.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The keys in JSON lines, and the words in messages. */
static const struct {
	const char *key;
	const char *words;
} steps[] = {
	[LULL_CHECK_FREEZE] = { "freeze", "freeze" },
	[LULL_CHECK_STILL] = { "still", "SOURCE stands still" },
	[LULL_CHECK_FREEZE_AGAIN] = { "freeze_again", "freeze again" },
	[LULL_CHECK_STILL_AGAIN] = { "still_again", "SOURCE stands still" },
	[LULL_CHECK_THAW] = { "thaw", "thaw" },
	[LULL_CHECK_THAW_AGAIN] = { "thaw_again", "thaw again" },
	[LULL_CHECK_THAW_ALONE] = { "thaw_alone", "thaw without freeze" },
	[LULL_CHECK_THAW_LAST] = { "thaw_last", "thaw once more" },
};

static const char *how(const struct lull_step *s)
{
	if (!s->failed)
		return "ok";
	switch (s->cause) {
	case LULL_CAUSE_HOOK_STATUS:
		return "exited";
	case LULL_CAUSE_HOOK_SIGNAL:
		return "killed";
	case LULL_CAUSE_HOOK_TIMEOUT:
		return "timeout";
	case LULL_CAUSE_WRITERS:
		return "written";
	case LULL_CAUSE_HOST_FROZEN:
		return "host_frozen";
	default:
		return "error";
	}
}

static void why(const struct lull_step *s)
{
	switch (s->cause) {
	case LULL_CAUSE_HOOK_STATUS:
		(void)printf("exit status %d", s->detail);
		break;
	case LULL_CAUSE_HOOK_SIGNAL:
		(void)printf("ended by signal %d", s->detail);
		break;
	case LULL_CAUSE_HOOK_TIMEOUT:
		(void)printf("took too long and was killed (--hook-timeout)");
		break;
	case LULL_CAUSE_WRITERS:
		(void)printf("%s was written to", quote(s->path));
		break;
	case LULL_CAUSE_HOST_FROZEN:
		(void)printf("a write to the file system of SOURCE does not return");
		break;
	default:
		(void)printf("%s%s%s", s->path ? quote(s->path) : "", s->path ? ": " : "",
			     strerror(s->err));
	}
}

/* Prints the hook's output, with its control characters replaced. */
static void print_output(const struct lull_step *s)
{
	const char *text = s->output;

	(void)printf("  wrote %s:\n", words_bytes(s->written));
	while (*text) {
		size_t len = strcspn(text, "\n");

		(void)printf("  | ");
		for (size_t i = 0; i < len; i++) {
			unsigned char c = (unsigned char)text[i];

			(void)putchar((c < ' ' && c != '\t') || c == 0x7f ? '?' : c);
		}
		(void)putchar('\n');
		text += len + (text[len] == '\n');
	}
	if (s->written > strlen(s->output))
		(void)printf("  | ...\n");
}

void render_step(struct render *render, const struct lull_step *s)
{
	const struct command *c = render->command;

	if (c->json) {
		json_step(s, steps[s->what].key, how(s));
		return;
	}
	if (c->quiet && s->kept)
		return;
	(void)printf("%-20s %s", steps[s->what].words, s->kept ? "ok" : "BROKEN");
	if (s->failed) {
		(void)printf(": ");
		why(s);
	}
	(void)printf(", %s\n", words_time(s->elapsed_ns));
	if (s->left > 0)
		(void)printf(
			"  left %u process%s in its process group: %s (%d); it would be "
			"killed with the hook (setsid)\n",
			s->left, s->left == 1 ? "" : "es", quote(s->left_name),
			s->left_pid);
	if (s->output_held)
		(void)printf("  a process that it left keeps its output open: a "
			     "program that reads lullcp's messages would wait for it\n");
	if (s->written > 0)
		print_output(s);
	(void)fflush(stdout);
}

void render_verdict(struct render *render, enum lull_outcome outcome,
		    const struct lull_verdict *v, int signal)
{
	const struct command *c = render->command;
	const char *advice = NULL;
	char *message = NULL;

	if (outcome == LULL_INTERRUPTED ||
	    (outcome != LULL_OK && v->failure.stage != LULL_STAGE_NONE)) {
		render_failure(render, outcome, &v->failure, signal);
	} else if (outcome != LULL_OK) {
		message = format(outcome == LULL_SKIPPED
					 ? "the hook %s answered 75: try later"
					 : "the hook %s does not keep to the rules",
				 quote(c->check_hook));
		if (outcome != LULL_SKIPPED)
			advice = outcome == LULL_THAW_FAILED
					 ? "Its thaw has failed: check whether the "
					   "writers are still frozen."
					 : "The rules are in lullcp-hooks(7).";
		if (c->json)
			json_error(outcome, &v->failure, message ? message : "");
		render_say(render, message, advice);
		free(message);
	}
	if (c->json)
		json_verdict(c->check_hook, outcome, v);
	else if (outcome == LULL_OK && !c->quiet)
		(void)printf("%u steps, all kept\n", v->steps);
}
