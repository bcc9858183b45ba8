// SPDX-License-Identifier: MIT
/* Finds the file of a generation that a user names: see generation_name.h. */
#include "engine/clone/generation_name.h"

#include "engine/clone/dest.h"
#include "engine/clone/row.h"
#include "engine/clone/statehome.h"
#include "sys/clock.h"
#include "util/path.h"
#include "util/text.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* How many names to list if several match. */
#define MOST_LISTED 8
/* What follows DEST in the name of a generation, for strftime(3) with a time in UTC. */
#define DATE ".%Y%m%dT%H%M%SZ"

/* Returns true for a full date, without the dot, as lull_generation_call() makes it: with
   or without a number. */
static bool is_complete(const char *date)
{
	static const char form[] = "00000000T000000Z";
	size_t n = sizeof(form) - 1;

	for (size_t i = 0; i < n; i++) {
		if (form[i] == '0' ? !isdigit((unsigned char)date[i])
				   : date[i] != form[i])
			return false;
	}
	return date[n] == '\0' ||
	       (date[n] == '-' && date[n + 1] &&
		strspn(date + n + 1, "0123456789") == strlen(date + n + 1));
}

/* A full "DATE" does not match "DATE-1", which may be what is left once DATE is gone. */
static bool begins(const char *date, const char *wanted)
{
	return is_complete(wanted)
		       ? strcmp(date, wanted) == 0
		       : *wanted && strncmp(date, wanted, strlen(wanted)) == 0;
}

/* Returns what follows stem and a dot, or NULL. */
static const char *date_of(const char *name, const char *stem)
{
	size_t len = strlen(stem);

	return strncmp(name, stem, len) == 0 && name[len] == '.' ? name + len + 1 : NULL;
}

enum lull_generation_match lull_generation_pick(
	const struct lull_generations *generations, const char *stem, const char *wanted,
	size_t *ret_index)
{
	bool latest = strcmp(wanted, "latest") == 0;
	size_t n = 0;

	for (size_t i = 0; i < generations->n; i++) {
		if (strcmp(generations->item[i].name, wanted) == 0) {
			*ret_index = i;
			return LULL_GENERATION_NAMED;
		}
	}
	for (size_t i = 0; i < generations->n; i++) {
		const struct lull_generation *g = &generations->item[i];
		const char *date = date_of(g->name, stem);

		if (latest ? g->pending : !date || !begins(date, wanted))
			continue;
		if (n == 0 || latest)
			*ret_index = i;
		n++;
	}
	if (n == 0)
		return latest ? LULL_GENERATION_NONE : LULL_GENERATION_PATH;
	return n == 1 || latest ? LULL_GENERATION_NAMED : LULL_GENERATION_AMBIGUOUS;
}

static enum lull_outcome fail(struct lull_failure *ret_failure, enum lull_cause cause,
			      int err, const char *path, char *path2)
{
	*ret_failure = (struct lull_failure){
		.stage = LULL_STAGE_RESTORE,
		.cause = cause,
		.err = abs(err),
		.path = strdup(path),
		.path2 = path2,
	};
	return LULL_FAILED;
}

/* Lists the dates that begin with wanted, starting at index first. Returns a text to be
   freed, or NULL. */
static char *list_meant(const struct lull_generations *generations, const char *stem,
			const char *wanted, size_t first)
{
	char *text = strdup("");
	size_t n = 0;

	for (size_t i = first; text && i < generations->n && n <= MOST_LISTED; i++) {
		const char *date = date_of(generations->item[i].name, stem);
		char *longer;

		if (!date || !begins(date, wanted))
			continue;
		longer = lull_text("%s%s%s", text, n > 0 ? " " : "",
				   n == MOST_LISTED ? "..." : date);
		free(text);
		text = longer;
		n++;
	}
	return text;
}

/* Returns true if the file of that name is the one that is recorded. */
static bool is_recorded(const struct lull_dest *dest, const struct lull_generation *g)
{
	_cleanup_close_ int fd = -1;

	return lull_row_look(dest, g, &fd) == LULL_ROW_GOOD;
}

/* Drops generations whose files are gone: no name can mean them. */
static void forget_gone(const struct lull_dest *dest, struct lull_generations *list)
{
	for (size_t i = 0; i < list->n;) {
		if (faccessat(dest->dir, list->item[i].name, F_OK, AT_SYMLINK_NOFOLLOW) <
			    0 &&
		    errno == ENOENT)
			lull_generations_drop(list, i);
		else
			i++;
	}
}

static enum lull_outcome take(const struct lull_dest *dest,
			      const struct lull_generation *g, const char *target,
			      char **ret_path, struct lull_failure *ret_failure)
{
	*ret_path = lull_path_beside(target, g->name);
	if (!*ret_path)
		return fail(ret_failure, LULL_CAUSE_ERRNO, ENOMEM, target, NULL);
	if (g->pending || !is_recorded(dest, g)) {
		enum lull_outcome outcome =
			fail(ret_failure,
			     g->pending ? LULL_CAUSE_GENERATION_INCOMPLETE
					: LULL_CAUSE_GENERATION_OTHER,
			     0, *ret_path, strdup(target));

		free(*ret_path);
		*ret_path = NULL;
		return outcome;
	}
	return LULL_OK;
}

/* Fails because there may be a record where it cannot be read. */
static enum lull_outcome homeless(const struct lull_dest *dest,
				  struct lull_failure *ret_failure)
{
	const char *path = dest->home.path;

	*ret_failure = (struct lull_failure){
		.stage = LULL_STAGE_CHECKPOINT,
		.cause = LULL_CAUSE_GENERATIONS_DIRECTORY,
		.err = dest->home.err,
		.path = path ? strdup(path) : NULL,
	};
	return LULL_FAILED;
}

static enum lull_outcome choose(const struct lull_dest *dest,
				struct lull_generations *list, const char *wanted,
				const char *spelled, const char *target, char **ret_path,
				struct lull_failure *ret_failure)
{
	size_t i = 0;

	forget_gone(dest, list);
	switch (lull_generation_pick(list, dest->name, wanted, &i)) {
	case LULL_GENERATION_NAMED:
		return take(dest, &list->item[i], target, ret_path, ret_failure);
	case LULL_GENERATION_NONE:
		if (dest->home.dir < 0 && (dest->home.err != ENOENT || !dest->home.path))
			return homeless(dest, ret_failure);
		return fail(ret_failure, LULL_CAUSE_NO_GENERATION, 0, spelled,
			    strdup(target));
	case LULL_GENERATION_AMBIGUOUS:
		return fail(ret_failure, LULL_CAUSE_GENERATION_AMBIGUOUS, 0, spelled,
			    list_meant(list, dest->name, wanted, i));
	case LULL_GENERATION_PATH:
		break;
	}
	*ret_path = strdup(spelled);
	return *ret_path ? LULL_OK
			 : fail(ret_failure, LULL_CAUSE_ERRNO, ENOMEM, spelled, NULL);
}

/* Returns "latest" or DATE if path is ROW.latest or ROW.DATE, else NULL. */
static const char *date_in(const char *path)
{
	const char *last = lull_path_last(path), *dot = strrchr(last, '.');

	if (!dot || dot == last)
		return NULL;
	if (strcmp(dot, ".latest") != 0 &&
	    (!isdigit((unsigned char)dot[1]) ||
	     strspn(dot + 1, "0123456789TZ-") != strlen(dot + 1)))
		return NULL;
	return dot + 1;
}

/*
 * As date_in(), but only if no file has that name. Also sets *ret_row, which the caller
 * frees, to ROW.
 */
static const char *in_a_row(const char *wanted, char **ret_row)
{
	const char *date = date_in(wanted);

	if (!date || faccessat(AT_FDCWD, wanted, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return NULL;
	*ret_row = strndup(wanted, (size_t)(date - 1 - wanted));
	return *ret_row ? date : NULL;
}

/* Loads the record of the row of target. Returns 0, or -errno with *why set. */
static int load(struct lull_dest *dest, const struct lull_options *options,
		const char *target, struct lull_generations *ret_list,
		struct lull_failure *why)
{
	const struct lull_state_wish wish = { .directory = options->state_directory };
	_cleanup_free_ char *record = NULL;
	struct lull_failure f = { 0 };
	int r = lull_dest_resolve_name(dest, target, &wish, &f.stage, &f.cause);

	if (r < 0) {
		f.path = strdup(target);
	} else if (dest->home.dir >= 0) {
		record = lull_row_record(dest);
		r = record ? lull_generations_load(dest->home.dir, record, ret_list)
			   : -ENOMEM;
		f.stage = LULL_STAGE_RECORD;
		f.cause = lull_row_cause(r);
		if (r < 0 && record)
			f.path = lull_statehome_path(&dest->home, record);
	}
	if (r < 0) {
		f.err = abs(r);
		*why = f;
	}
	return r;
}

enum lull_outcome lull_generation_find(const struct lull_options *options,
				       const char *wanted, const char *target,
				       char **ret_path, struct lull_failure *ret_failure)
{
	struct lull_generations list = { 0 };
	_cleanup_free_ char *row = NULL;
	const char *date = NULL;
	struct lull_dest dest;
	enum lull_outcome outcome;
	bool bare = !strchr(wanted, '/');
	size_t i;
	int r = 0;

	lull_dest_init(&dest);
	/* A name with a slash belongs to another row, or is a path that needs no
	   record. */
	if (bare)
		r = load(&dest, options, target, &list, ret_failure);
	/* In the row of target itself, a full name needs no path. */
	if (!bare || r < 0 ||
	    lull_generation_pick(&list, dest.name, wanted, &i) == LULL_GENERATION_PATH)
		date = in_a_row(wanted, &row);
	if (date) {
		if (r < 0)
			free(ret_failure->path);
		*ret_failure = (struct lull_failure){ 0 };
		lull_generations_done(&list);
		lull_dest_done(&dest);
		target = row;
		r = load(&dest, options, target, &list, ret_failure);
	}
	outcome = r < 0 ? LULL_FAILED
			: choose(&dest, &list, date ? date : wanted, wanted, target,
				 ret_path, ret_failure);
	/* There is no such file. But there is a row, and an error about the row is more
	   helpful. */
	if (outcome == LULL_OK && list.n > 0 &&
	    faccessat(AT_FDCWD, *ret_path, F_OK, AT_SYMLINK_NOFOLLOW) < 0 &&
	    errno == ENOENT) {
		free(*ret_path);
		*ret_path = NULL;
		outcome = fail(ret_failure, LULL_CAUSE_NO_GENERATION, 0, wanted,
			       strdup(target));
	}
	lull_generations_done(&list);
	lull_dest_done(&dest);
	return outcome;
}

enum lull_outcome lull_generation_path(const struct lull_options *options,
				       const char *path, bool latest, char **ret_path,
				       struct lull_failure *ret_failure)
{
	struct lull_generations list = { 0 };
	_cleanup_free_ char *row = NULL;
	const char *date = in_a_row(path, &row);
	enum lull_outcome outcome = LULL_OK;
	struct lull_failure why = { 0 };
	struct lull_dest dest;

	*ret_path = NULL;
	lull_dest_init(&dest);
	if (date && (latest || strcmp(date, "latest") != 0)) {
		if (load(&dest, options, row, &list, &why) == 0 && list.n > 0) {
			outcome = choose(&dest, &list, date, path, row, ret_path,
					 ret_failure);
		} else if (why.stage == LULL_STAGE_RECORD) {
			*ret_failure = why;
			why.path = NULL;
			outcome = LULL_FAILED;
		}
	}
	free(why.path);
	lull_generations_done(&list);
	lull_dest_done(&dest);
	if (outcome != LULL_OK || *ret_path)
		return outcome;
	*ret_path = strdup(path);
	return *ret_path ? LULL_OK
			 : fail(ret_failure, LULL_CAUSE_ERRNO, ENOMEM, path, NULL);
}

const char *lull_generation_date(const char *name)
{
	const char *dot = strrchr(name, '.');

	return dot && is_complete(dot + 1) ? dot : NULL;
}

uint64_t lull_generation_time(const char *date)
{
	struct tm tm = { 0 };

	if (!strptime(date, DATE, &tm))
		return 0;
	return (uint64_t)timegm(&tm) * NSEC_PER_SEC;
}

void lull_generation_call(uint64_t ns, char ret_date[static 24])
{
	time_t seconds = (time_t)(ns / NSEC_PER_SEC);
	struct tm tm = { .tm_mday = 1 };

	/* 64 bits of ns last until 2554, so the year always has four digits. */
	(void)gmtime_r(&seconds, &tm);
	(void)strftime(ret_date, 24, DATE, &tm);
}

/* Returns true if path means a generation of the list. An existing file must be in the
   list by its own name, unless path is ROW.latest. */
static bool is_of_row(const struct lull_generations *list, const char *stem,
		      const char *path, const char *date)
{
	const char *wanted = date;
	enum lull_generation_match match;
	size_t i;

	if (strcmp(date, "latest") != 0 &&
	    faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		wanted = lull_path_last(path);
	match = lull_generation_pick(list, stem, wanted, &i);
	return match == LULL_GENERATION_NAMED || match == LULL_GENERATION_AMBIGUOUS;
}

bool lull_generation_is_meant(const struct lull_options *options, const char *path,
			      char **ret_row)
{
	const char *date = date_in(path);
	_cleanup_free_ char *row = date ? strndup(path, (size_t)(date - 1 - path)) : NULL;
	struct lull_generations list = { 0 };
	struct lull_failure why = { 0 };
	struct lull_dest dest;
	bool meant;

	if (!row)
		return false;
	lull_dest_init(&dest);
	meant = load(&dest, options, row, &list, &why) == 0 &&
		is_of_row(&list, dest.name, path, date);
	free(why.path);
	lull_generations_done(&list);
	lull_dest_done(&dest);
	if (meant)
		*ret_row = lull_steal(&row);
	return meant;
}

enum lull_outcome lull_generation_resolve(struct lull_job *job, const char *wanted,
					  const char *of, char **ret_path)
{
	const char *date = lull_generation_date(of);
	_cleanup_free_ char *stem = date ? strndup(of, (size_t)(date - of)) : NULL;
	enum lull_outcome outcome;
	struct lull_failure failure = { 0 };

	if (strcmp(wanted, "latest") != 0 && access(wanted, F_OK) == 0) {
		*ret_path = strdup(wanted);
		return *ret_path ? LULL_OK
				 : lull_fail_errno(job, LULL_STAGE_STAT_SOURCE, ENOMEM,
						   wanted);
	}
	outcome = lull_generation_find(job->options, wanted, stem ? stem : of, ret_path,
				       &failure);
	if (outcome != LULL_OK)
		job->result->failure = failure;
	return outcome;
}
