/* SPDX-License-Identifier: MIT */
/* File names for messages, as cp writes them. */
#pragma once

/*
 * Returns the quoted name, which a shell reads back and of which no byte affects a
 * terminal: 'plain', "it's", 'with'$'\n''newline'. The string is reused in turn; the last
 * four are valid.
 */
const char *quote(const char *name);

/* As quote(), but returns the name itself if a shell would read it as just that. */
const char *quote_if_needed(const char *name);

/* Quotes a word of the command line with the locale's quotes; not for a shell. */
const char *quote_word(const char *word);
