/* SPDX-License-Identifier: MIT */
/* The options that cp has too. */
#pragma once

#include "option_row.h"

extern const struct option_row cp_options[];
extern const unsigned int n_cp_options;

/* Sets cp's defaults. */
void cp_options_init(struct command *command);

/* Checks which options exclude each other, and applies the environment. Returns false
   after a message. */
bool cp_options_check(struct command *command);
