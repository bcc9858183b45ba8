/* SPDX-License-Identifier: MIT */
/* Which word somebody may have meant. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/*
 * True if one of text, of len bytes, and word becomes the other by few changes for its
 * length: a letter that is missing, too many, another one, or two that are swapped, each
 * third letter at most. ret_changes gets how many, 0 for equal ones; words over 31 bytes
 * are never near.
 */
bool suggest_near(const char *text, size_t len, const char *word,
		  unsigned int *ret_changes);
