/* SPDX-License-Identifier: MIT */
/* Fills in sentences and formats numbers for messages. */
#pragma once

#include "lullcp.h"

#include <stdint.h>

#define LENGTH(a) (sizeof(a) / sizeof((a)[0]))

/* As asprintf(3). Returns the text, to be freed; NULL without memory. */
char *format(const char *pattern, ...) __attribute__((format(printf, 1, 2)));

/* Values for a sentence. In it %1 and %2 are name and other, %w is word, %e the errno in
   words, and %d, %o and %l are the last three. */
struct words_of {
	const char *name, *other; /* in quotes */
	const char *word;
	int err;
	int detail;
	unsigned long long off, len;
};

/* A sentence, and advice or NULL, for a key. The last row of a table is for all other
   keys. */
struct words_row {
	int key;
	const char *sentence;
	const char *advice;
};
#define WORDS_ELSE (-1)

/* Returns the sentence filled in, to be freed; NULL without memory. */
char *words_say(const char *sentence, const struct words_of *of);

/* As words_say(), with the sentence of a table. Leaves *ret_advice unchanged if the row
   has none. */
char *words_choose(const struct words_row *rows, int key, const struct words_of *of,
		   const char **ret_advice);

/* Returns the values for a failure: its paths, or name and other if there are none. */
struct words_of words_of_failure(const struct lull_failure *failure, const char *name,
				 const char *other);

/* 1536 -> "1.5 KiB"; 12345678 -> "12.3 ms". The strings are reused in turn; the last
   eight are valid. */
const char *words_bytes(uint64_t bytes);

/* Bytes done and bytes in all; with --apply these include those of the base. */
uint64_t words_done(const struct lull_progress *progress);
uint64_t words_all(const struct lull_progress *progress);
unsigned int words_percent(const struct lull_progress *progress);
const char *words_time(uint64_t ns);
