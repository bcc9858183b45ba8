/* SPDX-License-Identifier: MIT */
/* Options that exclude each other, or need one another. */
#pragma once

#include "command.h"

/* Once all are read: settles what they mean together. False after a message. */
bool option_check(struct command *command);
