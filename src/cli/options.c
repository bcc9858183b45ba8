// SPDX-License-Identifier: MIT
/* The option table and its parser. */
#include "options.h"

#include "carry_options.h"
#include "cp_options.h"
#include "keep_option.h"
#include "option_check.h"
#include "option_row.h"
#include "quote.h"
#include "suggest.h"
#include "targets.h"
#include "util/values.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- setters: false after a message ---- */

static bool set_text(struct command *c, const struct option_row *row, const char *value)
{
	const char **text = option_field(c, row);

	if (*value == '\0')
		return option_bad_value(c, row, value, "It must not be empty.");
	*text = value;
	return true;
}

static bool set_time(struct command *c, const struct option_row *row, const char *value)
{
	if (!lull_value_time(value, option_field(c, row)))
		return option_bad_value(
			c, row, value,
			"A TIME is a number and a unit: ns, us, ms, s, m or h, as in "
			"10ms. Without a unit it is in seconds.");
	return true;
}

static bool set_positive_time(struct command *c, const struct option_row *row,
			      const char *value)
{
	const uint64_t *ns = option_field(c, row);

	if (!set_time(c, row, value))
		return false;
	if (*ns == 0)
		return option_bad_value(c, row, value, "It must be longer than 0.");
	return true;
}

/* Refuses a large number without a unit: it is probably meant as milliseconds, but as
   seconds it would amount to no budget. */
static bool set_budget(struct command *c, const struct option_row *row, const char *value)
{
	if (!set_positive_time(c, row, value))
		return false;
	if (c->engine.latency_budget_ns > 1000000000ULL &&
	    isdigit((unsigned char)value[strlen(value) - 1]))
		return option_bad_value(
			c, row, value,
			"Without a unit it is in seconds. Did you mean milliseconds, "
			"as in 10ms? If not, add the unit, s.");
	return true;
}

/* Reads a whole number from 1 to most. */
static bool take_number(const struct command *c, const struct option_row *row,
			const char *value, unsigned int most, unsigned int *ret_number)
{
	uint64_t number;
	char hint[64];

	(void)snprintf(hint, sizeof(hint), "%s is a whole number from 1 to %u.",
		       row->argument, most);
	if (!lull_value_number(value, 1, most, &number))
		return option_bad_value(c, row, value, hint);
	*ret_number = (unsigned int)number;
	return true;
}

static bool set_duty_cycle(struct command *c, const struct option_row *row,
			   const char *value)
{
	return take_number(c, row, value, 100, &c->engine.duty_cycle);
}

static bool set_passes(struct command *c, const struct option_row *row, const char *value)
{
	return take_number(c, row, value, 1000, &c->engine.passes);
}

static bool set_jobs(struct command *c, const struct option_row *row, const char *value)
{
	return take_number(c, row, value, 256, &c->engine.jobs);
}

static bool set_keep(struct command *c, const struct option_row *row, const char *value)
{
	static const char usage[] =
		"RULES is a whole number from 1 to 1000, or a list of last:N, hourly:N, "
		"daily:N,\nweekly:N, monthly:N and yearly:N with commas between them.";
	struct keep_mistake m;
	char part[64], hint[320];

	if (keep_option_read(value, &c->engine.keep, &m))
		return true;
	(void)snprintf(part, sizeof(part), "%.*s", (int)m.len, m.part);
	(void)snprintf(hint, sizeof(hint), "%s%s%s.\n%s", m.len > 0 ? quote(part) : "It",
		       " ", m.wrong, usage);
	return option_bad_value(c, row, value, hint);
}

static bool set_on_writers(struct command *c, const struct option_row *row,
			   const char *value)
{
	static const char *const choices[] = { "auto", "snapshot", "atomic", "fail",
					       "trust" };
	unsigned int index;

	if (!lull_value_choice(value, choices, LENGTH(choices), &index))
		return option_bad_value(c, row, value,
					"WHAT is auto, snapshot, atomic, fail or trust.");
	c->engine.on_writers = (enum lull_on_writers)index;
	return true;
}

static bool set_progress(struct command *c, const struct option_row *row,
			 const char *value)
{
	static const char *const choices[] = { "auto", "always", "never" };
	unsigned int index;

	if (!lull_value_choice(value, choices, LENGTH(choices), &index))
		return option_bad_value(c, row, value, "WHEN is auto, always or never.");
	c->progress = (enum progress_when)index;
	return true;
}

static bool set_check_hook(struct command *c, const struct option_row *row,
			   const char *value)
{
	if (*value == '\0')
		return option_bad_value(c, row, value, "It must not be empty.");
	c->check_hook = value;
	return option_set_mode(c, row, value);
}

static bool set_list(struct command *c, const struct option_row *row, const char *value)
{
	static const char *const choices[] = { "full", "quick" };
	unsigned int index = 0;

	if (value && !lull_value_choice(value, choices, LENGTH(choices), &index))
		return option_bad_value(c, row, value, "HOW is full or quick.");
	c->list_quick = index == 1;
	return option_set_mode(c, row, value);
}

static bool set_verify(struct command *c, const struct option_row *row, const char *value)
{
	static const char *const choices[] = { "auto", "maps", "data" };
	unsigned int index = 0;

	if (value && !lull_value_choice(value, choices, LENGTH(choices), &index))
		return option_bad_value(c, row, value, "HOW is auto, maps or data.");
	c->engine.verify_by = (enum lull_verify_by)index;
	return option_set_mode(c, row, value);
}

#define TEXT(f)          set_text, OPTION_FIELD(const char *, f), 0
#define TIME(f)          set_time, OPTION_FIELD(uint64_t, f), 0
#define POSITIVE_TIME(f) set_positive_time, OPTION_FIELD(uint64_t, f), 0

static const struct option_row own_options[] = {
	{ HEADING("Other things to do:") },
	{ "refresh", NULL, NULL, FLAG(engine.refresh),
	  "bring DEST, an older clone of SOURCE, up to date" },
	{ "base", NULL, "FILE", TEXT(engine.base),
	  "with --refresh: use up this older clone instead;\n"
	  "with --export, --apply: changes are since FILE" },
	{ "verify", NULL, "[HOW]", WITH(set_verify, MODE_VERIFY),
	  "compare by: auto (maps, then data), maps, data" },
	{ "diff", NULL, "[HOW]", WITH(carry_set_diff, MODE_DIFF),
	  "ranges in which NEW may differ from OLD:\nmaps, exact (maps, then data)" },
	{ "export", NULL, NULL, MODE(MODE_EXPORT),
	  "what changed since --base, on standard output" },
	{ "apply", NULL, NULL, MODE(MODE_APPLY),
	  "make DEST from --base and standard input" },
	{ "format", NULL, "VERSION", OWN(carry_set_format),
	  "with --export, --apply: version of stream (2)" },
	{ "probe", NULL, NULL, MODE(MODE_PROBE),
	  "predict a clone: its time, stalls and method" },
	{ "restore", NULL, NULL, MODE(MODE_RESTORE),
	  "roll the file TARGET back to GENERATION" },
	{ "no-undo", NULL, NULL, FLAG(engine.no_undo),
	  "with --restore: do not keep the old contents" },
	{ "status", NULL, NULL, MODE(MODE_STATUS),
	  "show how far an interrupted clone has come" },
	{ "recover", NULL, NULL, MODE(MODE_RECOVER),
	  "thaw writers that a killed run has left frozen" },
	{ "list", NULL, "[HOW]", WITH(set_list, MODE_LIST),
	  "list the generations of DEST: full (with costs),\nquick" },
	{ "discard", NULL, NULL, MODE(MODE_DISCARD),
	  "remove files, in steps as short as clone calls" },
	{ "check-hook", NULL, "COMMAND", WITH(set_check_hook, MODE_CHECK_HOOK),
	  "call a hook in every way a run may call it" },
	{ HEADING("How DEST is written:") },
	{ "inplace", NULL, NULL, FLAG(engine.in_place),
	  "write DEST itself, without a temporary file" },
	{ "keep", NULL, "RULES", OWN(set_keep),
	  "make DEST.DATE, and keep the last N of them, or:\nlast:N, hourly:N, "
	  "daily:N, weekly:N,\nmonthly:N, yearly:N, with commas between" },
	{ "dry-run", NULL, NULL, FLAG(dry_run),
	  "with --keep: tell what would be made and removed" },
	{ "no-sync", NULL, NULL, FLAG(engine.no_sync),
	  "do not wait until DEST is on disk at the end" },
	{ "jobs", "j", "N", OWN(set_jobs), "work on up to N files at a time (1)" },
	{ HEADING("How gently:") },
	{ "latency-budget", NULL, "TIME", set_budget,
	  OPTION_FIELD(uint64_t, engine.latency_budget_ns), 0,
	  "longest time to hold locks in one call (10ms)" },
	{ "duty-cycle", NULL, "PERCENT", OWN(set_duty_cycle),
	  "share of the time for holding locks (80)" },
	{ "rate", NULL, "BYTES", OWN(carry_set_rate),
	  "with --export: read no more than that a second" },
	{ HEADING("With writers:") },
	{ "hook", NULL, "COMMAND", TEXT(engine.hook),
	  "command that freezes and thaws the writers" },
	{ "hook-timeout", NULL, "TIME", POSITIVE_TIME(engine.hook_timeout_ns),
	  "longest time for one call of the hook (60s)" },
	{ "max-freeze", NULL, "TIME", POSITIVE_TIME(engine.max_freeze_ns),
	  "thaw after this long, whatever happens" },
	{ "live", NULL, NULL, FLAG(engine.live),
	  "freeze writers only for the last, short pass" },
	{ "passes", NULL, "N", OWN(set_passes),
	  "most passes to make while writers run (3)" },
	{ "on-writers", NULL, "WHAT", OWN(set_on_writers),
	  "if writers never pause: auto, snapshot, atomic,\nfail or trust (auto)" },
	{ "keep-frozen", NULL, NULL, FLAG(engine.keep_frozen),
	  "if interrupted, leave writers frozen (--resume)" },
	{ HEADING("After an interruption:") },
	{ "resume", NULL, NULL, FLAG(engine.resume),
	  "continue an interrupted clone, if there is one" },
	{ "restart", NULL, NULL, FLAG(engine.restart),
	  "discard an interrupted clone and start again" },
	{ "checkpoint", NULL, "FILE", TEXT(engine.checkpoint),
	  "where progress is recorded (.DEST.lullcp)" },
	{ "checkpoint-interval", NULL, "TIME", TIME(engine.checkpoint_interval_ns),
	  "how often progress is recorded (10s)" },
	{ "lock-wait", NULL, "TIME", TIME(engine.lock_wait_ns),
	  "wait for another lullcp on the same DEST (0)" },
	{ HEADING("Output:") },
	{ "progress", NULL, "WHEN", OWN(set_progress),
	  "a progress line: auto, always or never (auto)" },
	{ "json", NULL, NULL, FLAG(json), "JSON Lines on standard output" },
	{ "histogram", NULL, NULL, FLAG(histogram),
	  "print how long the calls took, at the end" },
	{ "summary", NULL, NULL, FLAG(summary), "print what was done with each file" },
	{ "metrics", NULL, "FILE", TEXT(metrics),
	  "write the results to FILE, for Prometheus" },
	{ "quiet", "q", NULL, FLAG(quiet), "errors only" },
	{ "help", NULL, NULL, MODE(MODE_HELP), "display this help and exit" },
	{ "version", NULL, NULL, MODE(MODE_VERSION),
	  "output version information and exit" },
};

#define MOST_ROWS 128u

/* Returns row i of all groups, cp's first; NULL after the last. */
static const struct option_row *row_at(unsigned int i)
{
	if (i < n_cp_options)
		return &cp_options[i];
	i -= n_cp_options;
	return i < LENGTH(own_options) ? &own_options[i] : NULL;
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/*
 * Finds the option that the beginning of a name means. The same beginnings as in cp mean
 * cp's options, whatever lullcp's own are called. NULL: leave it to getopt.
 */
static const struct option_row *cp_option_by_prefix(const char *text, size_t len)
{
	const struct option_row *found = NULL, *row;

	for (unsigned int i = 0; (row = row_at(i)); i++) {
		if (row->name && strlen(row->name) == len &&
		    strncmp(row->name, text, len) == 0)
			return row;
	}
	for (unsigned int i = 0; i < n_cp_options + 2; i++) {
		/* --help and --version are options of cp too, and the last of our own. */
		row = i < n_cp_options ? row_at(i)
				       : &own_options[LENGTH(own_options) - 1 - (i & 1)];
		if (!row->name || strncmp(row->name, text, len) != 0)
			continue;
		/* two names for the same option */
		if (found && (found->set != row->set || found->field != row->field ||
			      found->value != row->value))
			return NULL;
		found = row;
	}
	return found;
}

static const struct option_row *by_letter(int letter)
{
	const struct option_row *row;

	for (unsigned int i = 0; letter && (row = row_at(i)); i++) {
		if (row->letters && strchr(row->letters, letter))
			return row;
	}
	return NULL;
}

static bool takes_next(const struct option_row *row)
{
	return row && row->argument && row->argument[0] != '[';
}

/* Returns true if the value of the last letter in a group is the next argument. */
static bool letters_take_next(const char *letters)
{
	for (; *letters; letters++) {
		const struct option_row *row = by_letter(*letters);

		if (row && row->name && row->argument && row->argument[0] == '[')
			continue;
		if (takes_next(row))
			return letters[1] == '\0';
	}
	return false;
}

/* Replaces shortened options of cp by their full names. The new strings live as long as
   argv. */
static bool write_out(int argc, char **argv)
{
	bool posix = getenv("POSIXLY_CORRECT") != NULL;

	for (int i = 1; i < argc; i++) {
		const struct option_row *row;
		size_t len;
		char *made;

		if (strcmp(argv[i], "--") == 0 || (posix && argv[i][0] != '-'))
			break;
		if (argv[i][0] != '-' || argv[i][1] == '\0')
			continue;
		if (argv[i][1] != '-') {
			i += letters_take_next(argv[i] + 1);
			continue;
		}
		len = strcspn(argv[i] + 2, "=");
		row = cp_option_by_prefix(argv[i] + 2, len);
		if (!row)
			continue;
		if (strlen(row->name) != len) {
			if (asprintf(&made, "--%s%s", row->name, argv[i] + 2 + len) < 0)
				return false;
			argv[i] = made;
		}
		i += takes_next(row) && !strchr(argv[i], '=');
	}
	return true;
}

static int option_kind(const struct option_row *row)
{
	return !row->argument            ? no_argument
	       : row->argument[0] == '[' ? optional_argument
					 : required_argument;
}

/* If the hook's command is not quoted, its options become lullcp's: say so. */
static void hint_at_hook(const struct command *c, const char *argument)
{
	static const char *const names[] = {
		"--socket",   "--agent",   "--sidecar-dir", "--connect",       "--domain",
		"--shut-off", "--timeout", "--quiesce",     "--commit-timeout"
	};

	for (size_t i = 0; c->engine.hook && i < LENGTH(names); i++) {
		size_t len = strlen(names[i]);

		if (strncmp(argument, names[i], len) == 0 &&
		    (argument[len] == '\0' || argument[len] == '='))
			(void)fprintf(stderr,
				      "An option of the hook is part of its command: "
				      "--hook='%s %s'.\n",
				      c->engine.hook, argument);
	}
}

/* Suggests an option after getopt has reported an unknown one. */
static void suggest(const char *argument)
{
	const struct option_row *row, *best = NULL;
	unsigned int changes, fewest = 0;

	if (strncmp(argument, "--", 2) != 0)
		return;
	for (unsigned int i = 0; (row = row_at(i)); i++) {
		if (row->name &&
		    suggest_near(argument + 2, strcspn(argument + 2, "="), row->name,
				 &changes) &&
		    (!best || changes < fewest)) {
			best = row;
			fewest = changes;
		}
	}
	if (best)
		(void)fprintf(stderr, "Did you mean '--%s'?\n", best->name);
}

static bool read_options(int argc, char **argv, struct command *c)
{
	struct option longs[MOST_ROWS] = { 0 };
	char shorts[3 * MOST_ROWS] = "";
	const struct option_row *row;
	unsigned int n = 0;
	int opt, index;

	for (unsigned int i = 0; (row = row_at(i)); i++) {
		if (row->name && n < MOST_ROWS - 1)
			longs[n++] = (struct option){ .name = row->name,
						      .has_arg = option_kind(row),
						      .val = CHAR_MAX + 1 + (int)i };
		for (const char *l = row->letters ? row->letters : ""; *l; l++)
			(void)sprintf(shorts + strlen(shorts), "%c%s", *l,
				      takes_next(row) ? ":" : "");
	}
	while ((opt = getopt_long(argc, argv, shorts, longs, &index)) != -1) {
		if (opt == '?') {
			hint_at_hook(c, argv[optind - 1]);
			if (optopt == 0)
				suggest(argv[optind - 1]);
			return option_try_help(c);
		}
		row = opt > CHAR_MAX ? row_at((unsigned int)(opt - CHAR_MAX - 1))
				     : by_letter(opt);
		if (row && !row->set(c, row, optarg))
			return c->said ? false : option_try_help(c);
		if (c->mode >= MODE_HELP)
			return true;
	}
	return true;
}

bool options_parse(int argc, char **argv, struct command *ret_command)
{
	struct command *c = ret_command;
	const char *program = argc > 0 ? base_name(argv[0]) : "";

	*c = (struct command){
		.engine = {
			.latency_budget_ns = 10000000ULL,
			.duty_cycle = 80,
			.hook_timeout_ns = 60000000000ULL,
			.checkpoint_interval_ns = 10000000000ULL,
			.passes = 3,
			.jobs = 1,
		},
		.target_fd = -1,
		.program = *program ? program : "lullcp",
	};
	cp_options_init(c);
	if (argc == 0)
		return option_mistake(c, "missing file operand");
	argv[0] = (char *)(uintptr_t)c->program; /* the beginning of getopt's messages */
	if (!write_out(argc, argv))
		return option_mistake(c, "out of memory");
	if (!read_options(argc, argv, c))
		return false;
	return c->mode >= MODE_HELP ||
	       (option_check(c) && targets_take(c, argc - optind, argv + optind));
}

static void print_row(const struct option_row *row)
{
	bool optional = row->argument && row->argument[0] == '[';
	char left[64] = "";
	const char *text = row->help;
	size_t len;

	if (!row->help)
		return;
	if (!row->name && !row->letters) {
		(void)printf("\n%s\n", row->help);
		return;
	}
	for (const char *l = row->letters ? row->letters : ""; *l; l++)
		(void)sprintf(left + strlen(left), "%s-%c", *left ? ", " : "", *l);
	if (row->name)
		(void)snprintf(left + strlen(left), sizeof(left) - strlen(left),
			       "%s--%s%s%s", *left ? ", " : "    ", row->name,
			       !row->argument ? ""
			       : optional     ? "[="
					      : "=",
			       !row->argument ? "" : row->argument + (optional ? 1 : 0));
	/* An option that is too long for its column gets a line of its own. */
	(void)printf("  %-30s", left);
	if (strlen(left) >= 30)
		(void)printf("\n%32s", "");
	for (; *text; text += len + (text[len] == '\n')) {
		len = strcspn(text, "\n");
		(void)printf("%*s%.*s\n", text == row->help ? 0 : 32, "", (int)len, text);
	}
}

void options_help(const struct command *command)
{
	const char *p = command->program;
	const struct option_row *row;

	(void)printf(
		"Usage: %s [OPTION]... [-T] SOURCE DEST\n  or:  %s [OPTION]... SOURCE... "
		"DIRECTORY\n  or:  %s [OPTION]... -t DIRECTORY SOURCE...\n  or:  %s "
		"--refresh [OPTION]... SOURCE DEST\n  or:  %s --verify[=HOW] [OPTION]... "
		"SOURCE DEST\n  or:  %s --restore [OPTION]... GENERATION TARGET\n  or:  "
		"%s --list[=HOW] [OPTION]... DEST\n  or:  %s --discard [OPTION]... "
		"FILE...\n  or:  %s --diff[=HOW] [OPTION]... OLD NEW\n  or:  %s "
		"--export [--base=OLD] [OPTION]... NEW\n  or:  %s --apply [--base=OLD] "
		"[OPTION]... DEST\n  or:  %s --probe [OPTION]... SOURCE [DIRECTORY]\n"
		"  or:  %s --status [OPTION]... DEST\n  or:  %s --recover [OPTION]... "
		"DEST\n  or:  %s --check-hook=COMMAND [OPTION]... SOURCE...\n"
		"Copy as cp does, "
		"but clone files by reflink, in calls so short that programs\nwhich use "
		"SOURCE do not stall. DEST appears when it is whole, or not at all.\n",
		p, p, p, p, p, p, p, p, p, p, p, p, p, p, p);
	for (unsigned int i = 0; (row = row_at(i)); i++)
		print_row(row);
	(void)printf(
		"\nA TIME is a number and a unit: ns, us, ms, s, m or h; seconds without "
		"one.\nCOMMAND is called as: COMMAND freeze|thaw SOURCE\nCONTROL is none "
		"or off, numbered or t, existing or nil, simple or never; by\ndefault "
		"$VERSION_CONTROL, or else existing.\n\nExit status: 0 done, 1 error, 3 "
		"stopped (--resume continues), 4 the files differ\n(--verify, --diff), 5 "
		"freeze failed, 6 thaw failed, 8 SOURCE was written to\nwhile frozen, "
		"11 another lullcp holds DEST, 75 the hook said to try later.\nFull "
		"documentation: man lullcp\n");
}
