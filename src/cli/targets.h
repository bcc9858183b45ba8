/* SPDX-License-Identifier: MIT */
/* What the operands mean: sources, DEST or a directory to copy into. */
#pragma once

#include "command.h"

/* Takes them into the command. False after a message. */
bool targets_take(struct command *command, int n, char **operand);
