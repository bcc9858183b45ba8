/* SPDX-License-Identifier: MIT */
/* Turns what people type into numbers. Each returns false for what is not a value. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* The longest time that can be said: 31 years, which leaves room to add two. */
#define LULL_VALUE_LONGEST_NS 1000000000000000000ULL

/*
 * A TIME: decimal digits, optionally with a fraction, and one of ns us ms s m h; without
 * a unit, seconds. Returns nanoseconds, the fraction of one rounded down.
 */
bool lull_value_time(const char *text, uint64_t *ret_ns);

/*
 * A number of BYTES, more than 0: digits, and K, M, G or T for powers of 1024, which may
 * be spelled KiB and so on; KB, MB, GB and TB are powers of 1000.
 */
bool lull_value_bytes(const char *text, uint64_t *ret_bytes);

/* A whole number from min to max, in decimal digits alone. */
bool lull_value_number(const char *text, uint64_t min, uint64_t max,
		       uint64_t *ret_number);

/* One of the n choices, whole or an unambiguous beginning of one. */
bool lull_value_choice(const char *text, const char *const *choices, unsigned int n,
		       unsigned int *ret_index);
