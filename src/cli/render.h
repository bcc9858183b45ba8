/* SPDX-License-Identifier: MIT */
/* Speaks to people: progress line, status line, messages, closing lines. */
#pragma once

#include "command.h"

struct render {
	const struct command *command;
	bool line_shown; /* a progress line stands on the terminal */
	bool line_wanted;
	bool terminal;
	bool summarized;  /* a JSON summary was written */
	bool table_begun; /* --diff: its head is printed */
	/* that there is no checkpoint has been said: it is so for all files */
	bool unrecorded;
	/* what could be done about a failure, as told last, or NULL; owned. Most files of
	   a tree fail for one reason. */
	char *advice;
	bool input_failed; /* standard input, which was asked for an answer */
	/* a file that was written to while it was cloned, or NULL; owned */
	char *written;
	enum lull_call call;  /* one that hangs, */
	uint64_t call_ns;     /* and for how long: set by the vigil */
	uint64_t next_line;   /* elapsed_ns at which the line is drawn again */
	uint64_t next_status; /* the same for JSON status lines */
};

/* Ready for the run that command asks for, which outlives it. Looks whether outputs are
   terminals. */
void render_init(struct render *render, const struct command *command);

/* After each call of the engine: draws what is due. */
void render_progress(struct render *render, const struct lull_progress *progress);

/* A status line now and in any case (SIGUSR1). */
void render_status(struct render *render, const struct lull_progress *progress);

/* What the engine has to say, in words or as a JSON line. */
void render_note(struct render *render, const struct lull_note *note);

/* Asks on standard error, and reads a line of standard input. True: yes. */
bool render_ask(struct render *render, const struct lull_question *question);

/* Bytes that were copied because a clone was refused: once, at the end. */
void render_totals(struct render *render, enum lull_outcome outcome,
		   const struct lull_totals *totals);

/* A warning, if several files were cloned that should be of one moment: once, at the
   end. */
void render_moments(struct render *render);

/* What --verify found. */
void render_comparison(struct render *render, enum lull_outcome outcome,
		       const struct lull_comparison *found, int signal);

/* What --probe found. */
void render_forecast(struct render *render, enum lull_outcome outcome,
		     const struct lull_forecast *found, int signal);

/* How a file ended: message, --summary lines, histogram, JSON summary. signal: 0 or what
   ended it. */
void render_end(struct render *render, enum lull_outcome outcome,
		const struct lull_result *result, int signal);

/* A step of --check-hook. */
void render_step(struct render *render, const struct lull_step *step);

/* What --check-hook came to. */
void render_verdict(struct render *render, enum lull_outcome outcome,
		    const struct lull_verdict *verdict, int signal);

/* Which file became which, as cp -v says it, on standard output. */
void render_arrow(const struct command *command, const struct lull_result *result);

/* Takes the progress line away, if one stands on the terminal. */
void render_clear(struct render *render);

/* Why it came to nothing, in words and as a JSON line. outcome is not LULL_OK; signal:
   what interrupted it, if that is it. */
void render_failure(struct render *render, enum lull_outcome outcome,
		    const struct lull_failure *failure, int signal);

/* A message and advice, or NULL, on standard error. */
void render_say(struct render *render, const char *message, const char *advice);

/* What --status and --recover found. */
void render_report(struct render *render, enum lull_outcome outcome,
		   const struct lull_report *report);
