// SPDX-License-Identifier: MIT
/* The value of --keep: see keep_option.h. */
#include "keep_option.h"

#include "util/values.h"

#include <stdio.h>
#include <string.h>

static bool read_number(const char *text, size_t len, unsigned int *ret_number)
{
	char digits[16];
	uint64_t number;

	if (len >= sizeof(digits))
		return false;
	(void)snprintf(digits, sizeof(digits), "%.*s", (int)len, text);
	if (!lull_value_number(digits, 1, LULL_KEEP_MOST, &number))
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

/* Returns what is wrong with the rule of len bytes at text, or NULL. */
static const char *read_rule(const char *text, size_t len, struct lull_keep_rules *rules,
			     unsigned int *all)
{
	size_t word = strcspn(text, ":,");
	unsigned int kind, number;

	if (len == 0)
		return "has a comma with no rule beside it";
	if (!find_kind(text, word < len ? word : len, &kind))
		return "is not a rule";
	if (word >= len)
		return "lacks its number";
	if (!read_number(text + word + 1, len - word - 1, &number))
		return "has no whole number from 1 to 1000";
	if (rules->n[kind] > 0)
		return "is given twice";
	rules->n[kind] = number;
	*all += number;
	return *all > LULL_KEEP_MOST ? "makes more than 1000 in all" : NULL;
}

bool keep_option_read(const char *text, struct lull_keep_rules *ret_rules,
		      struct keep_mistake *ret_mistake)
{
	const char *all_of_it = text;
	unsigned int all = 0;

	*ret_rules = (struct lull_keep_rules){ 0 };
	if (*text == '\0') {
		*ret_mistake = (struct keep_mistake){ .wrong = "is empty", .part = text };
		return false;
	}
	if (read_number(text, strlen(text), &ret_rules->n[LULL_KEEP_LAST]))
		return true;
	for (;;) {
		size_t len = strcspn(text, ",");
		const char *wrong = read_rule(text, len, ret_rules, &all);

		if (wrong) {
			/* Do not name the part if it is all of the value: the message
			   names that. */
			bool whole = text == all_of_it && text[len] == '\0';

			*ret_mistake = (struct keep_mistake){
				.wrong = wrong,
				.part = text,
				.len = whole ? 0 : len,
			};
			return false;
		}
		if (text[len] == '\0')
			return true;
		text += len + 1;
	}
}
