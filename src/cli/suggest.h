/* SPDX-License-Identifier: MIT */
/* Guesses which word was meant. Makes no system call. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/*
 * Returns true if text (len bytes) is near word: at most one change for each three
 * letters of the shorter. A change adds, removes or replaces a letter, or exchanges two
 * neighbours. Sets *ret_changes to their number, 0 for equal words. Words over 31 bytes
 * are never near.
 */
bool suggest_near(const char *text, size_t len, const char *word,
		  unsigned int *ret_changes);
