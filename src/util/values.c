// SPDX-License-Identifier: MIT
/* Parses times, sizes, numbers and choices. */
#include "util/values.h"

#include "util/macros.h"

#include <string.h>

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Returns unit * fraction / scale, rounded down. The product may overflow. scale must be
   less than 2^62. */
static uint64_t share(uint64_t unit, uint64_t fraction, uint64_t scale)
{
	uint64_t result = 0, rest = 0;

	for (unsigned int bit = 64; bit-- > 0;) {
		rest = 2 * rest + (unit >> bit & 1 ? fraction : 0);
		result = 2 * result + rest / scale;
		rest %= scale;
	}
	return result;
}

bool lull_value_time(const char *text, uint64_t *ret_ns)
{
	static const struct {
		const char *name;
		uint64_t ns;
	} units[] = {
		{ "", 1000000000ULL },
		{ "ns", 1 },
		{ "us", 1000 },
		{ "ms", 1000000 },
		{ "s", 1000000000ULL },
		{ "m", 60000000000ULL },
		{ "h", 3600000000000ULL },
	};
	const char *at = text;
	uint64_t whole = 0, fraction = 0, scale = 1, unit = 0;

	if (!is_digit(*at))
		return false;
	for (; is_digit(*at); at++) {
		if (whole > LULL_VALUE_LONGEST_NS / 10)
			return false;
		whole = whole * 10 + (uint64_t)(*at - '0');
	}
	if (*at == '.') {
		if (!is_digit(*++at))
			return false;
		for (; is_digit(*at); at++) {
			/* Twelve digits are less than a nanosecond, even of an hour. */
			if (scale >= 1000000000000ULL)
				continue;
			fraction = fraction * 10 + (uint64_t)(*at - '0');
			scale *= 10;
		}
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(units); i++) {
		if (strcmp(at, units[i].name) == 0)
			unit = units[i].ns;
	}
	if (unit == 0)
		return false;

	if (__builtin_mul_overflow(whole, unit, &whole) ||
	    __builtin_add_overflow(whole, share(unit, fraction, scale), &whole) ||
	    whole > LULL_VALUE_LONGEST_NS)
		return false;
	*ret_ns = whole;
	return true;
}

bool lull_value_bytes(const char *text, uint64_t *ret_bytes)
{
	static const char letters[] = "KMGT";
	uint64_t number = 0, unit = 1;
	const char *at = text;

	if (!is_digit(*at))
		return false;
	for (; is_digit(*at); at++) {
		if (number > (UINT64_MAX - 9) / 10)
			return false;
		number = number * 10 + (uint64_t)(*at - '0');
	}
	if (*at) {
		const char *letter = strchr(letters, *at);
		uint64_t base = strcmp(at + 1, "B") == 0 ? 1000 : 1024;

		if (!letter || (at[1] && base == 1024 && strcmp(at + 1, "iB") != 0))
			return false;
		for (; letter >= letters; letter--)
			unit *= base;
	}
	if (number == 0 || __builtin_mul_overflow(number, unit, &number))
		return false;
	*ret_bytes = number;
	return true;
}

bool lull_value_number(const char *text, uint64_t min, uint64_t max, uint64_t *ret_number)
{
	uint64_t number = 0;

	if (*text == '\0')
		return false;
	for (; *text; text++) {
		if (!is_digit(*text) || number > (UINT64_MAX - 9) / 10)
			return false;
		number = number * 10 + (uint64_t)(*text - '0');
	}
	if (number < min || number > max)
		return false;
	*ret_number = number;
	return true;
}

bool lull_value_choice(const char *text, const char *const *choices, unsigned int n,
		       unsigned int *ret_index)
{
	unsigned int found = 0;

	for (unsigned int i = 0; i < n; i++) {
		if (strcmp(text, choices[i]) == 0) {
			*ret_index = i;
			return true;
		}
		if (*text && strncmp(text, choices[i], strlen(text)) == 0) {
			*ret_index = i;
			found++;
		}
	}
	return found == 1;
}
