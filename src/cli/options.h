/* SPDX-License-Identifier: MIT */
/* The command line: one table for the parser, --help and the completion. */
#pragma once

#include "lullcp.h"

#include <stdbool.h>

enum mode { MODE_CLONE, MODE_VERIFY, MODE_PROBE, MODE_STATUS, MODE_RECOVER, MODE_HELP, MODE_VERSION };

enum progress_when { PROGRESS_AUTO, PROGRESS_ALWAYS, PROGRESS_NEVER };

struct command {
	enum mode mode;
	struct lull_options engine;
	enum progress_when progress; /* --progress */
	bool json;                   /* --json */
	bool histogram;              /* --histogram */
	bool verbose;                /* -v */
	bool quiet;                  /* -q */
	bool no_target_directory;    /* -T */
	const char *target_directory; /* -t, or NULL */
	const char *program;         /* what messages begin with */
	const char *source;          /* operands, as given */
	const char *dest;
	char *made_dest;             /* what dest points to, if it was made from a directory */
};

/*
 * Reads argv. On a mistake says what is wrong on standard error and gives false. The
 * command keeps pointers into argv.
 */
bool options_parse(int argc, char **argv, struct command *ret_command);

/* The text of --help, on standard output. */
void options_help(const struct command *command);
