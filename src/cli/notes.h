/* SPDX-License-Identifier: MIT */
/* The sentences of cp, for what lull_copy() has to say about an entry. */
#pragma once

#include "lullcp.h"

/* The sentence, without the name of the program and without a line feed; to be freed.
   NULL: out of memory. */
char *notes_words(const struct lull_note *note);

/* True for what is no complaint: it goes to standard output. */
bool notes_is_report(const struct lull_note *note);

/* The question, to be freed; NULL: out of memory. */
char *notes_question(const struct lull_question *question);
