/* SPDX-License-Identifier: MIT */
/* The engine's reports in words. */
#pragma once

#include "lullcp.h"
#include "words_format.h"

/*
 * Makes one sentence about a failure, and advice, or NULL if there is none. The caller
 * frees *ret_message, not *ret_advice. *ret_message is NULL without memory.
 */
void words_failure(enum lull_outcome outcome, const struct lull_failure *failure,
		   char **ret_message, const char **ret_advice);

/* Returns why a private directory cannot be used, from an errno; static, or from
   strerror(). */
const char *words_private(int err);

/* Returns one sentence for a warning, to be freed; NULL without memory. */
char *words_warning(enum lull_warning warning, int err, const char *path);

/* Returns the exit status of an outcome, as under EXIT STATUS in lullcp(1). */
int words_exit_status(enum lull_outcome outcome);

/* Returns the name of an outcome in the JSON summary. */
const char *words_result(enum lull_outcome outcome);

/* Returns the words for an enum lull_call, with article. */
const char *words_call(int call);

/* Returns a sentence for an enum lull_advice; NULL if it is none. */
const char *words_advice(unsigned int advice);

/* Returns why a method would be chosen, as the end of a sentence; never NULL. */
const char *words_method(enum lull_method method);
