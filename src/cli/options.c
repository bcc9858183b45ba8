// SPDX-License-Identifier: MIT
/* The option table, and what reads it. */
#include "options.h"

#include "quote.h"
#include "values.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define LENGTH(a) (sizeof(a) / sizeof((a)[0]))

struct row {
	const char *name;
	char letter;
	const char *argument; /* NULL: takes none; "[X]": may be left out */
	bool (*set)(struct command *command, const struct row *row, const char *value);
	size_t field; /* for the setters that write to one place */
	const char *help;
};

/* ---- setters: false after a message ---- */

static bool bad_value(const struct command *c, const struct row *row, const char *value,
		      const char *hint)
{
	(void)fprintf(stderr, "%s: invalid argument %s for '--%s'\n%s\n", c->program,
		      quote(value), row->name, hint);
	return false;
}

static bool set_flag(struct command *c, const struct row *row, const char *value)
{
	(void)value;
	*(bool *)(void *)((char *)c + row->field) = true;
	return true;
}

static bool set_text(struct command *c, const struct row *row, const char *value)
{
	if (*value == '\0')
		return bad_value(c, row, value, "It must not be empty.");
	*(const char **)(void *)((char *)c + row->field) = value;
	return true;
}

static bool set_time(struct command *c, const struct row *row, const char *value)
{
	uint64_t *field = (uint64_t *)(void *)((char *)c + row->field);

	if (!values_time(value, field))
		return bad_value(c, row, value,
				 "A TIME is a number and a unit: ns, us, ms, s, m or h, as in "
				 "10ms. Without a unit it is in seconds.");
	return true;
}

static bool set_positive_time(struct command *c, const struct row *row, const char *value)
{
	if (!set_time(c, row, value))
		return false;
	if (*(uint64_t *)(void *)((char *)c + row->field) == 0)
		return bad_value(c, row, value, "It must be longer than nothing.");
	return true;
}

static bool set_duty_cycle(struct command *c, const struct row *row, const char *value)
{
	uint64_t number;

	if (!values_number(value, 1, 100, &number))
		return bad_value(c, row, value, "PERCENT is a whole number from 1 to 100.");
	c->engine.duty_cycle = (unsigned int)number;
	return true;
}

static bool set_passes(struct command *c, const struct row *row, const char *value)
{
	uint64_t number;

	if (!values_number(value, 1, 1000, &number))
		return bad_value(c, row, value, "N is a whole number from 1 to 1000.");
	c->engine.passes = (unsigned int)number;
	return true;
}

static bool set_on_writers(struct command *c, const struct row *row, const char *value)
{
	static const char *const choices[] = { "auto", "snapshot", "atomic", "fail", "trust" };
	unsigned int index;

	if (!values_choice(value, choices, LENGTH(choices), &index))
		return bad_value(c, row, value, "WHAT is auto, snapshot, atomic, fail or trust.");
	c->engine.on_writers = (enum lull_on_writers)index;
	return true;
}

static bool set_progress(struct command *c, const struct row *row, const char *value)
{
	static const char *const choices[] = { "auto", "always", "never" };
	unsigned int index;

	if (!values_choice(value, choices, LENGTH(choices), &index))
		return bad_value(c, row, value, "WHEN is auto, always or never.");
	c->progress = (enum progress_when)index;
	return true;
}

static bool set_reflink(struct command *c, const struct row *row, const char *value)
{
	static const char *const choices[] = { "always", "auto", "never" };
	unsigned int index = 0;

	if (value && !values_choice(value, choices, LENGTH(choices), &index))
		return bad_value(c, row, value, "WHEN is always.");
	if (index == 0)
		return true;
	(void)fprintf(stderr,
		      "%s: '--reflink=%s' is not supported\n"
		      "lullcp clones, or fails: it never copies bytes.\n",
		      c->program, choices[index]);
	return false;
}

static bool set_mode(struct command *c, const struct row *row, const char *value)
{
	enum mode mode = (enum mode)row->field;

	(void)value;
	if (c->mode != MODE_CLONE && c->mode != mode && mode < MODE_HELP && c->mode < MODE_HELP) {
		(void)fprintf(stderr, "%s: '--%s' excludes '--%s'\n", c->program,
			      c->mode == MODE_STATUS	? "status"
			      : c->mode == MODE_RECOVER ? "recover"
			      : c->mode == MODE_PROBE	? "probe"
							: "verify",
			      row->name);
		return false;
	}
	if (c->mode < MODE_HELP)
		c->mode = mode;
	return true;
}

static bool set_verify(struct command *c, const struct row *row, const char *value)
{
	static const char *const choices[] = { "auto", "maps", "data" };
	unsigned int index = 0;

	if (value && !values_choice(value, choices, LENGTH(choices), &index))
		return bad_value(c, row, value, "HOW is auto, maps or data.");
	c->engine.verify_by = (enum lull_verify_by)index;
	return set_mode(c, row, value);
}

#define FIELD(f) offsetof(struct command, f)

static const struct row table[] = {
	{ "refresh", 0, NULL, set_flag, FIELD(engine.refresh),
	  "bring DEST, an older clone of SOURCE, up to date" },
	{ "base", 0, "FILE", set_text, FIELD(engine.base),
	  "with --refresh: use up this older clone instead" },
	{ "verify", 0, "[HOW]", set_verify, MODE_VERIFY,
	  "compare by: auto (maps, then data), maps, data" },
	{ "probe", 0, NULL, set_mode, MODE_PROBE,
	  "tell what would happen: time, stalls, method" },
	{ "status", 0, NULL, set_mode, MODE_STATUS,
	  "how far an interrupted clone has come" },
	{ "recover", 0, NULL, set_mode, MODE_RECOVER,
	  "thaw writers that a killed run has left frozen" },
	{ "", 0, "Where to:", NULL, 0, NULL },
	{ "no-target-directory", 'T', NULL, set_flag, FIELD(no_target_directory),
	  "treat DEST as a normal file" },
	{ "target-directory", 't', "DIRECTORY", set_text, FIELD(target_directory),
	  "clone SOURCE into DIRECTORY" },
	{ "inplace", 0, NULL, set_flag, FIELD(engine.in_place),
	  "write DEST itself, without a temporary file" },
	{ "no-sync", 0, NULL, set_flag, FIELD(engine.no_sync),
	  "do not wait until DEST is on disk at the end" },
	{ "reflink", 0, "[WHEN]", set_reflink, 0, "accepted for cp: always, the default" },
	{ "", 0, "How gently:", NULL, 0, NULL },
	{ "latency-budget", 0, "TIME", set_positive_time, FIELD(engine.latency_budget_ns),
	  "longest time to hold locks in one call (10ms)" },
	{ "duty-cycle", 0, "PERCENT", set_duty_cycle, 0,
	  "share of the time for holding locks (80)" },
	{ "", 0, "With writers:", NULL, 0, NULL },
	{ "hook", 0, "COMMAND", set_text, FIELD(engine.hook),
	  "freezes and thaws the writers of SOURCE" },
	{ "hook-timeout", 0, "TIME", set_positive_time, FIELD(engine.hook_timeout_ns),
	  "longest time for one call of the hook (60s)" },
	{ "max-freeze", 0, "TIME", set_positive_time, FIELD(engine.max_freeze_ns),
	  "thaw after this long, whatever happens" },
	{ "live", 0, NULL, set_flag, FIELD(engine.live),
	  "freeze for the last, short pass only" },
	{ "passes", 0, "N", set_passes, 0,
	  "passes with writers running, at the most (3)" },
	{ "on-writers", 0, "WHAT", set_on_writers, 0,
	  "if they never pause: auto, snapshot, atomic,\n"
	  "                                fail or trust (auto)" },
	{ "keep-frozen", 0, NULL, set_flag, FIELD(engine.keep_frozen),
	  "if interrupted leave writers frozen (--resume)" },
	{ "", 0, "After an interruption:", NULL, 0, NULL },
	{ "resume", 0, NULL, set_flag, FIELD(engine.resume),
	  "continue an interrupted clone, if there is one" },
	{ "restart", 0, NULL, set_flag, FIELD(engine.restart),
	  "discard an interrupted clone and start again" },
	{ "checkpoint", 0, "FILE", set_text, FIELD(engine.checkpoint),
	  "where progress is recorded (.DEST.lullcp)" },
	{ "checkpoint-interval", 0, "TIME", set_time, FIELD(engine.checkpoint_interval_ns),
	  "how often it is recorded (10s)" },
	{ "lock-wait", 0, "TIME", set_time, FIELD(engine.lock_wait_ns),
	  "wait for another lullcp on the same DEST (0)" },
	{ "", 0, "Output:", NULL, 0, NULL },
	{ "progress", 0, "WHEN", set_progress, 0,
	  "a progress line: auto, always or never (auto)" },
	{ "json", 0, NULL, set_flag, FIELD(json), "JSON Lines on standard output" },
	{ "histogram", 0, NULL, set_flag, FIELD(histogram),
	  "print how long the calls took, at the end" },
	{ "verbose", 'v', NULL, set_flag, FIELD(verbose), "explain what is being done" },
	{ "quiet", 'q', NULL, set_flag, FIELD(quiet), "errors only" },
	{ "help", 0, NULL, set_mode, MODE_HELP, "display this help and exit" },
	{ "version", 0, NULL, set_mode, MODE_VERSION, "output version information and exit" },
};

/* Pairs that exclude each other. */
static const struct {
	const char *a, *b;
	size_t field_a, field_b;
} excluding[] = {
	{ "--resume", "--restart", FIELD(engine.resume), FIELD(engine.restart) },
	{ "--quiet", "--verbose", FIELD(quiet), FIELD(verbose) },
	{ "--json", "--histogram", FIELD(json), FIELD(histogram) },
};

static bool flag_at(const struct command *c, size_t field)
{
	return *(const bool *)((const char *)c + field);
}

static bool try_help(const struct command *c)
{
	(void)fprintf(stderr, "Try '%s --help' for more information.\n", c->program);
	return false;
}

static bool mistake(const struct command *c, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
static bool mistake(const struct command *c, const char *format, ...)
{
	va_list args;

	(void)fprintf(stderr, "%s: ", c->program);
	va_start(args, format);
	(void)vfprintf(stderr, format, args);
	va_end(args);
	(void)fputc('\n', stderr);
	return try_help(c);
}

static bool check(const struct command *c)
{
	bool hookless = !c->engine.hook && !c->engine.resume;

	for (size_t i = 0; i < LENGTH(excluding); i++) {
		if (flag_at(c, excluding[i].field_a) && flag_at(c, excluding[i].field_b))
			return mistake(c, "%s and %s exclude each other", excluding[i].a,
				       excluding[i].b);
	}
	if (c->target_directory && c->no_target_directory)
		return mistake(c, "cannot combine --target-directory (-t) and "
				  "--no-target-directory (-T)");
	if (hookless && (c->engine.keep_frozen || c->engine.max_freeze_ns))
		return mistake(c, "%s needs --hook",
			       c->engine.keep_frozen ? "--keep-frozen" : "--max-freeze");
	if (c->engine.live && hookless)
		return mistake(c, "--live needs --hook");
	if (c->engine.base && !c->engine.refresh)
		return mistake(c, "--base needs --refresh");
	if (c->engine.base && c->engine.in_place)
		return mistake(c, "--base and --inplace exclude each other");
	if (c->engine.refresh && c->mode != MODE_CLONE)
		return mistake(c, "--refresh excludes --verify, --probe, --status and --recover");
	/* One says to leave writers frozen, the other never to. */
	if (c->engine.keep_frozen && c->engine.max_freeze_ns)
		return mistake(c, "--keep-frozen and --max-freeze exclude each other");
	return true;
}

static bool take_operands(struct command *c, int n, char **operand)
{
	int wanted = c->mode <= MODE_VERIFY && !c->target_directory ? 2 : 1;

	if (c->mode == MODE_PROBE) {
		if (n == 0)
			return mistake(c, "missing file operand");
		c->source = operand[0];
		c->dest = n > 1 ? operand[1] : c->target_directory;
		wanted = c->target_directory ? 1 : 2;
	} else if (c->mode > MODE_VERIFY) {
		if (n == 0)
			return mistake(c, "missing destination file operand");
		c->dest = operand[0];
	} else {
		if (n == 0)
			return mistake(c, "missing file operand");
		if (n < wanted)
			return mistake(c, "missing destination file operand after %s",
				       quote(operand[0]));
		c->source = operand[0];
		c->dest = wanted == 2 ? operand[1] : NULL;
	}
	if (n > wanted)
		return mistake(c, "extra operand %s", quote(operand[wanted]));
	return true;
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* The file that DEST means: DEST itself, or one named as SOURCE in it. */
static bool settle_dest(struct command *c)
{
	const char *directory = c->target_directory;
	struct stat st;
	char *path;

	if (c->mode > MODE_VERIFY)
		return true;
	if (!directory && !c->no_target_directory && stat(c->dest, &st) == 0 &&
	    S_ISDIR(st.st_mode))
		directory = c->dest;
	if (!directory)
		return true;
	if (c->target_directory &&
	    (stat(directory, &st) < 0 || !S_ISDIR(st.st_mode))) {
		int err = stat(directory, &st) < 0 ? errno : ENOTDIR;

		(void)fprintf(stderr, "%s: target directory %s: %s\n", c->program,
			      quote(directory), strerror(err));
		return false;
	}
	if (asprintf(&path, "%s%s%s", directory,
		     directory[strlen(directory) - 1] == '/' ? "" : "/",
		     base_name(c->source)) < 0)
		return mistake(c, "out of memory");
	c->dest = c->made_dest = path;
	return true;
}

bool options_parse(int argc, char **argv, struct command *ret_command)
{
	struct option longs[LENGTH(table) + 1] = { 0 };
	char shorts[3 * LENGTH(table) + 1] = "";
	struct command *c = ret_command;
	size_t n = 0;
	int opt, index;

	*c = (struct command){
		.engine = {
			.latency_budget_ns = 10000000ULL,
			.duty_cycle = 80,
			.hook_timeout_ns = 60000000000ULL,
			.checkpoint_interval_ns = 10000000000ULL,
			.passes = 3,
		},
		.program = argc > 0 && *base_name(argv[0]) ? base_name(argv[0]) : "lullcp",
	};
	if (argc == 0)
		return mistake(c, "missing file operand");
	argv[0] = (char *)(uintptr_t)c->program; /* getopt's messages begin with it */

	for (size_t i = 0; i < LENGTH(table); i++) {
		const struct row *row = &table[i];

		if (!row->set)
			continue;
		longs[n++] = (struct option){
			.name = row->name,
			.has_arg = !row->argument	       ? no_argument
				   : row->argument[0] == '[' ? optional_argument
							       : required_argument,
			.val = CHAR_MAX + 1 + (int)i,
		};
		if (row->letter)
			(void)sprintf(shorts + strlen(shorts), "%c%s", row->letter,
				      row->argument ? ":" : "");
	}
	while ((opt = getopt_long(argc, argv, shorts, longs, &index)) != -1) {
		const struct row *row = NULL;

		if (opt == '?')
			return try_help(c);
		for (size_t i = 0; i < LENGTH(table); i++) {
			if (opt == CHAR_MAX + 1 + (int)i || (opt == table[i].letter && opt))
				row = &table[i];
		}
		if (row && !row->set(c, row, optarg))
			return try_help(c);
		if (c->mode >= MODE_HELP)
			return true;
	}
	return check(c) && take_operands(c, argc - optind, argv + optind) && settle_dest(c);
}

void options_help(const struct command *command)
{
	const char *p = command->program;

	(void)printf("Usage: %s [OPTION]... [-T] SOURCE DEST\n"
		     "  or:  %s [OPTION]... SOURCE DIRECTORY\n"
		     "  or:  %s [OPTION]... -t DIRECTORY SOURCE\n"
		     "  or:  %s --refresh [OPTION]... SOURCE DEST\n"
		     "  or:  %s --verify[=HOW] [OPTION]... SOURCE DEST\n"
		     "  or:  %s --probe [OPTION]... SOURCE [DIRECTORY]\n"
		     "  or:  %s --status [OPTION]... DEST\n"
		     "  or:  %s --recover [OPTION]... DEST\n"
		     "Clone SOURCE to DEST by reflink, in calls so short that programs which use\n"
		     "SOURCE do not stall. DEST appears when it is whole, or not at all.\n\n",
		     p, p, p, p, p, p, p, p);
	for (size_t i = 0; i < LENGTH(table); i++) {
		const struct row *row = &table[i];
		char left[40];
		bool optional = row->argument && row->argument[0] == '[';

		if (!row->set) {
			(void)printf("\n%s\n", row->argument);
			continue;
		}
		(void)snprintf(left, sizeof(left), "%c%c%s --%s%s%s", row->letter ? '-' : ' ',
			       row->letter ? row->letter : ' ', row->letter ? "," : " ",
			       row->name, !row->argument ? "" : optional ? "[=" : "=",
			       !row->argument ? "" : row->argument + (optional ? 1 : 0));
		/* One that is too long for its column has a line of its own. */
		(void)printf("  %-30s%s%s\n", left, strlen(left) >= 30 ? "\n                                " : "",
			     row->help);
	}
	(void)printf("\n"
		     "A TIME is a number and a unit: ns, us, ms, s, m or h; seconds without one.\n"
		     "COMMAND is called as: COMMAND freeze|thaw SOURCE\n"
		     "\n"
		     "Exit status: 0 done, 1 error, 3 stopped (--resume continues), 4 the files differ\n"
		     "(--verify), 5 freeze failed, 6 thaw failed, 8 SOURCE was written to while\n"
		     "frozen, 11 another lullcp holds DEST, 75 the hook said to try later.\n"
		     "Full documentation: man lullcp\n");
}
