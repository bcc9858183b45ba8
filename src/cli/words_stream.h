/* SPDX-License-Identifier: MIT */
/* Sentences for failures of --export and --apply. */
#pragma once

#include "lullcp.h"

/* As words_failure(), for failures of the stages LULL_STAGE_STREAM_IN and _OUT. */
char *words_stream(const struct lull_failure *failure, const char **ret_advice);
