/* SPDX-License-Identifier: MIT */
/* The options that cp has. */
#pragma once

#include "option_row.h"

extern const struct option_row cp_options[];
extern const unsigned int n_cp_options;

/* What cp has without a word about it. */
void cp_options_init(struct command *command);

/* What excludes what, and what follows from the environment. False after a message. */
bool cp_options_check(struct command *command);
