// SPDX-License-Identifier: MIT
/* The options of cp, with cp's letters, meanings and messages. */
#include "cp_options.h"

#include "quote.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- attributes ---- */

enum attribute { MODE, TIMES, OWNER, LINKS, CONTEXT, XATTR, ALL };

static const struct option_word attributes[] = {
	{ "mode", MODE },   { "timestamps", TIMES }, { "ownership", OWNER },
	{ "links", LINKS }, { "context", CONTEXT },  { "xattr", XATTR },
	{ "all", ALL },
};

static void keep_mode(struct lull_cp *cp, bool keep)
{
	cp->keep_mode = keep;
	cp->default_mode = !keep;
}

static void keep(struct command *c, enum attribute attribute, bool keep)
{
	struct lull_cp *cp = &c->engine.cp;

	switch (attribute) {
	case MODE:
		keep_mode(cp, keep);
		break;
	case TIMES:
		cp->keep_times = keep;
		break;
	case OWNER:
		cp->keep_owner = keep;
		break;
	case LINKS:
		cp->keep_links = keep;
		break;
	case CONTEXT:
		c->keep_context = keep;
		break;
	case XATTR:
		cp->keep_xattrs = cp->must_keep_xattrs = keep;
		break;
	case ALL:
		keep_mode(cp, keep);
		cp->keep_times = cp->keep_owner = cp->keep_links = cp->keep_xattrs = keep;
		break;
	}
}

static bool keep_list(struct command *c, const char *option, const char *list, bool on)
{
	char *words = strdup(list), *rest = words, *word;
	bool good = words != NULL;

	while (good && (word = strsep(&rest, ","))) {
		int code;

		good = option_choose(c, option, word, attributes, LENGTH(attributes),
				     &code);
		if (good)
			keep(c, (enum attribute)code, on);
	}
	free(words);
	return good;
}

static bool set_usual(struct command *c, const struct option_row *row, const char *value)
{
	struct lull_cp *cp = &c->engine.cp;

	(void)row;
	(void)value;
	cp->keep_mode = cp->keep_owner = cp->keep_times = cp->must_keep = true;
	return true;
}

static bool set_preserve(struct command *c, const struct option_row *row,
			 const char *value)
{
	if (!value)
		return set_usual(c, row, value);
	c->engine.cp.must_keep = true;
	return keep_list(c, "--preserve", value, true);
}

static bool set_no_preserve(struct command *c, const struct option_row *row,
			    const char *value)
{
	(void)row;
	return keep_list(c, "--no-preserve", value, false);
}

static bool set_archive(struct command *c, const struct option_row *row,
			const char *value)
{
	struct lull_cp *cp = &c->engine.cp;

	cp->recursive = cp->keep_links = cp->keep_xattrs = cp->quiet_xattrs = true;
	cp->follow = LULL_FOLLOW_NEVER;
	return set_usual(c, row, value);
}

static bool set_no_dereference_links(struct command *c, const struct option_row *row,
				     const char *value)
{
	(void)row;
	(void)value;
	c->engine.cp.keep_links = true;
	c->engine.cp.follow = LULL_FOLLOW_NEVER;
	return true;
}

/* ---- choices ---- */

static bool set_backup(struct command *c, const struct option_row *row, const char *value)
{
	(void)row;
	c->backup = true;
	if (value)
		c->backup_control = value;
	return true;
}

static bool set_suffix(struct command *c, const struct option_row *row, const char *value)
{
	(void)row;
	c->backup = true;
	c->backup_suffix = value;
	return true;
}

static bool set_reflink(struct command *c, const struct option_row *row,
			const char *value)
{
	static const struct option_word words[] = { { "auto", LULL_REFLINK_AUTO },
						    { "always", LULL_REFLINK_ALWAYS },
						    { "never", LULL_REFLINK_NEVER } };
	int code = LULL_REFLINK_ALWAYS;

	(void)row;
	if (value && !option_choose(c, "--reflink", value, words, LENGTH(words), &code))
		return false;
	c->engine.cp.reflink = (enum lull_reflink)code;
	c->reflink_given = true;
	return true;
}

static bool set_sparse(struct command *c, const struct option_row *row, const char *value)
{
	static const struct option_word words[] = { { "never", LULL_SPARSE_NEVER },
						    { "auto", LULL_SPARSE_AUTO },
						    { "always", LULL_SPARSE_ALWAYS } };
	int code;

	(void)row;
	if (!option_choose(c, "--sparse", value, words, LENGTH(words), &code))
		return false;
	c->engine.cp.sparse = (enum lull_sparse)code;
	return true;
}

static bool set_update(struct command *c, const struct option_row *row, const char *value)
{
	static const struct option_word words[] = { { "all", LULL_UPDATE_ALL },
						    { "none", LULL_UPDATE_NONE },
						    { "none-fail",
						      LULL_UPDATE_NONE_FAIL },
						    { "older", LULL_UPDATE_OLDER } };
	int code = LULL_UPDATE_OLDER;

	(void)row;
	if (value && !option_choose(c, "--update", value, words, LENGTH(words), &code))
		return false;
	c->engine.cp.update = (enum lull_update)code;
	return true;
}

static bool set_debug(struct command *c, const struct option_row *row, const char *value)
{
	(void)row;
	(void)value;
	c->engine.cp.debug = c->engine.cp.verbose = true;
	return true;
}

static bool set_target(struct command *c, const struct option_row *row, const char *value)
{
	(void)row;
	if (c->target_directory) {
		(void)fprintf(stderr, "%s: multiple target directories specified\n",
			      c->program);
		c->said = true;
		return false;
	}
	c->target_directory = value;
	return true;
}

static bool has_selinux(void)
{
	return access("/sys/fs/selinux/enforce", F_OK) == 0;
}

/* Without SELinux cp does nothing for -Z, and warns only if a context is given. */
static bool set_context(struct command *c, const struct option_row *row,
			const char *value)
{
	if (has_selinux()) {
		(void)fprintf(
			stderr,
			"%s: '%s' is not supported: lullcp is built without SELinux\n",
			c->program, row->name ? "--context" : "-Z");
		c->said = true;
		return false;
	}
	if (value)
		(void)fprintf(
			stderr,
			"%s: warning: ignoring --context; it requires an SELinux-enabled "
			"kernel\n",
			c->program);
	return true;
}

#define CP_FLAG(f) FLAG(engine.cp.f)

const struct option_row cp_options[] = {
	{ HEADING("As cp has them:") },
	{ "archive", "a", NULL, OWN(set_archive), "same as -dR --preserve=all" },
	{ "attributes-only", NULL, NULL, CP_FLAG(attributes_only),
	  "not the data, just the attributes" },
	{ "backup", NULL, "[CONTROL]", OWN(set_backup),
	  "keep a backup of each file that is replaced" },
	{ NULL, "b", NULL, OWN(set_backup), "the same, without CONTROL" },
	{ "copy-contents", NULL, NULL, FLAG(copy_contents),
	  "with -R: read special files" },
	{ NULL, "d", NULL, OWN(set_no_dereference_links), "same as -P --preserve=links" },
	{ "debug", NULL, NULL, OWN(set_debug),
	  "tell how each file is copied; implies -v" },
	{ "dereference", "L", NULL,
	  VALUE(enum lull_follow, engine.cp.follow, LULL_FOLLOW_ALWAYS),
	  "follow symbolic links in SOURCE" },
	{ "force", "f", NULL, CP_FLAG(force), "remove a DEST that cannot be opened" },
	{ NULL, "H", NULL,
	  VALUE(enum lull_follow, engine.cp.follow, LULL_FOLLOW_OPERANDS),
	  "follow symbolic links that are named" },
	{ "interactive", "i", NULL,
	  VALUE(enum lull_overwrite, engine.cp.overwrite, LULL_OVERWRITE_ASK),
	  "ask before replacing" },
	{ "link", "l", NULL, CP_FLAG(hard_link), "make hard links instead of copies" },
	{ "no-clobber", "n", NULL,
	  VALUE(enum lull_overwrite, engine.cp.overwrite, LULL_OVERWRITE_NO),
	  "replace nothing" },
	{ "no-dereference", "P", NULL,
	  VALUE(enum lull_follow, engine.cp.follow, LULL_FOLLOW_NEVER),
	  "do not follow symbolic links in SOURCE" },
	{ NULL, "p", NULL, OWN(set_usual),
	  "same as --preserve=mode,ownership,timestamps" },
	{ "no-preserve", NULL, "LIST", OWN(set_no_preserve),
	  "do not preserve these attributes" },
	{ "no-target-directory", "T", NULL, FLAG(no_target_directory),
	  "treat DEST as a normal file" },
	{ "one-file-system", "x", NULL, CP_FLAG(one_file_system),
	  "stay on this file system" },
	{ "parents", NULL, NULL, CP_FLAG(parents),
	  "use the full name of SOURCE under DIRECTORY" },
	{ "path", NULL, NULL, CP_FLAG(parents), NULL },
	{ "preserve", NULL, "[LIST]", OWN(set_preserve),
	  "preserve mode, ownership, timestamps, links,\nxattr, context, all (without "
	  "LIST: -p)" },
	{ "recursive", "Rr", NULL, CP_FLAG(recursive),
	  "copy directories with what is in them" },
	{ "remove-destination", NULL, NULL, CP_FLAG(remove_destination),
	  "remove each DEST first" },
	{ "sparse", NULL, "WHEN", OWN(set_sparse),
	  "make holes when copying: auto, always, never" },
	{ "reflink", NULL, "[WHEN]", OWN(set_reflink),
	  "always: clone or fail (the default),\nauto: clone or copy, never: copy" },
	{ "strip-trailing-slashes", NULL, NULL, CP_FLAG(strip_slashes),
	  "remove slashes at the end of SOURCE" },
	{ "suffix", "S", "SUFFIX", OWN(set_suffix), "suffix of simple backups (~)" },
	{ "symbolic-link", "s", NULL, CP_FLAG(symbolic_link),
	  "make symbolic links instead of copies" },
	{ "target-directory", "t", "DIRECTORY", OWN(set_target),
	  "copy all SOURCEs into DIRECTORY" },
	{ "update", NULL, "[WHEN]", OWN(set_update),
	  "which files to replace: all, none, none-fail,\nolder (the default)" },
	{ NULL, "u", NULL, OWN(set_update), "same as --update=older" },
	{ "verbose", "v", NULL, CP_FLAG(verbose), "name each file as it is copied" },
	{ NULL, "Z", NULL, OWN(set_context),
	  "no effect without SELinux; refused with it" },
	{ "context", NULL, "[CONTEXT]", OWN(set_context), "the same" },
};
const unsigned int n_cp_options = LENGTH(cp_options);

void cp_options_init(struct command *c)
{
	c->engine.cp.suffix = "~";
	c->engine.cp.through_dangling = getenv("POSIXLY_CORRECT") != NULL;
}

static const struct option_word backups[] = {
	{ "none", LULL_BACKUP_NONE },         { "off", LULL_BACKUP_NONE },
	{ "simple", LULL_BACKUP_SIMPLE },     { "never", LULL_BACKUP_SIMPLE },
	{ "existing", LULL_BACKUP_EXISTING }, { "nil", LULL_BACKUP_EXISTING },
	{ "numbered", LULL_BACKUP_NUMBERED }, { "t", LULL_BACKUP_NUMBERED },
};

static bool settle_backup(struct command *c)
{
	const char *suffix = c->backup_suffix ? c->backup_suffix
					      : getenv("SIMPLE_BACKUP_SUFFIX");
	const char *control = c->backup_control, *what = "backup type";
	int code = LULL_BACKUP_EXISTING;

	if (!c->backup)
		return true;
	if (!control || !*control) {
		control = getenv("VERSION_CONTROL");
		what = "$VERSION_CONTROL";
	}
	if (control && *control &&
	    !option_choose(c, what, control, backups, LENGTH(backups), &code)) {
		(void)fprintf(stderr, "Try '%s --help' for more information.\n",
			      c->program);
		return false;
	}
	c->engine.cp.backup = (enum lull_backup)code;
	/* cp ignores a suffix that is not a file name. */
	if (suffix && *suffix && !strchr(suffix, '/'))
		c->engine.cp.suffix = suffix;
	return true;
}

bool cp_options_check(struct command *c)
{
	struct lull_cp *cp = &c->engine.cp;

	if (cp->hard_link && cp->symbolic_link)
		return option_mistake(c, "cannot make both hard and symbolic links");
	if (cp->overwrite == LULL_OVERWRITE_NO)
		cp->update = LULL_UPDATE_ALL;
	if (c->backup && cp->overwrite == LULL_OVERWRITE_NO)
		return option_mistake(
			c, "options --backup and --no-clobber are mutually exclusive");
	/* The default is --reflink=always too, but does not count if there is no data to
	   copy. */
	if (c->backup &&
	    (cp->update == LULL_UPDATE_NONE || cp->update == LULL_UPDATE_NONE_FAIL))
		return option_mistake(c, "--backup is mutually exclusive with -n or "
					 "--update=none-fail");
	if (cp->reflink == LULL_REFLINK_ALWAYS && cp->sparse != LULL_SPARSE_AUTO &&
	    (c->reflink_given || !cp->attributes_only))
		return option_mistake(c, "--reflink can be used only with --sparse=auto");
	if (!settle_backup(c))
		return false;
	if (cp->follow == LULL_FOLLOW_DEFAULT)
		cp->follow = cp->recursive && !cp->hard_link ? LULL_FOLLOW_NEVER
							     : LULL_FOLLOW_ALWAYS;
	cp->special_as_regular = !cp->recursive || c->copy_contents;
	if (c->keep_context) {
		(void)fprintf(
			stderr, "%s: %s\n", c->program,
			has_selinux()
				? "'--preserve=context' is not supported: lullcp is "
				  "built without SELinux"
				: "cannot preserve security context without an "
				  "SELinux-enabled kernel");
		return false;
	}
	return true;
}
