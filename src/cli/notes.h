/* SPDX-License-Identifier: MIT */
/* The sentences of cp for the notes of lull_copy(). */
#pragma once

#include "lullcp.h"

/* Returns the sentence, without the program's name and a line feed. To be freed; NULL
   without memory. */
char *notes_words(const struct lull_note *note);

/* Returns true for a note that is not a complaint and so goes to standard output. */
bool notes_is_report(const struct lull_note *note);

/* Returns the question, to be freed; NULL without memory. */
char *notes_question(const struct lull_question *question);
