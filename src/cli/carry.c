// SPDX-License-Identifier: MIT
/* --diff, --export and --apply: see carry.h. */
#include "carry.h"

#include "json.h"
#include "quote.h"
#include "words.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

void carry_change(struct render *render, const struct lull_change *change)
{
	const struct command *c = render->command;

	if (c->json) {
		json_change(change);
		return;
	}
	if (c->quiet)
		return;
	if (!render->table_begun)
		(void)printf("%20s %20s  %s\n", "OFFSET", "LENGTH", "KIND");
	render->table_begun = true;
	(void)printf("%20llu %20llu  %s\n", (unsigned long long)change->off,
		     (unsigned long long)change->len, change->zero ? "zero" : "data");
}

static enum lull_outcome run_diff(struct render *render,
				  const struct lull_observer *observer,
				  const volatile sig_atomic_t *stop_signal)
{
	const struct command *c = render->command;
	struct lull_difference found;
	enum lull_outcome outcome = lull_diff(&c->engine, c->source, c->dest, observer,
					      &found);
	bool done = outcome == LULL_OK || outcome == LULL_DIFFERENT;

	if (!done)
		render_failure(render, outcome, &found.failure, *stop_signal);
	if (c->json) {
		json_difference(c->source, c->dest, outcome, &found);
	} else if (done && !c->quiet) {
		if (found.old_size != found.new_size)
			(void)printf("size of %s %llu, of %s %llu\n", quote(c->source),
				     (unsigned long long)found.old_size, quote(c->dest),
				     (unsigned long long)found.new_size);
		if (c->engine.cp.verbose || c->summary)
			(void)printf("%llu range%s, %s data, %s zeroes, %s read, in %s\n",
				     (unsigned long long)found.ranges,
				     found.ranges == 1 ? "" : "s",
				     words_bytes(found.data_bytes),
				     words_bytes(found.zero_bytes),
				     words_bytes(found.read_bytes),
				     words_time(found.elapsed_ns));
	}
	lull_difference_done(&found);
	return outcome;
}

static enum lull_outcome run_export(struct render *render,
				    const struct lull_observer *observer,
				    const volatile sig_atomic_t *stop_signal)
{
	const struct command *c = render->command;
	struct lull_exported written;
	enum lull_outcome outcome = lull_export(&c->engine, c->source, STDOUT_FILENO,
						observer, &written);
	char *text = NULL;

	if (outcome != LULL_OK) {
		render_failure(render, outcome, &written.failure, *stop_signal);
	} else if (c->engine.cp.verbose || c->summary) {
		/* Standard output carries the stream. */
		text = format("%llu range%s, %s data, %s zeroes, %s written, in %s",
			      (unsigned long long)written.ranges,
			      written.ranges == 1 ? "" : "s",
			      words_bytes(written.data_bytes),
			      words_bytes(written.zero_bytes),
			      words_bytes(written.stream_bytes),
			      words_time(written.elapsed_ns));
		if (text)
			render_say(render, text, NULL);
		free(text);
	}
	lull_exported_done(&written);
	return outcome;
}

/* Reports that --reflink=auto copied the base. */
static void tell_copied(struct render *render, const struct lull_result *result)
{
	struct lull_totals totals = {
		.files_not_cloned = 1,
		.bytes_not_cloned = result->progress.bytes_copied,
		.cause = result->not_cloned_cause,
		.err = result->not_cloned,
	};

	(void)snprintf(totals.not_cloned, sizeof(totals.not_cloned), "%s",
		       render->command->source);
	render_totals(render, LULL_OK, &totals);
}

static enum lull_outcome run_apply(struct render *render,
				   const struct lull_observer *observer,
				   const volatile sig_atomic_t *stop_signal)
{
	const struct command *c = render->command;
	struct lull_result result;
	enum lull_outcome outcome = lull_apply(&c->engine, c->dest, STDIN_FILENO,
					       observer, &result);

	if (outcome == LULL_OK && c->engine.cp.verbose && !c->json) {
		render_clear(render);
		render_arrow(c, &result);
	}
	render_end(render, outcome, &result, *stop_signal);
	if (outcome == LULL_OK && result.not_cloned != 0)
		tell_copied(render, &result);
	lull_result_done(&result);
	return outcome;
}

enum lull_outcome carry_run(struct render *render, const struct lull_observer *observer,
			    const volatile sig_atomic_t *stop_signal)
{
	switch (render->command->mode) {
	case MODE_EXPORT:
		return run_export(render, observer, stop_signal);
	case MODE_APPLY:
		return run_apply(render, observer, stop_signal);
	default:
		return run_diff(render, observer, stop_signal);
	}
}
