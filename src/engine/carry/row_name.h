/* SPDX-License-Identifier: MIT */
/* The names of generations when changes are carried from one to the next. */
#pragma once

#include <stdbool.h>

/* Makes the name of a file in a stream: the last part of its path, cut off at the longest
   name of a record. */
void lull_row_name(const char *path, char *ret_name, unsigned int size);

/*
 * Returns false if both names are those of generations, with dates at their ends, and the
 * dates differ. The rest of the name may be another at the other end.
 */
bool lull_row_may_be(const char *a, const char *b);
