// SPDX-License-Identifier: MIT
/* What the setters of options share: see option_row.h. */
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

bool option_set_flag(struct command *c, const struct option_row *row, const char *value)
{
	(void)value;
	*(bool *)(void *)((char *)c + row->field) = true;
	return true;
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
