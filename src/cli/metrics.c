// SPDX-License-Identifier: MIT
/*
 * Prometheus text, replaced by a rename: see metrics.h.
 *
 * DESIGN
 *
 * A monitoring system has to notice a row that gets no new generations, so a failure must
 * never look like the success before it. Every exit of the program therefore replaces the
 * complete FILE, and only the time of the last success survives a failure.
 *
 * FILE may be read while it is replaced, and it may be in a directory that others can
 * write to. So nothing is written through its name, and only numbers are taken from it.
 * Anything else that has its name, such as SOURCE or /dev/stdout, is left alone.
 */
#include "metrics.h"

#include "quote.h"
#include "words_format.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Largest FILE that this program writes; no more is read of another file. */
#define MOST_BYTES (64u << 10)
/* Independent of the umask: the collector seldom runs as the user who clones. */
#define MODE 0644
/* The beginning of every FILE that this program wrote. */
#define FIRST_LINE "# HELP lullcp_last_run_timestamp_seconds "

static struct {
	uint64_t calls, over_budget, extents, freeze_ns;
	struct lull_hold hold;
	enum lull_method method;
	bool has_method, mixed_methods;
	bool row; /* --keep is given */
	unsigned int generations;
	char *row_dest; /* the name without the date */
	bool has_own;
	uint64_t own_bytes;
} seen;

static bool fail(const struct command *command, int err)
{
	(void)fprintf(stderr, "%s: cannot write metrics to %s: %s\n", command->program,
		      quote(command->metrics),
		      err == EEXIST ? "it is no metrics file, and is left as it is"
				    : strerror(err));
	return false;
}

/*
 * Reads FILE into *ret_text, to be freed; "" if it is empty or does not exist. Returns 0,
 * EEXIST if an earlier run did not write it, or another errno.
 */
static int read_old(const char *file, char **ret_text)
{
	char *text = malloc(MOST_BYTES + 1);
	struct stat st;
	ssize_t n = 0;
	int fd, err = 0;

	if (!text)
		return ENOMEM;
	if (lstat(file, &st) < 0) {
		err = errno == ENOENT ? 0 : errno;
	} else if (!S_ISREG(st.st_mode)) {
		err = EEXIST;
	} else {
		fd = open(file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
		n = fd < 0 ? -1 : read(fd, text, MOST_BYTES);
		if (n < 0)
			err = errno;
		if (fd >= 0)
			(void)close(fd);
	}
	text[n > 0 ? n : 0] = '\0';
	if (err == 0 && n > 0 && strncmp(text, FIRST_LINE, strlen(FIRST_LINE)) != 0)
		err = EEXIST;
	if (err == 0)
		*ret_text = text;
	else
		free(text);
	return err;
}

/* Returns 0 or an errno as read_old(). */
static int may_replace(const char *file)
{
	char *text = NULL;
	int err = read_old(file, &text);

	free(text);
	return err;
}

static char *directory_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (!slash)
		return strdup(".");
	return strndup(path, slash == path ? 1 : (size_t)(slash - path));
}

bool metrics_begin(const struct command *command)
{
	char *directory;
	int err = 0;

	if (!command->metrics)
		return true;
	directory = directory_of(command->metrics);
	if (!directory)
		err = ENOMEM;
	else if (access(directory, W_OK | X_OK) < 0)
		err = errno;
	free(directory);
	if (err == 0)
		err = may_replace(command->metrics);
	return err == 0 || fail(command, err);
}

static uint64_t larger(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

void metrics_file(const struct lull_result *result)
{
	const struct lull_progress *p = &result->progress;
	struct lull_hold hold = lull_progress_hold(p);

	seen.calls += p->calls;
	seen.over_budget += p->over_budget_calls;
	seen.extents += p->extents_cloned;
	/* The files of a set share one freeze: do not add it up. */
	seen.freeze_ns = larger(seen.freeze_ns, p->freeze_ns);
	seen.hold.p50 = larger(seen.hold.p50, hold.p50);
	seen.hold.p99 = larger(seen.hold.p99, hold.p99);
	seen.hold.p999 = larger(seen.hold.p999, hold.p999);
	seen.hold.max = larger(seen.hold.max, hold.max);
	seen.mixed_methods |= seen.has_method && seen.method != p->method;
	seen.has_method = true;
	seen.method = p->method;
	if (result->generation) {
		seen.row = true;
		seen.generations = result->generations;
		free(seen.row_dest);
		seen.row_dest = strndup(result->generation,
					(size_t)(strrchr(result->generation, '.') -
						 result->generation));
	}
}

const char *metrics_row_dest(const struct command *command)
{
	return command->metrics ? seen.row_dest : NULL;
}

void metrics_row(const struct lull_row *row)
{
	seen.own_bytes = 0;
	seen.has_own = true;
	for (size_t i = 0; i < row->n; i++) {
		if (row->entry[i].bytes_own == UINT64_MAX)
			seen.has_own = false;
		else
			seen.own_bytes += row->entry[i].bytes_own;
	}
}

/* Returns the value of the label dest, an absolute path, escaped. To be freed; or
   NULL. */
static char *label_of(const struct command *command)
{
	const char *dest = command->target_directory ? command->target_directory
						     : command->dest;
	char *path = NULL, *label, *to;
	json_t *text;
	bool utf8;

	if (*dest && *dest != '/') {
		char *here = getcwd(NULL, 0);

		path = here ? format("%s/%s", here, dest) : NULL;
		free(here);
	} else {
		path = strdup(dest);
	}
	label = path ? malloc(2 * strlen(path) + 1) : NULL;
	if (!label) {
		free(path);
		return NULL;
	}
	/* The format is UTF-8, and jansson makes a string of nothing else. */
	text = json_string(path);
	utf8 = text != NULL;
	json_decref(text);
	to = label;
	for (const char *from = path; *from; from++) {
		if (*from == '\\' || *from == '"' || *from == '\n')
			*to++ = '\\';
		*to++ = *from == '\n'                           ? 'n'
			: !utf8 && (unsigned char)*from >= 0x80 ? '?'
								: *from;
	}
	*to = '\0';
	free(path);
	return label;
}

/* Returns the label in the old FILE, for a run whose operands are unknown. To be freed;
   or NULL. */
static char *label_in(const char *old)
{
	static const char start[] = "\nlullcp_last_run_timestamp_seconds{dest=\"";
	const char *from = strstr(old, start), *end;

	if (!from)
		return strdup("");
	from += sizeof(start) - 1;
	end = strstr(from, "\"} ");
	return end ? strndup(from, (size_t)(end - from)) : strdup("");
}

/* Returns when a run with that label last succeeded, according to the old FILE; 0 if
   unknown. */
static double last_success(const char *old, const char *label)
{
	char *want = format("\nlullcp_last_success_timestamp_seconds{dest=\"%s\"} ",
			    label);
	const char *at;
	double found = 0;
	char *end;

	if (!want)
		return 0;
	at = strstr(old, want);
	if (at) {
		found = strtod(at + strlen(want), &end);
		if (*end != '\n' || !(found > 0 && found < 1e12))
			found = 0;
	}
	free(want);
	return found;
}

struct sheet {
	FILE *f;
	const char *label;
};

static void head(const struct sheet *s, const char *name, const char *type,
		 const char *help)
{
	(void)fprintf(s->f, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void gauge(const struct sheet *s, const char *name, const char *help, double value)
{
	head(s, name, "gauge", help);
	(void)fprintf(s->f, "%s{dest=\"%s\"} %.15g\n", name, s->label, value);
}

static double seconds(uint64_t ns)
{
	return (double)ns / 1e9;
}

static void print_hold(const struct sheet *s)
{
	const struct {
		const char *quantile;
		uint64_t ns;
	} quantiles[] = {
		{ "0.5", seen.hold.p50 },
		{ "0.99", seen.hold.p99 },
		{ "0.999", seen.hold.p999 },
	};

	head(s, "lullcp_hold_seconds", "summary",
	     "How long the clone calls of the last run held locks.");
	for (unsigned int i = 0; i < sizeof(quantiles) / sizeof(quantiles[0]); i++)
		(void)fprintf(s->f,
			      "lullcp_hold_seconds{dest=\"%s\",quantile=\"%s\"} %.9g\n",
			      s->label, quantiles[i].quantile, seconds(quantiles[i].ns));
	(void)fprintf(s->f, "lullcp_hold_seconds_count{dest=\"%s\"} %llu\n", s->label,
		      (unsigned long long)seen.calls);
	gauge(s, "lullcp_hold_seconds_max", "The longest of these calls.",
	      seconds(seen.hold.max));
}

static void print(const struct sheet *s, int exit_status, double success, double now,
		  const struct lull_totals *totals)
{
	gauge(s, "lullcp_last_run_timestamp_seconds", "When the last run ended.", now);
	if (success > 0)
		gauge(s, "lullcp_last_success_timestamp_seconds",
		      "When the last run that succeeded ended.", success);
	gauge(s, "lullcp_last_exit_status",
	      "Exit status of the last run, 128 and the number for a signal.",
	      exit_status);
	if (seen.has_method) {
		head(s, "lullcp_last_run_info", "gauge", "How the last run cloned.");
		(void)fprintf(s->f, "lullcp_last_run_info{dest=\"%s\",method=\"%s\"} 1\n",
			      s->label,
			      seen.mixed_methods ? "several"
						 : lull_method_name(seen.method));
	}
	gauge(s, "lullcp_freeze_seconds", "How long the last run kept writers frozen.",
	      seconds(seen.freeze_ns));
	print_hold(s);
	gauge(s, "lullcp_over_budget_calls",
	      "Clone calls of the last run that took longer than --latency-budget.",
	      (double)seen.over_budget);
	gauge(s, "lullcp_clone_bytes", "Bytes that the last run cloned or copied.",
	      totals ? (double)(totals->bytes_cloned + totals->bytes_copied) : 0);
	gauge(s, "lullcp_clone_extents", "Extents that the last run cloned.",
	      (double)seen.extents);
	if (seen.row)
		gauge(s, "lullcp_generations", "Clones in the row of --keep.",
		      seen.generations);
	if (seen.has_own)
		gauge(s, "lullcp_generations_own_bytes",
		      "Bytes that only one clone of the row of --keep holds.",
		      (double)seen.own_bytes);
}

/* Returns 0 or an errno. The temporary name has another suffix than FILE, so that a
   collector of *.prom does not read it. */
static int replace(const char *file, const struct sheet *sheet, int exit_status,
		   double success, double now, const struct lull_totals *totals)
{
	char *directory = directory_of(file);
	const char *slash = strrchr(file, '/');
	char *temporary = directory ? format("%s/.%s.XXXXXX", directory,
					     slash ? slash + 1 : file)
				    : NULL;
	struct sheet s = *sheet;
	int fd, err = 0;

	free(directory);
	if (!temporary)
		return ENOMEM;
	fd = mkostemp(temporary, O_CLOEXEC);
	if (fd < 0) {
		err = errno;
		free(temporary);
		return err;
	}
	s.f = fdopen(fd, "w");
	if (!s.f) {
		err = errno;
		(void)close(fd);
	} else {
		print(&s, exit_status, success, now, totals);
		if (fflush(s.f) != 0 || ferror(s.f) || fchmod(fd, MODE) < 0 ||
		    fdatasync(fd) < 0)
			err = errno ? errno : EIO;
		if (fclose(s.f) != 0 && err == 0)
			err = errno;
	}
	/* DEST may have been created under this name during the run. */
	if (err == 0)
		err = may_replace(file);
	if (err == 0 && rename(temporary, file) < 0)
		err = errno;
	if (err != 0)
		(void)unlink(temporary);
	free(temporary);
	return err;
}

bool metrics_end(const struct command *command, int exit_status,
		 const struct lull_totals *totals)
{
	struct timespec now;
	struct sheet sheet = { 0 };
	double when, success;
	char *old = NULL, *label;
	int err;

	if (!command->metrics)
		return true;
	err = read_old(command->metrics, &old);
	if (err != 0)
		return fail(command, err);
	(void)clock_gettime(CLOCK_REALTIME, &now);
	when = (double)now.tv_sec + (double)(now.tv_nsec / 1000000) / 1e3;
	label = command->dest || command->target_directory ? label_of(command)
							   : label_in(old);
	err = ENOMEM;
	if (label) {
		success = exit_status == 0 ? when : last_success(old, label);
		sheet.label = label;
		err = replace(command->metrics, &sheet, exit_status, success, when,
			      totals);
	}
	free(label);
	free(old);
	free(seen.row_dest);
	seen.row_dest = NULL;
	return err == 0 || fail(command, err);
}
