// SPDX-License-Identifier: MIT
/* What the operands mean. */
#include "targets.h"

#include "carry_options.h"
#include "option_row.h"
#include "quote.h"
#include "words_format.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static const char *last_part(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static bool say(const struct command *c, const char *what, const char *name, int err)
{
	(void)fprintf(stderr, "%s: %s %s: %s\n", c->program, what, quote(name),
		      strerror(err));
	return false;
}

static int open_directory(const char *path)
{
	return open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

/* Finds the file that DEST means: DEST itself, or one with SOURCE's name in it. */
static bool settle_dest(struct command *c)
{
	const char *directory = c->target_directory;
	struct stat st;
	char *path;

	if (c->mode > MODE_VERIFY)
		return true;
	if (!directory && !c->no_target_directory && stat(c->dest, &st) == 0 &&
	    S_ISDIR(st.st_mode))
		directory = c->dest;
	if (!directory)
		return true;
	if (c->target_directory && (stat(directory, &st) < 0 || !S_ISDIR(st.st_mode)))
		return say(c, "target directory", directory,
			   stat(directory, &st) < 0 ? errno : ENOTDIR);
	path = format("%s%s%s", directory,
		      directory[strlen(directory) - 1] == '/' ? "" : "/",
		      last_part(c->source));
	if (!path)
		return option_mistake(c, "out of memory");
	c->dest = c->made_dest = path;
	return true;
}

/* ---- copies ---- */

/* Returns an option that cannot be used if one freeze makes all files or none; or
   NULL. */
static const char *unfit_for_set(const struct command *c)
{
	const struct lull_cp *cp = &c->engine.cp;

	return cp->attributes_only                   ? "--attributes-only"
	       : cp->backup != LULL_BACKUP_NONE      ? "--backup"
	       : cp->force                           ? "--force"
	       : c->engine.in_place                  ? "--inplace"
	       : cp->overwrite == LULL_OVERWRITE_ASK ? "--interactive"
	       : cp->hard_link                       ? "--link"
	       : cp->overwrite == LULL_OVERWRITE_NO  ? "--no-clobber"
	       : c->engine.no_sync                   ? "--no-sync"
	       : c->engine.refresh                   ? "--refresh"
	       : cp->remove_destination              ? "--remove-destination"
	       : cp->symbolic_link                   ? "--symbolic-link"
	       : cp->update != LULL_UPDATE_ALL       ? "--update"
						     : NULL;
}

/* Refuses options that name one file with several SOURCEs, and options that select files
   with a set. */
static bool judge_number(struct command *c)
{
	const struct lull_options *o = &c->engine;
	const char *one = o->base ? "--base" : NULL;
	bool several = c->n_sources > 1;

	if (several && o->hook && unfit_for_set(c))
		return option_mistake(
			c, "--hook with several SOURCEs and %s exclude each other",
			unfit_for_set(c));
	if (several && lull_keep_any(&o->keep) && o->hook)
		return option_mistake(c, "--keep with --hook takes one SOURCE");
	if (o->checkpoint && !(several && !lull_keep_any(&o->keep) &&
			       (o->hook || o->resume || o->restart)))
		one = "--checkpoint";
	if (one && (several || o->cp.recursive))
		return option_mistake(c, "%s takes one SOURCE, which is a file", one);
	return true;
}

static bool take_for_copy(struct command *c, int n, char **operand)
{
	const char *last = n > 0 ? operand[n - 1] : NULL;

	if (n <= (c->target_directory ? 0 : 1)) {
		if (n == 0)
			return option_mistake(c, "missing file operand");
		return option_mistake(c, "missing destination file operand after %s",
				      quote(operand[0]));
	}
	c->sources = (const char *const *)operand;
	c->n_sources = (unsigned int)n;
	if (c->no_target_directory) {
		if (c->target_directory) {
			(void)fprintf(stderr,
				      "%s: cannot combine --target-directory (-t) and "
				      "--no-target-directory (-T)\n",
				      c->program);
			return false;
		}
		if (n > 2)
			return option_mistake(c, "extra operand %s", quote(operand[2]));
	} else if (c->target_directory) {
		c->target_fd = open_directory(c->target_directory);
		if (c->target_fd < 0)
			return say(c, "target directory", c->target_directory, errno);
	} else {
		c->target_fd = open_directory(last);
		if (c->target_fd >= 0)
			c->target_directory = last;
		else if (n > 2)
			return say(c, "target", last, errno);
		c->n_sources--;
	}
	if (c->no_target_directory)
		c->n_sources--;
	if (!c->target_directory) {
		if (c->engine.cp.parents)
			return option_mistake(
				c, "with --parents, the destination must be a directory");
		c->dest = last;
	}
	if (!judge_number(c))
		return false;
	c->source = c->n_sources == 1 ? c->sources[0] : NULL;
	if (c->dry_run && !c->source)
		return option_mistake(c, "--dry-run takes one SOURCE");
	return !c->dry_run || settle_dest(c);
}

/* ---- the other modes ---- */

static bool take_for_restore(struct command *c, int n, char **operand)
{
	if (c->target_directory)
		return option_mistake(
			c, "--restore and --target-directory exclude each other");
	if (n == 0)
		return option_mistake(c, "missing file operand");
	if (n < 2)
		return option_mistake(c, "missing destination file operand after %s",
				      quote(operand[0]));
	if (n > 2)
		return option_mistake(c, "extra operand %s", quote(operand[2]));
	c->source = operand[0];
	c->dest = operand[1];
	return true;
}

bool targets_take(struct command *c, int n, char **operand)
{
	int wanted = c->mode <= MODE_VERIFY && !c->target_directory ? 2 : 1;

	if (c->mode == MODE_CLONE)
		return take_for_copy(c, n, operand);
	if (c->mode >= MODE_DIFF)
		return carry_operands_take(c, n, operand);
	if (c->mode == MODE_CHECK_HOOK || c->mode == MODE_DISCARD) {
		if (n == 0)
			return option_mistake(c, "missing file operand");
		if (c->target_directory)
			return option_mistake(
				c, "--%s and --target-directory exclude each other",
				option_mode_name(c->mode));
		c->sources = (const char *const *)operand;
		c->n_sources = (unsigned int)n;
		return true;
	}
	if (c->target_directory && c->no_target_directory)
		return option_mistake(c, "cannot combine --target-directory (-t) and "
					 "--no-target-directory (-T)");
	if (c->mode == MODE_RESTORE)
		return take_for_restore(c, n, operand);
	if (c->mode == MODE_PROBE) {
		if (n == 0)
			return option_mistake(c, "missing file operand");
		c->source = operand[0];
		c->dest = n > 1 ? operand[1] : c->target_directory;
		wanted = c->target_directory ? 1 : 2;
	} else if (c->mode > MODE_VERIFY) {
		if (n == 0)
			return option_mistake(c, "missing destination file operand");
		c->dest = operand[0];
	} else {
		if (n == 0)
			return option_mistake(c, "missing file operand");
		if (n < wanted)
			return option_mistake(c,
					      "missing destination file operand after %s",
					      quote(operand[0]));
		c->source = operand[0];
		c->dest = wanted == 2 ? operand[1] : NULL;
	}
	if (n > wanted)
		return option_mistake(c, "extra operand %s", quote(operand[wanted]));
	return settle_dest(c);
}
