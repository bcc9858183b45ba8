// SPDX-License-Identifier: MIT
/* Quotes names for people and shells. */
#include "quote.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>
#include <wctype.h>

/* Length of the printable character at s, 0 if there is none. */
static size_t printable(const char *s)
{
	mbstate_t state = { 0 };
	wchar_t wide;
	size_t len = mbrtowc(&wide, s, strnlen(s, MB_LEN_MAX), &state);

	return len == 0 || len > MB_LEN_MAX || !iswprint((wint_t)wide) ? 0 : len;
}

static char *escape(char *out, unsigned char c)
{
	static const char letters[] = "\a\b\t\n\v\f\r";
	const char *known = c ? strchr(letters, c) : NULL;

	if (known)
		return out + sprintf(out, "\\%c", "abtnvfr"[known - letters]);
	return out + sprintf(out, "\\%03o", c);
}

const char *quote(const char *name)
{
	static char *ring[4];
	static unsigned int at;
	/* The worst: '' $'\ooo' for each byte. */
	char *text = malloc(strlen(name) * 10 + 8);
	char *out = text;
	bool apostrophe = strchr(name, '\'') != NULL;
	bool plain = true;
	bool open = true;

	free(ring[at]);
	ring[at] = text;
	at = (at + 1) % 4;
	if (!text)
		return name;
	for (const char *s = name; *s; s += printable(s) ? printable(s) : 1)
		plain = plain && printable(s) && !strchr("\"$`\\!", *s);
	if (apostrophe && plain) {
		(void)sprintf(text, "\"%s\"", name);
		return text;
	}

	*out++ = '\'';
	while (*name) {
		size_t len = printable(name);

		if (len && *name != '\'') {
			if (!open)
				out = stpcpy(out, "''");
			open = true;
			memcpy(out, name, len);
			out += len;
			name += len;
		} else if (*name == '\'') {
			out = stpcpy(out, open ? "'\\''" : "'\\''");
			open = true;
			name++;
		} else {
			out = stpcpy(out, open ? "'$'" : "");
			out = escape(out, (unsigned char)*name++);
			open = false;
		}
	}
	*out++ = '\'';
	*out = '\0';
	return text;
}
