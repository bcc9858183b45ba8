// SPDX-License-Identifier: MIT
/* Any text as a time and as a number: refused, or within its range. */
#include "fuzz.h"

#include "util/values.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void try_time(const char *text)
{
	uint64_t ns = 42, again;
	char plain[32];

	if (!lull_value_time(text, &ns)) {
		if (ns != 42)
			abort();
		return;
	}
	if (ns > LULL_VALUE_LONGEST_NS || *text < '0' || *text > '9')
		abort();
	/* What it means can be said in nanoseconds, and means the same. */
	(void)snprintf(plain, sizeof(plain), "%lluns", (unsigned long long)ns);
	if (!lull_value_time(plain, &again) || again != ns)
		abort();
}

static void try_number(const char *text, uint64_t min, uint64_t max)
{
	uint64_t number = 42;
	bool good = lull_value_number(text, min, max, &number);

	if (good ? number < min || number > max ||
			    strspn(text, "0123456789") != strlen(text)
		 : number != 42)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	if (!text)
		return 0;
	if (size > 0)
		memcpy(text, data, size);
	text[size] = '\0';
	try_time(text);
	try_number(text, 0, UINT64_MAX);
	try_number(text, 1, 100);
	try_number(text, 0, 0);
	free(text);
	return 0;
}
