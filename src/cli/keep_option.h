/* SPDX-License-Identifier: MIT */
/* The value of --keep. */
#pragma once

#include "lullcp.h"

#include <stddef.h>

/* What is wrong with a value. */
struct keep_mistake {
	const char *wrong; /* the rest of a sentence about the part */
	const char *part;  /* within the value */
	size_t len;        /* 0: the part is all of the value, or nothing */
};

/*
 * N, or rules as last:7,daily:30: each word once, each number from 1, no more than
 * LULL_KEEP_MOST in all. False, with *ret_mistake set, if it is something else.
 */
bool keep_option_read(const char *text, struct lull_keep_rules *ret_rules,
		      struct keep_mistake *ret_mistake);
