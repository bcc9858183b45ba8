/* SPDX-License-Identifier: MIT */
/* Sentences for failures of a freeze and of the thaw after it. */
#pragma once

#include "lullcp.h"

/*
 * Returns the message for a failure of stage LULL_STAGE_HOOK, to be freed; NULL without
 * memory. Sets *ret_advice to what to do next, or NULL.
 */
char *words_hook(enum lull_outcome outcome, const struct lull_failure *failure,
		 const char **ret_advice);
