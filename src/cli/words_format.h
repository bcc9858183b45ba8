/* SPDX-License-Identifier: MIT */
/* A sentence, and numbers for people. */
#pragma once

#include <stdint.h>

/* What asprintf(3) makes of it, to be freed; NULL without memory. */
char *format(const char *pattern, ...) __attribute__((format(printf, 1, 2)));

/* 1536 -> "1.5 KiB"; 12345678 -> "12.3 ms". Strings used in turn, eight stay valid. */
const char *words_bytes(uint64_t bytes);
const char *words_time(uint64_t ns);
