// SPDX-License-Identifier: MIT
/* The options of --diff, --export and --apply: see carry_options.h. */
#include "carry_options.h"

#include "quote.h"
#include "util/values.h"

#include <unistd.h>

bool carry_set_diff(struct command *c, const struct option_row *row, const char *value)
{
	static const char *const choices[] = { "maps", "exact" };
	unsigned int index = 0;

	if (value && !lull_value_choice(value, choices, LENGTH(choices), &index))
		return option_bad_value(c, row, value, "HOW is maps or exact.");
	c->engine.diff_by = (enum lull_diff_by)index;
	return option_set_mode(c, row, value);
}

bool carry_set_rate(struct command *c, const struct option_row *row, const char *value)
{
	if (!lull_value_bytes(value, &c->engine.rate))
		return option_bad_value(
			c, row, value,
			"BYTES is a whole number, more than 0, and maybe K, M, G or T "
			"for powers of 1024, as in 50M.");
	return true;
}

bool carry_set_format(struct command *c, const struct option_row *row, const char *value)
{
	uint64_t number;

	if (!lull_value_number(value, 1, 2, &number))
		return option_bad_value(
			c, row, value,
			"VERSION is that of RBD's incremental diffs: 2, which has a "
			"checksum, or 1.");
	c->engine.first_format = number == 1;
	c->format_given = true;
	return true;
}

static bool is_carrying(const struct command *c)
{
	return c->mode == MODE_DIFF || c->mode == MODE_EXPORT || c->mode == MODE_APPLY;
}

bool carry_options_check(const struct command *c)
{
	const struct lull_options *o = &c->engine;
	const struct lull_cp *cp = &o->cp;
	bool apply = c->mode == MODE_APPLY;
	const struct option_other others[] = {
		{ o->refresh, "--refresh" },
		{ c->metrics, "--metrics" },
		{ lull_keep_any(&o->keep) && !apply, "--keep" },
		{ o->hook, "--hook" },
		{ o->resume, "--resume" },
		{ o->restart && !apply, "--restart" },
		{ o->lock_wait_ns > 0 && !apply, "--lock-wait" },
		{ o->checkpoint, "--checkpoint" },
		{ o->in_place, "--inplace" },
		{ o->no_sync, "--no-sync" },
		{ o->on_writers != LULL_ON_WRITERS_AUTO, "--on-writers" },
		{ c->histogram && !apply, "--histogram" },
		{ c->json && c->mode == MODE_EXPORT, "--json" },
		{ c->reflink_given && !apply, "--reflink" },
		{ cp->sparse != LULL_SPARSE_AUTO, "--sparse" },
		{ cp->keep_mode || cp->keep_owner || cp->keep_times || cp->keep_links ||
			  cp->keep_xattrs || c->keep_context,
		  "--preserve" },
		{ c->target_directory, "--target-directory" },
		{ option_cp_given(c), option_cp_given(c) },
	};

	if (o->rate > 0 && c->mode != MODE_EXPORT)
		return option_mistake(c, "--rate needs --export");
	if (c->format_given && c->mode != MODE_EXPORT && !apply)
		return option_mistake(c, "--format needs --export or --apply");
	return !is_carrying(c) ||
	       option_excludes(c, option_mode_name(c->mode), others, LENGTH(others));
}

bool carry_operands_take(struct command *c, int n, char **operand)
{
	int wanted = c->mode == MODE_DIFF ? 2 : 1;

	if (n == 0)
		return option_mistake(c, c->mode == MODE_APPLY
						 ? "missing destination file operand"
						 : "missing file operand");
	if (n < wanted)
		return option_mistake(c, "missing file operand after %s",
				      quote(operand[0]));
	if (n > wanted)
		return option_mistake(c, "extra operand %s", quote(operand[wanted]));
	if (c->mode == MODE_EXPORT && isatty(STDOUT_FILENO))
		return option_mistake(c, "standard output is a terminal: redirect the "
					 "stream of --export to a file or a pipe");
	if (c->mode == MODE_APPLY && isatty(STDIN_FILENO))
		return option_mistake(c, "standard input is a terminal: --apply reads "
					 "the stream of --export there");
	if (c->mode == MODE_DIFF) {
		c->source = operand[0];
		c->dest = operand[1];
	} else if (c->mode == MODE_EXPORT) {
		c->source = operand[0];
	} else {
		c->source = c->engine.base;
		c->dest = operand[0];
	}
	return true;
}
