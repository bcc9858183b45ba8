/* SPDX-License-Identifier: MIT */
/* The value of --keep. */
#pragma once

#include "lullcp.h"

#include <stddef.h>

/* What is wrong with a value. */
struct keep_mistake {
	const char *wrong; /* the rest of a sentence that begins with the part */
	const char *part;  /* points into the value */
	size_t len;        /* 0: the part is the complete value, or empty */
};

/*
 * Reads N, or rules such as last:7,daily:30: each word at most once, each number at least
 * 1, and no more than LULL_KEEP_MOST together. Returns false and sets *ret_mistake for
 * anything else.
 */
bool keep_option_read(const char *text, struct lull_keep_rules *ret_rules,
		      struct keep_mistake *ret_mistake);
