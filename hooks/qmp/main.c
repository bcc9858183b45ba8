// SPDX-License-Identifier: MIT
/*
 * lullcp-hook-qmp: freezes and thaws the disks of a running QEMU for lullcp, by sending
 * their writes to a sidecar and merging it back. See lullcp-hooks(7).
 */
#include "agent.h"
#include "disks.h"
#include "merge.h"
#include "redirect.h"
#include "say.h"
#include "shut_off.h"
#include "util/values.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#define SOCKET_VARIABLE "LULLCP_QMP_SOCKET"
#define AGENT_VARIABLE  "LULLCP_QMP_AGENT"

static const struct option table[] = {
	{ "socket", required_argument, NULL, 's' },
	{ "sidecar-dir", required_argument, NULL, 'd' },
	{ "quiesce", no_argument, NULL, 'q' },
	{ "agent", required_argument, NULL, 'a' },
	{ "timeout", required_argument, NULL, 't' },
	{ "agent-timeout", required_argument, NULL, 'A' },
	{ "commit-timeout", required_argument, NULL, 'c' },
	{ "shut-off", required_argument, NULL, 'o' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ NULL, 0, NULL, 0 },
};

static int usage(void)
{
	(void)printf(
		"Usage: lullcp-hook-qmp [OPTION]... freeze|thaw SOURCE...\nRedirect the "
		"disks of a running QEMU, or qemu-storage-daemon, to sidecar\nfiles, and "
		"merge these back. A hook for lullcp.\n\n      --socket=PATH          "
		"QMP socket (default $" SOCKET_VARIABLE ")\n"
		"      --sidecar-dir=DIR      where sidecars go (beside each "
		"SOURCE)\n      --quiesce              freeze the guest's file systems "
		"for the moment\n                               of the redirect\n      "
		"--agent=PATH           the guest agent's socket "
		"(default\n                               "
		"$" AGENT_VARIABLE "), for --quiesce\n"
		"      --timeout=TIME         for each answer of QEMU (30s)\n"
		"      --agent-timeout=TIME   for each answer of the guest agent (30s)\n"
		"      --commit-timeout=TIME  for the merge (10m)\n"
		"      --shut-off=WHAT        where no QEMU is at the socket: fail, "
		"later (exit\n                               status 75), or clone, if "
		"nobody writes to SOURCE\n                               (fail)\n"
		"      --help                 print this and exit\n"
		"      --version              print the version and exit\n");
	return fflush(stdout) == 0 ? 0 : 1;
}

static int unusable(const char *what, const char *value)
{
	say("%s%s%s%s", what, value ? " '" : "", value ? value : "", value ? "'" : "");
	/* Give the full name: lullcp finds the hook where PATH need not lead. */
	(void)fprintf(stderr, "Try '%s --help' for more information.\n",
		      program_invocation_name);
	return EX_USAGE;
}

static void on_signal(int signal)
{
	(void)signal;
	say_stopped = 1;
}

static void catch_signals(void)
{
	static const int stopping[] = { SIGTERM, SIGINT, SIGHUP };
	struct sigaction action = { .sa_handler = on_signal };

	for (size_t i = 0; i < ARRAY_SIZE(stopping); i++)
		(void)sigaction(stopping[i], &action, NULL);
	action.sa_handler = SIG_IGN;
	(void)sigaction(SIGPIPE, &action, NULL);
}

static int freeze(struct disks *disks, const struct settings *settings)
{
	struct qmp *qmp = NULL;
	_cleanup_free_ char *why = NULL;
	int r = qmp_open(settings->socket, settings->timeout_ns, settings->timeout_ns,
			 &qmp, &why);

	if (r == -ENOENT || r == -ECONNREFUSED)
		return shut_off_freeze(disks, settings, why ? why : "out of memory");
	if (r < 0) {
		say("%s; not frozen", why ? why : "out of memory");
		return 1;
	}
	r = redirect_disks(disks, qmp, settings);
	qmp_close(qmp);
	return r < 0;
}

static int thaw(struct disks *disks, const struct settings *settings)
{
	struct qmp *qmp = NULL;
	_cleanup_free_ char *why = NULL;
	int agent = 0, r;

	/* A marked sidecar: a freeze may have been killed between the agent's freeze and
	   thaw. */
	if (settings->agent && disks_have_sidecar(disks, true)) {
		agent = agent_thaw(settings->agent, settings->agent_timeout_ns, &why);
		/* A merge begins only after the agent has thawed the guest. An agent that
		   is gone since then must not prevent the end of the merge. */
		if (agent < 0 && !disks_are_between(disks)) {
			say("%s; but a merge has begun, and it was thawed before that",
			    why ? why : "out of memory");
			agent = 0;
		}
		if (agent < 0)
			say("%s; the file systems in the guest may still be frozen",
			    why ? why : "out of memory");
		free(why);
		why = NULL;
	}
	/* Another call may hold the monitor for another disk of the guest until that is
	   merged. */
	r = qmp_open(settings->socket,
		     MAX(settings->timeout_ns, settings->commit_timeout_ns),
		     settings->timeout_ns, &qmp, &why);
	if ((r == -ENOENT || r == -ECONNREFUSED) && !disks_have_sidecar(disks, false))
		return 0; /* no QEMU, no sidecar: nothing is frozen */
	if (r < 0) {
		if (shut_off_settle(disks) && (r == -ENOENT || r == -ECONNREFUSED))
			return 0;
		say("%s; not thawed", why ? why : "out of memory");
		return 1;
	}
	/* Only the mark on the sidecar makes the next thaw ask the agent again. */
	if (agent < 0)
		say("the sidecar stays for the next thaw; one without --quiesce does not "
		    "ask the agent");
	else
		r = merge_disks(disks, qmp, settings);
	qmp_close(qmp);
	return r < 0 || agent < 0;
}

static int time_value(const char *option, const char *text, uint64_t *ret_ns)
{
	if (lull_value_time(text, ret_ns) && *ret_ns > 0)
		return 0;
	say("%s: invalid time '%s'", option, text);
	return -EINVAL;
}

static int shut_off_value(const char *text, enum shut_off *ret)
{
	static const char *const names[] = {
		[SHUT_OFF_FAIL] = "fail",
		[SHUT_OFF_LATER] = "later",
		[SHUT_OFF_CLONE] = "clone",
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (strcmp(text, names[i]) == 0) {
			*ret = (enum shut_off)i;
			return 0;
		}
	}
	say("--shut-off: '%s' is not clone, later or fail", text);
	return -EINVAL;
}

/* The settings from the command line and the environment. */
struct command_line {
	struct settings settings;
	const char *agent;
	bool quiesce; /* --quiesce was given */
};

/* Returns true to continue, or false with the exit status in *ret_status. */
static bool take_option(struct command_line *c, int option, int *ret_status)
{
	struct settings *s = &c->settings;
	int r = 0;

	*ret_status = EX_USAGE;
	switch (option) {
	case 's':
		s->socket = optarg;
		break;
	case 'd':
		s->sidecar_dir = optarg;
		break;
	case 'q':
		c->quiesce = true;
		break;
	case 'a':
		c->agent = optarg;
		break;
	case 't':
		r = time_value("--timeout", optarg, &s->timeout_ns);
		break;
	case 'A':
		r = time_value("--agent-timeout", optarg, &s->agent_timeout_ns);
		break;
	case 'c':
		r = time_value("--commit-timeout", optarg, &s->commit_timeout_ns);
		break;
	case 'o':
		r = shut_off_value(optarg, &s->shut_off);
		break;
	case 'h':
		*ret_status = usage();
		return false;
	case 'V':
		(void)printf("lullcp-hook-qmp %s\n", LULLCP_VERSION);
		*ret_status = 0;
		return false;
	default:
		return false;
	}
	return r == 0;
}

/* Checks the n operands. Returns 0 or an exit status. */
static int take_operands(struct command_line *c, int n, char **operand)
{
	struct settings *s = &c->settings;

	if (n < 2)
		return unusable("missing operand: freeze or thaw, and SOURCE", NULL);
	if (strcmp(operand[0], "freeze") != 0 && strcmp(operand[0], "thaw") != 0)
		return unusable("neither freeze nor thaw:", operand[0]);
	if (!s->socket || !*s->socket)
		return unusable("no monitor: give --socket or set " SOCKET_VARIABLE,
				NULL);
	if (c->quiesce && (!c->agent || !*c->agent))
		return unusable("--quiesce needs --agent or " AGENT_VARIABLE, NULL);
	s->agent = c->quiesce ? c->agent : NULL;
	s->thaws = strcmp(operand[0], "thaw") == 0;
	return 0;
}

int main(int argc, char **argv)
{
	struct command_line c = {
		.settings = {
			.socket = getenv(SOCKET_VARIABLE),
			.run = mark_run(getenv("LULLCP_RUN_ID")),
			.timeout_ns = 30 * NSEC_PER_SEC,
			.agent_timeout_ns = 30 * NSEC_PER_SEC,
			.commit_timeout_ns = 600 * NSEC_PER_SEC,
		},
		.agent = getenv(AGENT_VARIABLE),
	};
	struct disks disks = { 0 };
	int option, status;

	while ((option = getopt_long(argc, argv, "", table, NULL)) != -1) {
		if (!take_option(&c, option, &status))
			return status;
	}
	argv += optind;
	argc -= optind;
	status = take_operands(&c, argc, argv);
	if (status != 0)
		return status;
	catch_signals();
	status = 1;
	if (disks_init(&disks, argv + 1, (size_t)(argc - 1), &c.settings))
		status = c.settings.thaws ? thaw(&disks, &c.settings)
					  : freeze(&disks, &c.settings);
	if (disks.lacks)
		status = 1;
	disks_done(&disks);
	return status;
}
