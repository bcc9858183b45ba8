/* SPDX-License-Identifier: MIT */
/* A row of the table of options, and what the setters of all groups use. */
#pragma once

#include "command.h"
#include "words_format.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * A row of the option table, or the heading of a group, which has neither name nor
 * letters. The parser, --help and (by parsing that) the completion all come from it.
 */
struct option_row {
	const char *name;     /* NULL: only letters */
	const char *letters;  /* NULL: only a name */
	const char *argument; /* NULL: takes none; "[X]": may be left out */
	bool (*set)(struct command *command, const struct option_row *row,
		    const char *value);
	size_t field; /* what set writes to, if it serves several options */
	int value;    /* what it writes there, if that is not the argument */
	/* or the heading; a line break goes on in the column. NULL: an older name that
	   cp still takes */
	const char *help;
};

/* Where a field of struct command is; does not compile unless it is of that type. */
#define OPTION_FIELD(type, f)          \
	(offsetof(struct command, f) + \
	 0 * sizeof(char[_Generic(((struct command *)NULL)->f, type : 1)]))

/* What a row sets: by itself, with a value, a flag, or the mode. Or a heading. */
#define OWN(set)              set, 0, 0
#define WITH(set, value)      set, 0, value
#define FLAG(f)               option_set_flag, OPTION_FIELD(bool, f), 0
#define MODE(mode)            option_set_mode, 0, mode
#define VALUE(type, f, value) option_set_value, OPTION_FIELD(type, f), value
#define HEADING(text)         .help = text

/* Setters that several groups use: false after a message. */
bool option_set_flag(struct command *c, const struct option_row *row, const char *value);
bool option_set_mode(struct command *c, const struct option_row *row, const char *value);

/* Sets a field to the row's value: for letters that choose. */
bool option_set_value(struct command *c, const struct option_row *row, const char *value);

/* What the row's field is, which must be of that type. */
void *option_field(struct command *c, const struct option_row *row);

/* Says that value is none that the option takes, and in hint which are. Returns false. */
bool option_bad_value(const struct command *c, const struct option_row *row,
		      const char *value, const char *hint);

/* The option that asks for this mode, without its dashes; "" for MODE_CLONE. */
const char *option_mode_name(enum mode mode);

/*
 * One of the n words, whole or an unambiguous beginning of one; words of one code mean
 * the same. Says so as cp does if it is none: what is the option or the variable.
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

/* The name of the first of the n that is given; NULL: none. */
const char *option_first_given(const struct option_other *others, size_t n);

/* False after a message if one of the n others is given, which --what excludes. */
bool option_excludes(const struct command *c, const char *what,
		     const struct option_other *others, size_t n);

/* The first option given of those by which cp chooses among files, makes something else
   of them or saves older ones; NULL: none. */
const char *option_cp_given(const struct command *c);

/* Says where to find help. Returns false. */
bool option_try_help(const struct command *c);

/* Says what is wrong, and where to find help. Returns false. */
bool option_mistake(const struct command *c, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
