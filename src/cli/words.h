/* SPDX-License-Identifier: MIT */
/* What the engine reports, in words. */
#pragma once

#include "lullcp.h"
#include "words_format.h"

/*
 * One sentence for a failure, and what to do about it, or NULL where there is nothing to
 * say. The caller frees *ret_message, not *ret_advice; NULL: out of memory.
 */
void words_failure(enum lull_outcome outcome, const struct lull_failure *failure,
		   char **ret_message, const char **ret_advice);

/* Why a private directory cannot be used, from its errno; static, or as strerror()
   says. */
const char *words_private(int err);

/* One sentence for a warning; to be freed. NULL: out of memory. */
char *words_warning(enum lull_warning warning, int err, const char *path);

/* The exit status of an outcome, as EXIT STATUS in lullcp(1) has it. */
int words_exit_status(enum lull_outcome outcome);

/* The outcome in the JSON summary. */
const char *words_result(enum lull_outcome outcome);

/* An enum lull_call, with its article. */
const char *words_call(int call);

/* A sentence for one advice (enum lull_advice); NULL if advice is none. */
const char *words_advice(unsigned int advice);

/* Why a method would be chosen, as the end of a sentence; never NULL. */
const char *words_method(enum lull_method method);
