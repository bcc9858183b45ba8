// SPDX-License-Identifier: MIT
/* Functions that the setters of options share: see option_row.h. */
#include "option_row.h"

#include "quote.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

bool option_choose(const struct command *c, const char *what, const char *value,
		   const struct option_word *words, unsigned int n, int *ret_code)
{
	bool any = false, ambiguous = false;
	int code = 0;

	for (unsigned int i = 0; i < n; i++) {
		if (strcmp(words[i].word, value) == 0) {
			*ret_code = words[i].code;
			return true;
		}
		if (strncmp(words[i].word, value, strlen(value)) != 0)
			continue;
		ambiguous = ambiguous || (any && words[i].code != code);
		code = words[i].code;
		any = true;
	}
	if (any && !ambiguous) {
		*ret_code = code;
		return true;
	}
	(void)fprintf(stderr,
		      "%s: %s argument %s for %s\nValid arguments are:", c->program,
		      ambiguous ? "ambiguous" : "invalid", quote_word(value),
		      quote_word(what));
	for (unsigned int i = 0; i < n; i++)
		(void)fprintf(stderr, "%s%s",
			      i > 0 && words[i].code == words[i - 1].code ? ", "
									  : "\n  - ",
			      quote_word(words[i].word));
	(void)fputc('\n', stderr);
	return false;
}

void *option_field(struct command *c, const struct option_row *row)
{
	return (char *)c + row->field;
}

bool option_set_flag(struct command *c, const struct option_row *row, const char *value)
{
	bool *flag = option_field(c, row);

	(void)value;
	*flag = true;
	return true;
}

bool option_set_value(struct command *c, const struct option_row *row, const char *value)
{
	(void)value;
	memcpy(option_field(c, row), &row->value, sizeof(row->value));
	return true;
}

bool option_bad_value(const struct command *c, const struct option_row *row,
		      const char *value, const char *hint)
{
	(void)fprintf(stderr, "%s: invalid argument %s for '--%s'\n%s\n", c->program,
		      quote(value), row->name, hint);
	return false;
}

const char *option_mode_name(enum mode mode)
{
	static const char *const names[] = {
		[MODE_CLONE] = "",          [MODE_VERIFY] = "verify",
		[MODE_PROBE] = "probe",     [MODE_STATUS] = "status",
		[MODE_RECOVER] = "recover", [MODE_CHECK_HOOK] = "check-hook",
		[MODE_DIFF] = "diff",       [MODE_EXPORT] = "export",
		[MODE_APPLY] = "apply",     [MODE_LIST] = "list",
		[MODE_DISCARD] = "discard", [MODE_RESTORE] = "restore",
		[MODE_HELP] = "help",       [MODE_VERSION] = "version",
	};

	return names[mode];
}

bool option_set_mode(struct command *c, const struct option_row *row, const char *value)
{
	enum mode mode = (enum mode)row->value;

	(void)value;
	if (c->mode != MODE_CLONE && c->mode != mode && mode < MODE_HELP &&
	    c->mode < MODE_HELP) {
		(void)fprintf(stderr, "%s: '--%s' excludes '--%s'\n", c->program,
			      option_mode_name(c->mode), row->name);
		return false;
	}
	if (c->mode < MODE_HELP)
		c->mode = mode;
	return true;
}

const char *option_first_given(const struct option_other *others, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (others[i].given)
			return others[i].name;
	}
	return NULL;
}

const char *option_cp_given(const struct command *c)
{
	const struct lull_cp *cp = &c->engine.cp;
	const struct option_other others[] = {
		{ c->backup, "--backup" },
		{ cp->recursive, "--recursive" },
		{ cp->hard_link, "--link" },
		{ cp->symbolic_link, "--symbolic-link" },
		{ cp->attributes_only, "--attributes-only" },
		{ cp->parents, "--parents" },
		{ cp->remove_destination, "--remove-destination" },
		{ cp->overwrite != LULL_OVERWRITE_YES, "--interactive or --no-clobber" },
		{ cp->update != LULL_UPDATE_ALL, "--update" },
	};

	return option_first_given(others, LENGTH(others));
}

bool option_excludes(const struct command *c, const char *what,
		     const struct option_other *others, size_t n)
{
	const char *other = option_first_given(others, n);

	return !other || option_mistake(c, "--%s and %s exclude each other", what, other);
}

bool option_try_help(const struct command *c)
{
	(void)fprintf(stderr, "Try '%s --help' for more information.\n", c->program);
	return false;
}

bool option_mistake(const struct command *c, const char *format, ...)
{
	va_list args;

	(void)fprintf(stderr, "%s: ", c->program);
	va_start(args, format);
	(void)vfprintf(stderr, format, args);
	va_end(args);
	(void)fputc('\n', stderr);
	return option_try_help(c);
}
