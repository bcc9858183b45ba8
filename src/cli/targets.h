/* SPDX-License-Identifier: MIT */
/* What the operands mean: sources, DEST or a directory to copy into. */
#pragma once

#include "command.h"

/* Takes the n operands into the command. Returns false after a message. */
bool targets_take(struct command *command, int n, char **operand);
