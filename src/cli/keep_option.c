// SPDX-License-Identifier: MIT
/* The value of --keep: see keep_option.h. */
#include "keep_option.h"

#include "values.h"

#include <stdio.h>
#include <string.h>

static bool read_number(const char *text, size_t len, unsigned int *ret_number)
{
	char digits[16];
	uint64_t number;

	if (len >= sizeof(digits))
		return false;
	(void)snprintf(digits, sizeof(digits), "%.*s", (int)len, text);
	if (!values_number(digits, 1, LULL_KEEP_MOST, &number))
		return false;
	*ret_number = (unsigned int)number;
	return true;
}

static bool find_kind(const char *text, size_t len, unsigned int *ret_kind)
{
	for (unsigned int kind = 0; kind < LULL_KEEP_KINDS; kind++) {
		const char *name = lull_keep_name((enum lull_keep_kind)kind);

		if (strlen(name) == len && strncmp(name, text, len) == 0) {
			*ret_kind = kind;
			return true;
		}
	}
	return false;
}

const char *keep_option_read(const char *text, struct lull_keep_rules *ret_rules)
{
	static const char *const usage =
		"It is a whole number from 1 to 1000, or rules: last:N, hourly:N, "
		"daily:N,\nweekly:N, monthly:N and yearly:N, with a comma between them.";
	unsigned int all = 0;

	*ret_rules = (struct lull_keep_rules){ 0 };
	if (read_number(text, strlen(text), &ret_rules->n[LULL_KEEP_LAST]))
		return NULL;
	for (;;) {
		size_t len = strcspn(text, ","), word = strcspn(text, ":,");
		unsigned int kind, number;

		if (word >= len || !find_kind(text, word, &kind) ||
		    !read_number(text + word + 1, len - word - 1, &number))
			return usage;
		if (ret_rules->n[kind] > 0)
			return "A rule is given twice.";
		ret_rules->n[kind] = number;
		all += number;
		if (all > LULL_KEEP_MOST)
			return "The rules keep more than 1000 in all.";
		if (text[len] == '\0')
			return NULL;
		text += len + 1;
	}
}
