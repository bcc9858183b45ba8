/* SPDX-License-Identifier: MIT */
/*
 * The user's hook: a command, or a directory of commands, that freezes and thaws writers.
 * Called as COMMAND freeze|thaw SOURCE..., in a process group of its own. Its standard
 * input is /dev/null; its standard output and error go to lullcp's standard error
 * (output.h).
 */
#pragma once

#include "util/macros.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct lull_hook;

/* The longest command. A longer one would not fit the checkpoint, so nobody could thaw
   with it later. */
#define LULL_HOOK_LONGEST 4000
/* The most bytes of names in a directory of hooks, for the same reason. */
#define LULL_HOOK_LONGEST_FILES 16000

enum lull_hook_phase { LULL_HOOK_FREEZE, LULL_HOOK_THAW };

/* What the hook is told: the sources as arguments, the rest in its environment. See HOOKS
   in lullcp(1). */
struct lull_hook_facts {
	const char *const *sources; /* its arguments after the phase */
	size_t n_sources;
	const char *run_id;
	const char *dest;
	const char *checkpoint;
	const char *result;     /* for thaw: ok, failed or interrupted */
	uint64_t max_freeze_ns; /* 0: none */
	bool resumed;
};

enum lull_hook_end {
	LULL_HOOK_OK,
	LULL_HOOK_EXITED,  /* with a status other than 0, which is in code */
	LULL_HOOK_KILLED,  /* by a signal, which is in code, but not by us */
	LULL_HOOK_TIMEOUT, /* killed by us */
	/* killed by us because the control descriptor became readable */
	LULL_HOOK_ABORTED,
	LULL_HOOK_ERROR, /* could not be run: code is an errno */
};

/* The exit status of a hook that does not understand its arguments and has done nothing:
   EX_USAGE of sysexits.h. */
#define LULL_HOOK_MISUSED 64

struct lull_hook_status {
	enum lull_hook_end end;
	int code;
	/* no command of the hook has run, because fork(2) or execve(2) failed with err.
	   Then end is LULL_HOOK_ERROR, or exit status 126 or 127 */
	bool not_started;
	int err;
};

/* What a call leaves behind, and where its output goes: see lull_hook_watch(). */
struct lull_hook_traces {
	/* set by the caller: descriptor for its standard output and error */
	int output;
	uint64_t elapsed_ns; /* ns until it ended */
	unsigned int left;   /* processes that are still in its process group */
	int left_pid;        /* of one of them, and its name */
	char left_name[32];
};

/*
 * Splits command as a shell would (quotes, escapes, variables, globs; no command
 * substitution). The hook will run in directory, if that exists then; NULL: in our own.
 * Returns 0, -EINVAL if command cannot be split or is empty, or -ENOMEM.
 */
int lull_hook_parse(const char *command, const char *directory,
		    struct lull_hook **ret_hook) _must_check_;

/* Returns the command as it was given. Valid as long as the hook. */
const char *lull_hook_text(const struct lull_hook *hook);

/*
 * Returns 0 if the command can be started, found as by execvp(3); else -errno, which is
 * -ENODATA for a directory without executables.
 */
int lull_hook_find(const struct lull_hook *hook) _must_check_;

/*
 * Notes for lull_hook_record() how a hook that runs in our directory can be called from
 * anywhere: with everything replaced that a shell would replace, and with the absolute
 * path of the command. If that is not possible (the arguments are too long, the directory
 * is gone), keeps the command as it was given. Returns 0 or -ENOMEM.
 */
int lull_hook_resolve(struct lull_hook *hook) _must_check_;

/*
 * Replaces *command and *directory by copies of what lull_hook_parse() needs to call the
 * hook later. Replaces *files by the names in a directory of hooks, for
 * lull_hook_expect(), or by NULL for a command. Returns 0 or -errno.
 */
int lull_hook_record(const struct lull_hook *hook, char **command, char **directory,
		     char **files) _must_check_;

/* Returns true if hook is the one that was recorded with command. */
bool lull_hook_is_recorded(const struct lull_hook *hook, const char *command);

/* Makes a thaw also call the recorded files of a directory, and fail if one of them is
   gone. Returns 0 or -ENOMEM. */
int lull_hook_expect(struct lull_hook *hook, const char *files) _must_check_;

/*
 * Prepares for a freeze that another process runs. A thaw by this process then calls
 * everything that is in a directory of hooks now, and fails if one of the files is gone.
 */
void lull_hook_remember(struct lull_hook *hook);

/* Frees a hook. NULL is fine. */
void lull_hook_free(struct lull_hook *hook);

/*
 * Runs the hook and waits for it. A command is looked for in PATH. Of a directory, all
 * executables run in the order of their names, for thaw in reverse. freeze stops at the
 * first that fails. thaw runs them all, and returns the first failure.
 *
 * A thaw also calls what the last freeze of this hook has called, and fails if such a
 * file is gone. A command has frozen nothing if the freeze did not get to it, could not
 * start it, or got LULL_HOOK_MISUSED from it. Such a command may fail in the same way in
 * the thaw, and its output is not shown again.
 *
 * After timeout_ns (for thaw of each command, for freeze of all together), or when
 * control (-1: none) becomes readable, the process group gets SIGTERM, and a second later
 * SIGKILL. Returns when all processes of the group have ended, or five seconds later if
 * the kernel does not let them end.
 */
struct lull_hook_status lull_hook_run(struct lull_hook *hook, enum lull_hook_phase phase,
				      const struct lull_hook_facts *facts,
				      uint64_t timeout_ns, int control);

/* As lull_hook_run(), and notes what stays behind. The hook's output goes to
   traces->output. */
struct lull_hook_status lull_hook_watch(const struct lull_hook *hook,
					enum lull_hook_phase phase,
					const struct lull_hook_facts *facts,
					uint64_t timeout_ns, int control,
					struct lull_hook_traces *traces);

/*
 * Thaws, like lull_hook_run() without control. Tries again with growing pauses until
 * timeout_ns has passed, if the failure is not the hook's: no process or no memory for
 * it, or a signal (SIGTERM, SIGKILL, SIGHUP, SIGINT) that ended it. Returns the last
 * status.
 */
struct lull_hook_status lull_hook_thaw(struct lull_hook *hook,
				       const struct lull_hook_facts *facts,
				       uint64_t timeout_ns);
