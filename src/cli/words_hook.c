// SPDX-License-Identifier: MIT
/* Sentences for failures of a hook: see words_hook.h. */
#include "words_hook.h"

#include "quote.h"
#include "words_format.h"

#include <stdlib.h>
#include <string.h>

static const struct words_row rows[] = {
	{ LULL_CAUSE_HOOK_SYNTAX, "cannot understand the hook %1",
	  "A hook is a command with its arguments, quoted as for a shell, or a "
	  "directory of commands." },
	{ LULL_CAUSE_HOOK_SIGNAL, "cannot %w: the hook %1 was killed by signal %d",
	  NULL },
	{ LULL_CAUSE_HOOK_TIMEOUT,
	  "cannot %w: the hook %1 took too long and was killed (--hook-timeout, "
	  "--max-freeze)",
	  NULL },
	{ LULL_CAUSE_HOOK_EMPTY, "cannot %w: the directory %1 has no executables", NULL },
	{ LULL_CAUSE_HOOK_RUNNING,
	  "cannot thaw: the hook %1 of the interrupted run is still running, as process "
	  "%d",
	  "The writers may still be frozen: end that process or wait for it, then run "
	  "this again." },
	{ LULL_CAUSE_HOOK_MISSING,
	  "cannot freeze: without a hook the set in %1 cannot be continued",
	  "Give the same command with --hook." },
	{ LULL_CAUSE_HOST_FROZEN,
	  "the hook %1 seems to have frozen the file system itself",
	  "The hook must redirect or stop the writers, not freeze the file system that "
	  "the clone is written to (fsfreeze)." },
	{ LULL_CAUSE_MAX_FREEZE, "stopped: the time of --max-freeze is over",
	  "The writers were thawed. What is cloned is kept: --resume continues, and is "
	  "much faster on XFS." },
	{ LULL_CAUSE_KEEPER_LOST, "the process that keeps the writers frozen was killed",
	  "The writers were thawed." },
	{ LULL_CAUSE_FREEZE_TOO_LONG,
	  "stopped: %1 would have to be frozen for about %w, longer than --max-freeze",
	  "Nothing was frozen. What is cloned is kept: --resume continues." },
	{ WORDS_ELSE, "cannot %w with the hook %1: %e", NULL },
};

/* What the exit status of a hook may mean. */
static const struct words_row statuses[] = {
	{ 126, "cannot %w: the hook %1 cannot be executed", NULL },
	{ 127, "cannot %w: the hook %1 was not found", NULL },
	{ WORDS_ELSE, "cannot %w: the hook %1 failed with exit status %d", NULL },
};

static char *one_hook_words(enum lull_outcome outcome, const struct lull_failure *f,
			    const char **ret_advice)
{
	struct words_of of = words_of_failure(f, "the hook", NULL);

	of.word = outcome == LULL_THAW_FAILED ? "thaw" : "freeze";
	*ret_advice = outcome == LULL_THAW_FAILED
			      ? "The writers may still be frozen: check them, then run "
				"lullcp --recover DEST, with --hook=COMMAND to call "
				"another command than before."
			      : NULL;
	if (f->cause == LULL_CAUSE_HOOK_STATUS && outcome == LULL_SKIPPED)
		return words_say("the hook %1 asks to try later; nothing was done", &of);
	if (f->cause == LULL_CAUSE_HOOK_STATUS)
		return words_choose(statuses, f->detail, &of, ret_advice);
	if (f->cause == LULL_CAUSE_FREEZE_TOO_LONG)
		of.word = words_time((uint64_t)f->detail * 1000000);
	return words_choose(rows, f->cause, &of, ret_advice);
}

char *words_hook(enum lull_outcome outcome, const struct lull_failure *f,
		 const char **ret_advice)
{
	struct lull_failure first = {
		.stage = LULL_STAGE_HOOK,
		.cause = f->had_cause,
		.err = f->had_err,
		.detail = f->had_detail,
		.path = f->path,
	};
	char *before, *after, *both = NULL;
	const char *ignored;

	if (!f->had_failed)
		return one_hook_words(outcome, f, ret_advice);
	before = one_hook_words(LULL_FREEZE_FAILED, &first, &ignored);
	after = one_hook_words(outcome, f, ret_advice);
	if (before && after)
		both = format("%s; then %s", before, after);
	free(before);
	free(after);
	return both;
}
