/* SPDX-License-Identifier: MIT */
/* A sentence, and numbers for people. */
#pragma once

#include "lullcp.h"

#include <stdint.h>

#define LENGTH(a) (sizeof(a) / sizeof((a)[0]))

/* What asprintf(3) makes of it, to be freed; NULL without memory. */
char *format(const char *pattern, ...) __attribute__((format(printf, 1, 2)));

/* What a sentence speaks of. In it, %1 and %2 are name and other, %w is word, %e the
   errno in words, and %d, %o and %l are the last three. */
struct words_of {
	const char *name, *other; /* in quotes */
	const char *word;
	int err;
	int detail;
	unsigned long long off, len;
};

/* A sentence, and what to do about it or NULL, for each key; the last row of a table is
   for all others. */
struct words_row {
	int key;
	const char *sentence;
	const char *advice;
};
#define WORDS_ELSE (-1)

/* A sentence filled in, to be freed; NULL without memory. */
char *words_say(const char *sentence, const struct words_of *of);

/* The same from a table. *ret_advice is left as it is where the row has none. */
char *words_choose(const struct words_row *rows, int key, const struct words_of *of,
		   const char **ret_advice);

/* Of a failure: its paths, or what is said in their place. */
struct words_of words_of_failure(const struct lull_failure *failure, const char *name,
				 const char *other);

/* 1536 -> "1.5 KiB"; 12345678 -> "12.3 ms". Strings used in turn, eight stay valid. */
const char *words_bytes(uint64_t bytes);

/* Bytes that are done, of all: of --apply those of the base are some as well. */
uint64_t words_done(const struct lull_progress *progress);
uint64_t words_all(const struct lull_progress *progress);
unsigned int words_percent(const struct lull_progress *progress);
const char *words_time(uint64_t ns);
