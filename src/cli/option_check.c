// SPDX-License-Identifier: MIT
/* Which options go together: see option_check.h. */
#include "option_check.h"

#include "carry_options.h"
#include "cp_options.h"
#include "option_row.h"

#include <stddef.h>

#define ARRAY_LENGTH(a) (sizeof(a) / sizeof((a)[0]))

/* Pairs that exclude each other. */
static const struct {
	const char *a, *b;
	size_t field_a, field_b;
} excluding[] = {
	{ "--resume", "--restart", OPTION_FIELD(engine.resume),
	  OPTION_FIELD(engine.restart) },
	{ "--quiet", "--verbose", OPTION_FIELD(quiet), OPTION_FIELD(engine.cp.verbose) },
	{ "--quiet", "--summary", OPTION_FIELD(quiet), OPTION_FIELD(summary) },
	{ "--json", "--histogram", OPTION_FIELD(json), OPTION_FIELD(histogram) },
};

static bool flag_at(const struct command *c, size_t field)
{
	return *(const bool *)((const char *)c + field);
}

/* A generation is a new file of its own, of a regular SOURCE. */
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
	return option_excludes(c, "keep", others, ARRAY_LENGTH(others));
}

/* It makes one file what another one is, and nothing else. */
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

	return option_excludes(c, "restore", others, ARRAY_LENGTH(others));
}

/* What cp's options choose or keep is not asked of these. */
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

	return option_excludes(c, option_mode_name(c->mode), others,
			       ARRAY_LENGTH(others));
}

bool option_check(struct command *c)
{
	bool hookless = !c->engine.hook && !c->check_hook && !c->engine.resume;

	if (c->engine.no_undo && c->mode != MODE_RESTORE)
		return option_mistake(c, "--no-undo needs --restore");
	if ((c->mode == MODE_DISCARD || c->mode == MODE_LIST) && !check_alone(c))
		return false;
	if (c->mode == MODE_RESTORE && !check_restore(c))
		return false;
	if (!cp_options_check(c) || !carry_options_check(c))
		return false;
	for (size_t i = 0; i < ARRAY_LENGTH(excluding); i++) {
		if (flag_at(c, excluding[i].field_a) && flag_at(c, excluding[i].field_b))
			return option_mistake(c, "%s and %s exclude each other",
					      excluding[i].a, excluding[i].b);
	}
	if (hookless && (c->engine.keep_frozen || c->engine.max_freeze_ns))
		return option_mistake(c, "%s needs --hook",
				      c->engine.keep_frozen ? "--keep-frozen"
							    : "--max-freeze");
	if (c->engine.live && hookless)
		return option_mistake(c, "--live needs --hook");
	if (c->engine.base && !c->engine.refresh && c->mode != MODE_EXPORT &&
	    c->mode != MODE_APPLY)
		return option_mistake(c, "--base needs --refresh, --export or --apply");
	/* It becomes the new file, so nothing of it is left to keep. */
	if (c->engine.refresh && !c->engine.base &&
	    c->engine.cp.backup != LULL_BACKUP_NONE)
		return option_mistake(c, "--refresh takes --backup only with --base");
	if (c->engine.base && c->engine.in_place)
		return option_mistake(c, "--base and --inplace exclude each other");
	if (c->engine.refresh && c->mode != MODE_CLONE)
		return option_mistake(c, "--refresh excludes --%s",
				      option_mode_name(c->mode));
	if (c->check_hook && (c->engine.hook || c->engine.max_freeze_ns ||
			      c->engine.live || c->engine.keep_frozen))
		return option_mistake(c, "--check-hook and %s exclude each other",
				      c->engine.hook            ? "--hook"
				      : c->engine.max_freeze_ns ? "--max-freeze"
				      : c->engine.live          ? "--live"
								: "--keep-frozen");
	if (c->check_hook)
		c->engine.hook = c->check_hook;
	if (c->metrics && c->mode != MODE_CLONE)
		return option_mistake(c, "--metrics excludes --%s",
				      option_mode_name(c->mode));
	/* One says to leave writers frozen, the other never to. */
	if (c->engine.keep_frozen && c->engine.max_freeze_ns)
		return option_mistake(
			c, "--keep-frozen and --max-freeze exclude each other");
	if (c->dry_run && (c->mode != MODE_CLONE || !lull_keep_any(&c->engine.keep)))
		return option_mistake(c, "--dry-run needs --keep");
	return !lull_keep_any(&c->engine.keep) || c->mode == MODE_LIST || check_keep(c);
}
