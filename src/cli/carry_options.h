/* SPDX-License-Identifier: MIT */
/* The options of --diff, --export and --apply. */
#pragma once

#include "option_row.h"

/* Setters of option rows. Return false after a message. */
bool carry_set_diff(struct command *c, const struct option_row *row, const char *value);
bool carry_set_format(struct command *c, const struct option_row *row, const char *value);
bool carry_set_rate(struct command *c, const struct option_row *row, const char *value);

/* Refuses the options that these modes do not take. Returns false after a message. */
bool carry_options_check(const struct command *c);

/* Takes the n operands of one of these modes. Returns false after a message. */
bool carry_operands_take(struct command *c, int n, char **operand);
