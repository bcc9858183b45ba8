/* SPDX-License-Identifier: MIT */
/* A sentence, and numbers for people. */
#pragma once

#include "lullcp.h"

#include <stdint.h>

/* What asprintf(3) makes of it, to be freed; NULL without memory. */
char *format(const char *pattern, ...) __attribute__((format(printf, 1, 2)));

/* 1536 -> "1.5 KiB"; 12345678 -> "12.3 ms". Strings used in turn, eight stay valid. */
const char *words_bytes(uint64_t bytes);

/* Bytes that are done, of all: of --apply those of the base are some as well. */
uint64_t words_done(const struct lull_progress *progress);
uint64_t words_all(const struct lull_progress *progress);
unsigned int words_percent(const struct lull_progress *progress);
const char *words_time(uint64_t ns);
