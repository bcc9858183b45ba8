/* SPDX-License-Identifier: MIT */
/* Options that exclude or need each other. */
#pragma once

#include "command.h"

/* Checks the options after all have been read, and settles what they mean together.
   Returns false after a message. */
bool option_check(struct command *command);
