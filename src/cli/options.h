/* SPDX-License-Identifier: MIT */
/* The command line: one table for the parser, --help and the completion. */
#pragma once

#include "command.h"

#include <stdbool.h>

/*
 * Reads argv. Returns false after a message. The command keeps pointers into argv.
 */
bool options_parse(int argc, char **argv, struct command *ret_command);

/* Prints the text of --help on standard output. */
void options_help(const struct command *command);
