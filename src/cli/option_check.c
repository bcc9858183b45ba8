// SPDX-License-Identifier: MIT
/* Which options go together: see option_check.h. */
#include "option_check.h"

#include "carry_options.h"
#include "cp_options.h"
#include "option_row.h"

#include <stddef.h>

/* Checks pairs of options that exclude each other. */
static bool check_pairs(const struct command *c)
{
	const struct lull_options *o = &c->engine;
	const struct {
		bool both;
		const char *a, *b;
	} excluding[] = {
		{ o->resume && o->restart, "--resume", "--restart" },
		{ c->quiet && o->cp.verbose, "--quiet", "--verbose" },
		{ c->quiet && c->summary, "--quiet", "--summary" },
		{ c->json && c->histogram, "--json", "--histogram" },
	};

	for (size_t i = 0; i < LENGTH(excluding); i++) {
		if (excluding[i].both)
			return option_mistake(c, "%s and %s exclude each other",
					      excluding[i].a, excluding[i].b);
	}
	return true;
}

/* Checks --keep: a generation is a new file of its own, of a regular SOURCE. */
static bool check_keep(const struct command *c)
{
	const struct lull_cp *cp = &c->engine.cp;
	const struct option_other others[] = {
		{ c->engine.refresh, "--refresh" },
		{ c->engine.in_place, "--inplace" },
		{ c->engine.no_sync, "--no-sync" },
		{ cp->follow == LULL_FOLLOW_NEVER, "--no-dereference" },
		{ option_cp_given(c), option_cp_given(c) },
	};

	if (c->mode != MODE_CLONE && c->mode != MODE_APPLY)
		return option_mistake(c, "--keep and --%s exclude each other",
				      option_mode_name(c->mode));
	return option_excludes(c, "keep", others, LENGTH(others));
}

/* Checks --restore: it only gives one file the contents of another. */
static bool check_restore(const struct command *c)
{
	const struct option_other others[] = {
		{ c->engine.refresh, "--refresh" },
		{ c->engine.in_place, "--inplace" },
		{ lull_keep_any(&c->engine.keep), "--keep" },
		{ c->engine.hook, "--hook" },
		{ c->metrics, "--metrics" },
		{ option_cp_given(c), option_cp_given(c) },
	};

	return option_excludes(c, "restore", others, LENGTH(others));
}

/* Refuses the options of cp that select files or attributes with modes that do not use
   them. */
static bool check_alone(const struct command *c)
{
	const struct lull_cp *cp = &c->engine.cp;
	bool discard = c->mode == MODE_DISCARD;
	const struct option_other others[] = {
		{ c->engine.hook, "--hook" },
		{ c->engine.resume, "--resume" },
		{ c->engine.restart, "--restart" },
		{ c->engine.checkpoint, "--checkpoint" },
		{ c->engine.in_place, "--inplace" },
		{ c->engine.no_sync, "--no-sync" },
		{ c->engine.live, "--live" },
		{ c->histogram, "--histogram" },
		{ c->summary, "--summary" },
		{ discard && lull_keep_any(&c->engine.keep), "--keep" },
		{ !discard && cp->force, "--force" },
		{ option_cp_given(c), option_cp_given(c) },
	};

	return option_excludes(c, option_mode_name(c->mode), others, LENGTH(others));
}

/* Checks that options about the freeze come with a hook. With --resume the hook may be in
   the checkpoint. */
static bool check_freeze(const struct command *c)
{
	const struct lull_options *o = &c->engine;
	const struct option_other others[] = {
		{ o->keep_frozen, "--keep-frozen" },
		{ o->max_freeze_ns > 0, "--max-freeze" },
		{ o->live, "--live" },
	};
	const char *other = option_first_given(others, LENGTH(others));

	return o->hook || c->check_hook || o->resume || !other ||
	       option_mistake(c, "%s needs --hook", other);
}

static bool check_refresh(const struct command *c)
{
	const struct lull_options *o = &c->engine;

	if (o->base && !o->refresh && c->mode != MODE_EXPORT && c->mode != MODE_APPLY)
		return option_mistake(c, "--base needs --refresh, --export or --apply");
	/* DEST itself becomes the new file, so nothing of it is left for a backup. */
	if (o->refresh && !o->base && o->cp.backup != LULL_BACKUP_NONE)
		return option_mistake(c, "--refresh takes --backup only with --base");
	if (o->base && o->in_place)
		return option_mistake(c, "--base and --inplace exclude each other");
	if (o->refresh && c->mode != MODE_CLONE)
		return option_mistake(c, "--refresh excludes --%s",
				      option_mode_name(c->mode));
	return true;
}

/* Takes the hook of --check-hook as the hook of the run. */
static bool take_check_hook(struct command *c)
{
	struct lull_options *o = &c->engine;
	const struct option_other others[] = {
		{ o->hook, "--hook" },
		{ o->max_freeze_ns > 0, "--max-freeze" },
		{ o->live, "--live" },
		{ o->keep_frozen, "--keep-frozen" },
	};

	if (!c->check_hook)
		return true;
	if (!option_excludes(c, "check-hook", others, LENGTH(others)))
		return false;
	o->hook = c->check_hook;
	return true;
}

bool option_check(struct command *c)
{
	const struct lull_options *o = &c->engine;

	if (o->no_undo && c->mode != MODE_RESTORE)
		return option_mistake(c, "--no-undo needs --restore");
	if ((c->mode == MODE_DISCARD || c->mode == MODE_LIST) && !check_alone(c))
		return false;
	if (c->mode == MODE_RESTORE && !check_restore(c))
		return false;
	if (!cp_options_check(c) || !carry_options_check(c) || !check_pairs(c) ||
	    !check_freeze(c) || !check_refresh(c) || !take_check_hook(c))
		return false;
	if (c->metrics && c->mode != MODE_CLONE)
		return option_mistake(c, "--metrics excludes --%s",
				      option_mode_name(c->mode));
	/* The first leaves writers frozen, the second limits how long they are. */
	if (o->keep_frozen && o->max_freeze_ns)
		return option_mistake(
			c, "--keep-frozen and --max-freeze exclude each other");
	if (c->dry_run && (c->mode != MODE_CLONE || !lull_keep_any(&o->keep)))
		return option_mistake(c, "--dry-run needs --keep");
	return !lull_keep_any(&o->keep) || c->mode == MODE_LIST || check_keep(c);
}
