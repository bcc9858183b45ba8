/* SPDX-License-Identifier: MIT */
/* The value of --keep. */
#pragma once

#include "lullcp.h"

/*
 * N, or rules as last:7,daily:30: each word once, each number from 1, no more than
 * LULL_KEEP_MOST in all. NULL, or in words what is wrong with it.
 */
const char *keep_option_read(const char *text, struct lull_keep_rules *ret_rules);
