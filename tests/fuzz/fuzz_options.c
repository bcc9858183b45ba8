// SPDX-License-Identifier: MIT
/* Any command line: refused with a message, or a command that the engine can take. */
#include "fuzz.h"

#include "options.h"

#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MOST_WORDS 32

/* Words end with a zero byte or a line, as they do in the corpus. */
static int split(char *text, size_t size, char **argv)
{
	int n = 0;

	argv[n++] = (char *)"lullcp";
	for (size_t at = 0; at < size && n < MOST_WORDS;) {
		size_t len = strcspn(text + at, "\n");

		argv[n++] = text + at;
		text[at + len] = '\0';
		at += len + 1;
	}
	argv[n] = NULL;
	return n;
}

static bool within(uint64_t value, uint64_t min, uint64_t max)
{
	return value >= min && value <= max;
}

static unsigned int kept(const struct lull_keep_rules *rules)
{
	unsigned int all = 0;

	for (unsigned int kind = 0; kind < LULL_KEEP_KINDS; kind++)
		all += rules->n[kind];
	return all;
}

static bool usable(const struct command *c)
{
	const struct lull_options *o = &c->engine;

	if (c->mode >= MODE_HELP)
		return true;
	if (o->latency_budget_ns == 0 || o->hook_timeout_ns == 0 ||
	    !within(o->duty_cycle, 1, 100) || !within(o->passes, 1, 1000) ||
	    !within(o->jobs, 1, 256) || kept(&o->keep) > LULL_KEEP_MOST)
		return false;
	if ((o->resume && o->restart) || (o->live && !o->hook && !o->resume) ||
	    (o->base && !o->refresh && c->mode != MODE_EXPORT && c->mode != MODE_APPLY) ||
	    (o->refresh && c->mode != MODE_CLONE) ||
	    (o->keep_frozen && o->max_freeze_ns) ||
	    (o->cp.hard_link && o->cp.symbolic_link) ||
	    (lull_keep_any(&o->keep) && c->mode == MODE_CLONE &&
	     (o->in_place || o->cp.recursive)))
		return false;
	switch (c->mode) {
	case MODE_CLONE:
		return c->n_sources > 0 && c->sources &&
		       !c->dest == !!c->target_directory &&
		       (c->target_fd >= 0) == !!c->target_directory &&
		       (!c->source || c->n_sources == 1);
	case MODE_CHECK_HOOK:
		return c->n_sources > 0 && o->hook && *o->hook;
	case MODE_DISCARD:
		return c->n_sources > 0 && c->sources;
	case MODE_PROBE:
	case MODE_EXPORT:
		return c->source;
	case MODE_VERIFY:
	case MODE_DIFF:
	case MODE_RESTORE:
		return c->source && c->dest;
	default:
		return c->dest;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *argv[MOST_WORDS + 1], *given[MOST_WORDS + 1], *said = NULL;
	char *text = malloc(size + 1);
	FILE *before = stderr;
	struct command command;
	size_t len = 0;
	bool good;
	int n;

	if (!text)
		return 0;
	if (size > 0)
		memcpy(text, data, size);
	text[size] = '\0';
	n = split(text, size, argv);
	memcpy(given, argv, sizeof(given));

	stderr = open_memstream(&said, &len);
	if (!stderr)
		abort();
	optind = 0; /* getopt begins anew */
	good = options_parse(n, argv, &command);
	(void)fclose(stderr);
	stderr = before;
	if (good ? !usable(&command) : len == 0)
		abort();

	/* What abbreviations were written out to; getopt puts the operands last. */
	for (int i = 1; i < n; i++) {
		bool made = argv[i] < text || argv[i] > text + size;

		for (int j = 1; j < n && made; j++)
			made = argv[i] != given[j];
		if (made)
			free(argv[i]);
	}
	if (command.target_fd >= 0)
		(void)close(command.target_fd);
	free(command.made_dest);
	free(said);
	free(text);
	return 0;
}
