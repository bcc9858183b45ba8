/* SPDX-License-Identifier: MIT */
/* Texts on the heap. */
#pragma once

#include "util/macros.h"

#include <stdint.h>

/* What asprintf(3) makes of it, to be freed; NULL without memory. */
char *lull_text(const char *format, ...) _printf_(1, 2);

/* A copy, to be freed; NULL of NULL, or without memory. */
char *lull_text_copy(const char *text);

/* 64 bits of which names on disk are made: it never changes. */
uint64_t lull_text_hash(const char *text);
