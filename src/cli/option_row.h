/* SPDX-License-Identifier: MIT */
/* A row of the option table, and functions for the setters of all groups. */
#pragma once

#include "command.h"
#include "words_format.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * A row of the option table, or the heading of a group, which has neither name nor
 * letters. The parser and --help read this table; the completion parses --help.
 */
struct option_row {
	const char *name;     /* NULL if there are only letters */
	const char *letters;  /* NULL if there is only a name */
	const char *argument; /* NULL if it takes none; "[X]" if it is optional */
	bool (*set)(struct command *command, const struct option_row *row,
		    const char *value);
	size_t field; /* offset that set writes to, if it serves several options */
	int value;    /* value that set writes if the argument does not give it */
	/* Help text, or the heading; text after a line break continues in the column.
	   NULL: an older name that cp still accepts. */
	const char *help;
};

/* The offset of a field of struct command. Does not compile unless the field has that
   type. */
#define OPTION_FIELD(type, f)          \
	(offsetof(struct command, f) + \
	 0 * sizeof(char[_Generic(((struct command *)NULL)->f, type : 1)]))

/* The last members of a row: its own setter, one with a value, for a flag, or for a mode.
   Or of a heading. */
#define OWN(set)              set, 0, 0
#define WITH(set, value)      set, 0, value
#define FLAG(f)               option_set_flag, OPTION_FIELD(bool, f), 0
#define MODE(mode)            option_set_mode, 0, mode
#define VALUE(type, f, value) option_set_value, OPTION_FIELD(type, f), value
#define HEADING(text)         .help = text

/* Setters that several groups use. Return false after a message. */
bool option_set_flag(struct command *c, const struct option_row *row, const char *value);
bool option_set_mode(struct command *c, const struct option_row *row, const char *value);

/* Sets a field to the row's value, for options that choose one. */
bool option_set_value(struct command *c, const struct option_row *row, const char *value);

/* Returns the row's field, whose type the caller must know. */
void *option_field(struct command *c, const struct option_row *row);

/* Says that the option does not take value; hint says what it takes. Returns false. */
bool option_bad_value(const struct command *c, const struct option_row *row,
		      const char *value, const char *hint);

/* Returns the option that selects the mode, without dashes; "" for MODE_CLONE. */
const char *option_mode_name(enum mode mode);

/*
 * Finds value, complete or an unambiguous beginning, among the n words. Words with the
 * same code mean the same. If there is none, says so as cp does; what is the option or
 * the variable. Returns true if found.
 */
struct option_word {
	const char *word;
	int code;
};
bool option_choose(const struct command *c, const char *what, const char *value,
		   const struct option_word *words, unsigned int n, int *ret_code);

/* An option, or several, and whether it is given. */
struct option_other {
	bool given;
	const char *name; /* with its dashes */
};

/* Returns the name of the first of the n options that is given, or NULL. */
const char *option_first_given(const struct option_other *others, size_t n);

/* Returns false after a message if one of the n others is given, which --what
   excludes. */
bool option_excludes(const struct command *c, const char *what,
		     const struct option_other *others, size_t n);

/* Returns the first given option of cp that selects files, makes something other than a
   copy of them or keeps backups; NULL if none is given. */
const char *option_cp_given(const struct command *c);

/* Prints where to find help. Returns false. */
bool option_try_help(const struct command *c);

/* Prints the mistake and where to find help. Returns false. */
bool option_mistake(const struct command *c, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
