/* SPDX-License-Identifier: MIT */
/* Sentences for what --restore refuses. */
#pragma once

#include "lullcp.h"

/* What was refused and why, to be freed; *ret_advice is what to do, if there is
   something. */
char *words_restore(const struct lull_failure *failure, const char **ret_advice);
