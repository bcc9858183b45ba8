/* SPDX-License-Identifier: MIT */
/*
 * The caller's hook: a command, or a directory of them, that freezes and thaws writers.
 * Called as COMMAND freeze|thaw SOURCE..., in a process group of its own, with standard
 * input from /dev/null and standard output and error on their way to standard error
 * (output.h).
 */
#pragma once

#include "util/macros.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct lull_hook;

/* A longer command would not fit the checkpoint, and nobody could thaw with it later. */
#define LULL_HOOK_LONGEST 4000
/* Nor would more than this of names in a directory of hooks. */
#define LULL_HOOK_LONGEST_FILES 16000

enum lull_hook_phase { LULL_HOOK_FREEZE, LULL_HOOK_THAW };

/* What the hook learns, from its environment but for the sources; see HOOKS in
   lullcp(1). */
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
	LULL_HOOK_EXITED,  /* with a status other than 0: code */
	LULL_HOOK_KILLED,  /* by a signal of its own: code */
	LULL_HOOK_TIMEOUT, /* killed by us */
	/* killed by us because the control descriptor became readable */
	LULL_HOOK_ABORTED,
	LULL_HOOK_ERROR, /* could not be run: code is an errno */
};

/* Exit status of a hook that was called in a way it does not understand, and has done
   nothing: EX_USAGE of sysexits.h. */
#define LULL_HOOK_MISUSED 64

struct lull_hook_status {
	enum lull_hook_end end;
	int code;
	/* no command of it has run: fork(2) or execve(2) failed, with err, and the end
	   is LULL_HOOK_ERROR, or exit status 126 or 127 */
	bool not_started;
	int err;
};

/* What a call leaves behind, and where it speaks: see lull_hook_watch(). */
struct lull_hook_traces {
	int output;          /* given: its standard output and error */
	uint64_t elapsed_ns; /* until it ended */
	unsigned int left;   /* processes that still are in its process group */
	int left_pid;        /* of one of them, and its name */
	char left_name[32];
};

/*
 * Splits command as a shell would (quotes, escapes, variables, globs; no command
 * substitution). The hook will run in directory, if it is there then; NULL: in ours. 0,
 * -EINVAL if it cannot be split or is empty, -ENOMEM.
 */
int lull_hook_parse(const char *command, const char *directory,
		    struct lull_hook **ret_hook) _must_check_;

/* The command as it was given, as long as the hook lives. */
const char *lull_hook_text(const struct lull_hook *hook);

/*
 * 0 if the command can be started, as execvp(3) would find it; else -errno, which is
 * -ENODATA for a directory without executables.
 */
int lull_hook_find(const struct lull_hook *hook) _must_check_;

/*
 * Notes how a hook that is to run in our directory can be called from anywhere, for
 * lull_hook_record(): all that a shell replaces is replaced, and the path of the command
 * is absolute. One that cannot be said so (its arguments are too long, the directory is
 * gone) stays as it was given. 0 or -ENOMEM.
 */
int lull_hook_resolve(struct lull_hook *hook) _must_check_;

/*
 * Puts copies of what lull_hook_parse() needs, to call the hook later, in place of two
 * texts, and in place of *files the names of what is in a directory of hooks, for
 * lull_hook_expect(): NULL for a command. 0 or -errno.
 */
int lull_hook_record(const struct lull_hook *hook, char **command, char **directory,
		     char **files) _must_check_;

/* True for the hook of which lull_hook_record() has said command, found again. */
bool lull_hook_is_recorded(const struct lull_hook *hook, const char *command);

/* A thaw calls the recorded files of the directory too, and fails if one of them is gone.
   0 or -ENOMEM. */
int lull_hook_expect(struct lull_hook *hook, const char *files) _must_check_;

/*
 * Before a freeze that another process begins: a thaw by this one calls all that is in a
 * directory of hooks now, and fails if one of them is gone by then.
 */
void lull_hook_remember(struct lull_hook *hook);

/* NULL is fine. */
void lull_hook_free(struct lull_hook *hook);

/*
 * Runs the hook and waits for it. A command is looked for in PATH; of a directory all
 * executables run in the order of their names, for thaw in reverse. freeze ends at the
 * first that fails, thaw runs them all and reports the first failure. What the freeze of
 * this hook before has called is called by thaw, and is missed if it is gone; what it has
 * not come to, could not start, or has heard LULL_HOOK_MISUSED of, may say that, or not
 * start, again: it has frozen nothing, and what it prints then is not shown again.
 *
 * After timeout_ns (for thaw for each command, for freeze for all of them), or when
 * control (-1: none) becomes readable, the process group gets SIGTERM, a second later
 * SIGKILL. The call returns when all of the group have ended, and for what the kernel
 * does not let go five seconds later.
 */
struct lull_hook_status lull_hook_run(struct lull_hook *hook, enum lull_hook_phase phase,
				      const struct lull_hook_facts *facts,
				      uint64_t timeout_ns, int control);

/* The same, and looks what stays behind. What the hook prints goes to traces->output. */
struct lull_hook_status lull_hook_watch(const struct lull_hook *hook,
					enum lull_hook_phase phase,
					const struct lull_hook_facts *facts,
					uint64_t timeout_ns, int control,
					struct lull_hook_traces *traces);

/*
 * Thaws: as lull_hook_run() without control, but tries again, with growing pauses, as
 * long as timeout_ns is not over and the failure has nothing to do with the hook: no
 * process or memory for it, or a signal (SIGTERM, SIGKILL, SIGHUP, SIGINT) that ended it.
 * The last status.
 */
struct lull_hook_status lull_hook_thaw(struct lull_hook *hook,
				       const struct lull_hook_facts *facts,
				       uint64_t timeout_ns);
