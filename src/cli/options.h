/* SPDX-License-Identifier: MIT */
/* The command line: one table for the parser, --help and the completion. */
#pragma once

#include "lullcp.h"

#include <stdbool.h>
#include <stddef.h>

enum mode {
	MODE_CLONE,
	MODE_VERIFY,
	MODE_PROBE,
	MODE_STATUS,
	MODE_RECOVER,
	MODE_CHECK_HOOK,
	MODE_HELP,
	MODE_VERSION,
};

enum progress_when { PROGRESS_AUTO, PROGRESS_ALWAYS, PROGRESS_NEVER };

struct command {
	enum mode mode;
	struct lull_options engine;
	enum progress_when progress; /* --progress */
	bool json;                   /* --json */
	bool histogram;              /* --histogram */
	bool summary;                /* --summary */
	bool quiet;                  /* -q */
	bool no_target_directory;    /* -T */
	const char *target_directory; /* -t, or NULL; MODE_CLONE: the directory to copy into */
	int target_fd;               /* open on it */
	bool backup;                 /* -b, --backup, -S */
	const char *backup_control;  /* --backup=CONTROL, or NULL */
	const char *backup_suffix;   /* -S, or NULL */
	bool keep_context;           /* --preserve=context */
	bool copy_contents;          /* --copy-contents */
	bool reflink_given;          /* --reflink, whatever its value */
	bool said;                   /* a mistake has been told in full */
	const char *check_hook;      /* --check-hook, or NULL */
	const char *const *sources;  /* MODE_CLONE: the operands but for DEST; MODE_CHECK_HOOK */
	unsigned int n_sources;
	const char *program;         /* what messages begin with */
	const char *source;          /* operands, as given */
	const char *dest;
	char *made_dest;             /* what dest points to, if it was made from a directory */
	char *private_directory;     /* what engine.state_directory points to */
};

/*
 * A row of the option table, or the heading of a group, which has neither name nor letters.
 * The parser, --help and (by parsing that) the completion all come from it.
 */
struct option_row {
	const char *name;     /* NULL: only letters */
	const char *letters;  /* NULL: only a name */
	const char *argument; /* NULL: takes none; "[X]": may be left out */
	bool (*set)(struct command *command, const struct option_row *row, const char *value);
	size_t field;         /* for the setters that write to one place */
	const char *help;     /* or the heading; a line break goes on in the column. NULL: an
	                         older name that cp still takes */
};

#define OPTION_FIELD(f) offsetof(struct command, f)

/* Setters that several groups use: false after a message. */
bool options_set_flag(struct command *c, const struct option_row *row, const char *value);

/*
 * One of the n words, whole or an unambiguous beginning of one; words of one code mean the
 * same. Says so as cp does if it is none: what is the option or the variable.
 */
struct option_word {
	const char *word;
	int code;
};
bool options_choose(const struct command *c, const char *what, const char *value,
		    const struct option_word *words, unsigned int n, int *ret_code);

/* Says what is wrong, and where to find help. Gives false. */
bool options_mistake(const struct command *c, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/*
 * Reads argv. On a mistake says what is wrong on standard error and gives false. The
 * command keeps pointers into argv.
 */
bool options_parse(int argc, char **argv, struct command *ret_command);

/* The text of --help, on standard output. */
void options_help(const struct command *command);
