/* SPDX-License-Identifier: MIT */
/* What came of a freeze, and of the thaw after it. */
#pragma once

#include "lullcp.h"

/*
 * The message of a failure of stage LULL_STAGE_HOOK, to be freed, NULL without memory;
 * *ret_advice is what to do next, or NULL.
 */
char *words_hook(enum lull_outcome outcome, const struct lull_failure *failure,
		 const char **ret_advice);
