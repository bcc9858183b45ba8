/* SPDX-License-Identifier: MIT */
/* Makes strings on the heap. */
#pragma once

#include "util/macros.h"

#include <stdint.h>

/* Formats like asprintf(3). To be freed; NULL without memory. */
char *lull_text(const char *format, ...) _printf_(1, 2);

/* Returns a copy, to be freed; NULL for NULL, or without memory. */
char *lull_text_copy(const char *text);

/* Returns a hash of 64 bits. Names on disk contain it, so it must never change. */
uint64_t lull_text_hash(const char *text);
