// SPDX-License-Identifier: MIT
/* Words for what a hook did: see words_hook.h. */
#include "words_hook.h"

#include "quote.h"
#include "words_format.h"

#include <stdlib.h>
#include <string.h>

static char *one_hook_words(enum lull_outcome outcome, const struct lull_failure *f,
			    const char **ret_advice)
{
	const char *hook = f->path ? quote(f->path) : "the hook";
	const char *what = outcome == LULL_THAW_FAILED ? "thaw" : "freeze";

	*ret_advice =
		outcome == LULL_THAW_FAILED
			? "The writers may still be frozen: look at them, then run "
			  "lullcp --recover DEST, with --hook=COMMAND to call another "
			  "command than before."
			: NULL;
	switch (f->cause) {
	case LULL_CAUSE_HOOK_SYNTAX:
		*ret_advice =
			"A hook is a command with its arguments, quoted as for a shell, "
			"or a directory of commands.";
		return format("cannot understand the hook %s", hook);
	case LULL_CAUSE_HOOK_STATUS:
		if (outcome == LULL_SKIPPED)
			return format("the hook %s asks to try later; nothing was done",
				      hook);
		if (f->detail == 127)
			return format("cannot %s: the hook %s was not found", what, hook);
		if (f->detail == 126)
			return format("cannot %s: the hook %s cannot be executed", what,
				      hook);
		return format("cannot %s: the hook %s failed with exit status %d", what,
			      hook, f->detail);
	case LULL_CAUSE_HOOK_SIGNAL:
		return format("cannot %s: the hook %s was killed by signal %d", what,
			      hook, f->detail);
	case LULL_CAUSE_HOOK_TIMEOUT:
		return format("cannot %s: the hook %s took too long and was killed "
			      "(--hook-timeout, --max-freeze)",
			      what, hook);
	case LULL_CAUSE_HOOK_EMPTY:
		return format("cannot %s: the directory %s has no executables", what,
			      hook);
	case LULL_CAUSE_HOOK_RUNNING:
		*ret_advice =
			"The writers may still be frozen: end it, or wait for its end, "
			"then run this again.";
		return format(
			"cannot thaw: the hook %s of the interrupted run is still at "
			"work, as process %d",
			hook, f->detail);
	case LULL_CAUSE_HOOK_MISSING:
		*ret_advice = "Give the same command with --hook.";
		return format(
			"cannot freeze: without a hook the set in %s cannot be continued",
			hook);
	case LULL_CAUSE_HOST_FROZEN:
		*ret_advice =
			"The hook must redirect or stop the writers, not freeze the file "
			"system that the clone is written to (fsfreeze).";
		return format("the hook %s seems to have frozen the file system itself",
			      hook);
	case LULL_CAUSE_MAX_FREEZE:
		*ret_advice = "The writers were thawed. What is cloned is kept: --resume "
			      "continues, "
			      "and is much faster on XFS.";
		return format("stopped: --max-freeze is over");
	case LULL_CAUSE_FREEZE_TOO_LONG:
		*ret_advice =
			"Nothing was frozen. What is cloned is kept: --resume continues.";
		return format(
			"stopped: %s would have to be frozen for about %s, longer than "
			"--max-freeze",
			hook, words_time((uint64_t)f->detail * 1000000));
	case LULL_CAUSE_KEEPER_LOST:
		*ret_advice = "The writers were thawed.";
		return format("the process that keeps the writers frozen was killed");
	default:
		return format("cannot %s with the hook %s: %s", what, hook,
			      strerror(f->err));
	}
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
