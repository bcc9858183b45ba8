// SPDX-License-Identifier: MIT
/* Quotes names for messages and shells: see quote.h. */
#include "quote.h"

#include <langinfo.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>
#include <wctype.h>

/* Returns the length of the printable character at s; 0 if there is none. */
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

/* Allocates a string in the ring of those that are reused in turn. */
static char *next_in_ring(size_t size)
{
	static char *ring[4];
	static unsigned int at;
	char *text = malloc(size);

	free(ring[at]);
	ring[at] = text;
	at = (at + 1) % 4;
	return text;
}

const char *quote(const char *name)
{
	/* Worst case: '' $'\ooo' for each byte. */
	char *text = next_in_ring(strlen(name) * 10 + 8);
	char *out = text;
	bool apostrophe = strchr(name, '\'') != NULL;
	bool plain = true;
	bool open = true;

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

const char *quote_if_needed(const char *name)
{
	/* '#' and '~' are special only at the beginning, a brace only alone. */
	if (!*name || strchr("#~", *name) || strcmp(name, "{") == 0 ||
	    strcmp(name, "}") == 0)
		return quote(name);
	for (const char *s = name; *s; s++) {
		/* A colon ends the name in a message. */
		if (!printable(s) || strchr("\"$`\\! '&()*;<=>?[^|:", *s))
			return quote(name);
	}
	return name;
}

const char *quote_word(const char *word)
{
	bool utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
	/* Worst case: \ooo for each byte. */
	char *text = next_in_ring(strlen(word) * 4 + 8), *out = text;

	if (!text)
		return word;
	out = stpcpy(out, utf8 ? "\xe2\x80\x98" : "'");
	while (*word) {
		size_t len = printable(word);

		if (len && *word != '\\' && (utf8 || *word != '\'')) {
			memcpy(out, word, len);
			out += len;
			word += len;
		} else if (len) {
			*out++ = '\\';
			*out++ = *word++;
		} else {
			out = escape(out, (unsigned char)*word++);
		}
	}
	(void)strcpy(out, utf8 ? "\xe2\x80\x99" : "'");
	return text;
}
