// SPDX-License-Identifier: MIT
/* Makes strings on the heap. */
#include "util/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

char *lull_text(const char *format, ...)
{
	va_list args;
	char *text;

	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		text = NULL;
	va_end(args);
	return text;
}

char *lull_text_copy(const char *text)
{
	return text ? strdup(text) : NULL;
}

uint64_t lull_text_hash(const char *text)
{
	uint64_t hash = 0xcbf29ce484222325ULL; /* FNV-1a */

	for (; *text; text++)
		hash = (hash ^ (unsigned char)*text) * 0x100000001b3ULL;
	return hash;
}
