/* SPDX-License-Identifier: MIT */
/* File names for messages, as cp writes them. */
#pragma once

/*
 * The name in quotes, such that a shell would read it back and a terminal is not touched
 * by what is in it: 'plain', "it's", 'with'$'\n''newline'. The string is one of a few
 * that are used in turn; four at a time stay valid.
 */
const char *quote(const char *name);

/* The same, but as it is if no shell would see anything in it but the name. */
const char *quote_if_needed(const char *name);

/* A word of the command line, in the quotes of the locale; not for a shell. */
const char *quote_word(const char *word);
