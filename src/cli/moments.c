// SPDX-License-Identifier: MIT
/*
 * Most files in a list do not depend on each other, and a warning about every list would
 * be ignored. So this warns only if somebody wrote while one of the files was cloned, or
 * if the names are those of a database and its journal.
 */
#include "moments.h"

#include "quote.h"
#include "words_format.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* https://www.sqlite.org/tempfiles.html */
static const char *const suffixes[] = { "-wal", "-journal", "-shm" };

static bool belongs(const char *database, const char *other)
{
	size_t len = strlen(database);

	if (strncmp(database, other, len) != 0)
		return false;
	for (size_t i = 0; i < sizeof(suffixes) / sizeof(*suffixes); i++)
		if (strcmp(other + len, suffixes[i]) == 0)
			return true;
	return false;
}

static bool belong_together(const struct command *command, const char **ret_first,
			    const char **ret_second)
{
	/* The time is quadratic, and a long list comes from a program. */
	unsigned int n = command->n_sources < 256 ? command->n_sources : 256;

	for (unsigned int i = 0; i < n; i++) {
		for (unsigned int k = 0; k < n; k++) {
			if (belongs(command->sources[i], command->sources[k])) {
				*ret_first = command->sources[i];
				*ret_second = command->sources[k];
				return true;
			}
		}
	}
	return false;
}

char *moments_warning(const struct command *command, const char *written,
		      const char **ret_path)
{
	const struct lull_cp *cp = &command->engine.cp;
	const char *first, *second;

	if (command->n_sources < 2 || command->engine.hook || cp->attributes_only ||
	    cp->hard_link || cp->symbolic_link)
		return NULL;
	if (belong_together(command, &first, &second)) {
		*ret_path = first;
		return format("the clones of %s and %s show different points in time; "
			      "with --hook=COMMAND they show the same",
			      quote(first), quote(second));
	}
	if (!written)
		return NULL;
	*ret_path = written;
	return format("somebody wrote to %s meanwhile, and the clones show different "
		      "points in time; with --hook=COMMAND they show the same",
		      quote(written));
}
