/* SPDX-License-Identifier: MIT */
/* Parses what users type. Each function returns false if text is not valid. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* The longest time: 31 years, so that two can be added. */
#define LULL_VALUE_LONGEST_NS 1000000000000000000ULL

/*
 * Parses a TIME: decimal digits, optionally with a fraction, and one of ns us ms s m h;
 * without a unit, seconds. Returns nanoseconds, rounded down.
 */
bool lull_value_time(const char *text, uint64_t *ret_ns);

/*
 * Parses a number of BYTES, more than 0: digits, and K, M, G or T for powers of 1024,
 * which may be written KiB and so on. KB, MB, GB and TB are powers of 1000.
 */
bool lull_value_bytes(const char *text, uint64_t *ret_bytes);

/* Parses an integer from min to max, in decimal digits only. */
bool lull_value_number(const char *text, uint64_t min, uint64_t max,
		       uint64_t *ret_number);

/* Finds one of n choices, by its full name or an unambiguous prefix. */
bool lull_value_choice(const char *text, const char *const *choices, unsigned int n,
		       unsigned int *ret_index);
