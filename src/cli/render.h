/* SPDX-License-Identifier: MIT */
/* Output for the user: progress line, status line, messages, summary. */
#pragma once

#include "command.h"

struct render {
	const struct command *command;
	bool line_shown; /* the terminal shows a progress line */
	bool line_wanted;
	bool terminal;
	bool summarized;  /* a JSON summary was written */
	bool table_begun; /* --diff: the heading of the table was printed */
	/* the lack of a checkpoint was reported, which is the same for all files */
	bool unrecorded;
	/* the last advice about a failure, or NULL; owned. Most files of a tree fail for
	   one reason. */
	char *advice;
	bool input_failed; /* standard input failed when it was asked for an answer */
	/* a SOURCE that somebody wrote to while it was cloned, or NULL; owned */
	char *written;
	enum lull_call call;  /* call that takes long, set by the vigil */
	uint64_t call_ns;     /* time that it has taken, set by the vigil */
	uint64_t next_line;   /* elapsed_ns at which the line is redrawn */
	uint64_t next_status; /* elapsed_ns of the next JSON status line */
};

/* Initializes for the run of command, which must outlive it, and checks whether the
   outputs are terminals. */
void render_init(struct render *render, const struct command *command);

/* Draws what is due. Called after each call of the engine. */
void render_progress(struct render *render, const struct lull_progress *progress);

/* Prints a status line even if none is due (SIGUSR1). */
void render_status(struct render *render, const struct lull_progress *progress);

/* Prints a note of the engine, in words or as a JSON line. */
void render_note(struct render *render, const struct lull_note *note);

/* Asks on standard error and reads a line of standard input. Returns true for yes. */
bool render_ask(struct render *render, const struct lull_question *question);

/* Reports once, at the end, the bytes that were copied because a clone was refused. */
void render_totals(struct render *render, enum lull_outcome outcome,
		   const struct lull_totals *totals);

/* Warns once, at the end, if the cloned files should have been of one point in time. */
void render_moments(struct render *render);

/* Prints the result of --verify. */
void render_comparison(struct render *render, enum lull_outcome outcome,
		       const struct lull_comparison *found, int signal);

/* Prints the result of --probe. */
void render_forecast(struct render *render, enum lull_outcome outcome,
		     const struct lull_forecast *found, int signal);

/* Prints how a file ended: message, --summary lines, histogram, JSON summary. signal: the
   signal that interrupted it, or 0. */
void render_end(struct render *render, enum lull_outcome outcome,
		const struct lull_result *result, int signal);

/* Prints a step of --check-hook. */
void render_step(struct render *render, const struct lull_step *step);

/* Prints the result of --check-hook. */
void render_verdict(struct render *render, enum lull_outcome outcome,
		    const struct lull_verdict *verdict, int signal);

/* Prints on standard output which file became which, as cp -v does. */
void render_arrow(const struct command *command, const struct lull_result *result);

/* Removes the progress line if the terminal shows one. */
void render_clear(struct render *render);

/* Prints why the run failed, in words and as a JSON line. outcome is not LULL_OK. signal:
   the signal that interrupted it, or 0. */
void render_failure(struct render *render, enum lull_outcome outcome,
		    const struct lull_failure *failure, int signal);

/* Prints a message, and advice unless that is NULL, on standard error. */
void render_say(struct render *render, const char *message, const char *advice);

/* Prints the result of --status and --recover. */
void render_report(struct render *render, enum lull_outcome outcome,
		   const struct lull_report *report);
