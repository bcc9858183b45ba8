/* SPDX-License-Identifier: MIT */
/* Names of generations, where changes are carried from one to the next. */
#pragma once

#include <stdbool.h>

/* What a stream calls that file: the last part of its path, cut to what a record
   holds. */
void lull_row_name(const char *path, char *ret_name, unsigned int size);

/*
 * False if both names are those of generations, each with its date at the end, and the
 * dates differ. The rest of the name may be another at the other end.
 */
bool lull_row_may_be(const char *a, const char *b);
