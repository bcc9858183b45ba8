/* SPDX-License-Identifier: MIT */
/* File names for messages, as cp writes them. */
#pragma once

/*
 * The name in quotes, such that a shell would read it back and a terminal is not touched
 * by what is in it: 'plain', "it's", 'with'$'\n''newline'. The string is one of a few
 * that are used in turn; four at a time stay valid.
 */
const char *quote(const char *name);
