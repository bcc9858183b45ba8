// SPDX-License-Identifier: MIT
/* Fills in sentences and formats numbers: see words_format.h. */
#include "words_format.h"

#include "quote.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *format(const char *pattern, ...)
{
	va_list args;
	char *text = NULL;

	va_start(args, pattern);
	if (vasprintf(&text, pattern, args) < 0)
		text = NULL;
	va_end(args);
	return text;
}

static void put(FILE *out, char what, const struct words_of *of)
{
	switch (what) {
	case '1':
		(void)fputs(of->name, out);
		break;
	case '2':
		(void)fputs(of->other, out);
		break;
	case 'w':
		(void)fputs(of->word, out);
		break;
	case 'e':
		(void)fputs(strerror(of->err), out);
		break;
	case 'd':
		(void)fprintf(out, "%d", of->detail);
		break;
	default:
		(void)fprintf(out, "%llu", what == 'o' ? of->off : of->len);
	}
}

char *words_say(const char *sentence, const struct words_of *of)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	for (const char *s = sentence; *s; s++) {
		if (*s == '%')
			put(out, *++s, of);
		else
			(void)fputc(*s, out);
	}
	if (fclose(out) == 0)
		return text;
	free(text);
	return NULL;
}

char *words_choose(const struct words_row *rows, int key, const struct words_of *of,
		   const char **ret_advice)
{
	while (rows->key != key && rows->key != WORDS_ELSE)
		rows++;
	if (rows->advice)
		*ret_advice = rows->advice;
	return words_say(rows->sentence, of);
}

struct words_of words_of_failure(const struct lull_failure *f, const char *name,
				 const char *other)
{
	return (struct words_of){
		.name = f->path ? quote(f->path) : name,
		.other = f->path2 ? quote(f->path2) : other,
		.word = "",
		.err = f->err,
		.detail = f->detail,
		.off = f->off,
		.len = f->len,
	};
}

const char *words_bytes(uint64_t bytes)
{
	static char ring[8][32];
	static unsigned int at;
	static const char *const units[] = { "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
	char *text = ring[at++ % 8];
	double value = (double)bytes;
	int unit = -1;

	while (value >= (unit < 0 ? 1024 : 1023.5) && unit < 5) {
		value /= 1024;
		unit++;
	}
	if (unit < 0)
		(void)snprintf(text, sizeof(ring[0]), "%llu B",
			       (unsigned long long)bytes);
	else
		(void)snprintf(text, sizeof(ring[0]), value < 10 ? "%.1f %s" : "%.0f %s",
			       value, units[unit]);
	return text;
}

const char *words_time(uint64_t ns)
{
	static char ring[8][32];
	static unsigned int at;
	char *text = ring[at++ % 8];
	size_t size = sizeof(ring[0]);
	double us = (double)ns / 1000;
	uint64_t s = ns / 1000000000ULL;

	if (us < 1000)
		(void)snprintf(text, size, us < 10 ? "%.1f us" : "%.0f us", us);
	else if (us < 1e6)
		(void)snprintf(text, size, us < 1e4 ? "%.1f ms" : "%.0f ms", us / 1000);
	else if (us < 60e6)
		(void)snprintf(text, size, us < 10e6 ? "%.1f s" : "%.0f s", us / 1e6);
	else if (s < 3600)
		(void)snprintf(text, size, "%llu:%02llu min",
			       (unsigned long long)(s / 60),
			       (unsigned long long)(s % 60));
	else
		(void)snprintf(text, size, "%llu:%02llu h",
			       (unsigned long long)(s / 3600),
			       (unsigned long long)(s / 60 % 60));
	return text;
}

uint64_t words_done(const struct lull_progress *progress)
{
	return progress->walked + progress->offset;
}

uint64_t words_all(const struct lull_progress *progress)
{
	return progress->walked + progress->size + progress->to_walk;
}

unsigned int words_percent(const struct lull_progress *progress)
{
	uint64_t all = words_all(progress);

	return all ? (unsigned int)((double)words_done(progress) / (double)all * 100) : 0;
}
