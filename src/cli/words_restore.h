/* SPDX-License-Identifier: MIT */
/* Sentences for what --restore refuses. */
#pragma once

#include "lullcp.h"

/* Returns what was refused and why, to be freed. Sets *ret_advice if there is any. */
char *words_restore(const struct lull_failure *failure, const char **ret_advice);
