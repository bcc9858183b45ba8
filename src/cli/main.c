// SPDX-License-Identifier: MIT
/* lullcp: reads the command line, calls the engine, reports the result. */
#include "carry.h"
#include "metrics.h"
#include "options.h"
#include "outlet.h"
#include "private.h"
#include "quote.h"
#include "render.h"
#include "render_row.h"
#include "service.h"
#include "vigil.h"
#include "words.h"

#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>

static volatile sig_atomic_t stop_signal;
static volatile sig_atomic_t status_wanted;

static void on_stop(int signal)
{
	stop_signal = signal;
}

static void on_status(int signal)
{
	(void)signal;
	status_wanted = 1;
}

/* Does not set SA_RESTART, because a signal must end a sleep. A signal that nohup ignores
   stays ignored. */
static void catch (int signal, void (*handler)(int))
{
	struct sigaction action = { .sa_handler = handler };
	struct sigaction before;

	if (sigaction(signal, NULL, &before) == 0 && before.sa_handler == SIG_IGN &&
	    signal != SIGUSR1)
		return;
	(void)sigaction(signal, &action, NULL);
}

static void set_up_signals(void)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN };
	struct sigaction plain = { .sa_handler = SIG_DFL };

	catch (SIGINT, on_stop);
	catch (SIGTERM, on_stop);
	catch (SIGHUP, on_stop);
	catch (SIGUSR1, on_status);
	/* Exceeding the limit for file sizes and losing the reader are to be errors like
	   others. */
	(void)sigaction(SIGXFSZ, &ignore, NULL);
	(void)sigaction(SIGPIPE, &ignore, NULL);
	/* If SIGCHLD was inherited as ignored, waitpid(2) could not tell how the hook
	   ended. */
	(void)sigaction(SIGCHLD, &plain, NULL);
	/* The rests between calls are short: the default timer slack of 50 us would
	   lengthen them. */
	(void)prctl(PR_SET_TIMERSLACK, 1000UL, 0UL, 0UL, 0UL);
}

static void on_progress(void *ctx, const struct lull_progress *progress)
{
	struct render *render = ctx;

	vigil_take_word();
	vigil_progress(progress);
	service_progress(progress);
	outlet_drain();
	if (status_wanted) {
		status_wanted = 0;
		render_status(render, progress);
	}
	render_progress(render, progress);
	vigil_give_word();
}

static void on_call(void *ctx, enum lull_call call)
{
	(void)ctx;
	vigil_call(call);
}

static void on_note(void *ctx, const struct lull_note *note)
{
	vigil_take_word();
	render_note(ctx, note);
	vigil_give_word();
}

static bool on_ask(void *ctx, const struct lull_question *question)
{
	bool yes;

	vigil_take_word();
	yes = render_ask(ctx, question);
	vigil_give_word();
	return yes;
}

static void on_file(void *ctx, enum lull_outcome outcome,
		    const struct lull_result *result)
{
	metrics_file(result);
	vigil_take_word();
	render_end(ctx, outcome, result, stop_signal);
	vigil_give_word();
}

static void on_step(void *ctx, const struct lull_step *step)
{
	vigil_take_word();
	render_step(ctx, step);
	vigil_give_word();
}

static void on_change(void *ctx, const struct lull_change *change)
{
	carry_change(ctx, change);
}

static bool should_stop(void *ctx)
{
	const struct render *render = ctx;
	static bool told;

	if (stop_signal != 0 && !told) {
		told = true;
		service_stopping(render->command, true);
	}
	return stop_signal != 0;
}

/* Returns the exit status: output that could not be written is a failure. */
static int flush_output(const struct command *command, int status)
{
	if (outlet_end())
		return status;
	(void)fprintf(stderr, "%s: write error: %s\n", command->program, strerror(errno));
	return status ? status : 1;
}

/* Ends the process by the signal that interrupted it, so that the caller sees the signal,
   and a shell stops its script. */
static void end_by_signal(enum lull_outcome outcome)
{
	if (outcome != LULL_INTERRUPTED || !stop_signal)
		return;
	(void)signal(stop_signal, SIG_DFL);
	(void)raise(stop_signal);
}

/* Measures the row for --metrics. It reads the row's maps only after a run that
   succeeded. */
static void look_at_row(const struct command *command,
			const struct lull_observer *observer)
{
	const char *dest = metrics_row_dest(command);
	struct lull_row row;

	if (!dest)
		return;
	if (lull_list(&command->engine, dest, false, observer, &row) == LULL_OK)
		metrics_row(&row);
	lull_row_done(&row);
}

static int run_copy(const struct command *command, struct render *render,
		    const struct lull_observer *observer)
{
	struct lull_totals totals;
	enum lull_outcome outcome;
	int status;

	if (!metrics_begin(command))
		return 1;
	vigil_begin(render, &stop_signal, &status_wanted);
	outcome = lull_copy(&command->engine, command->sources, command->n_sources,
			    command->dest, command->target_directory, command->target_fd,
			    observer, &totals);
	if (outcome == LULL_OK)
		look_at_row(command, observer);
	vigil_end();
	status = words_exit_status(outcome);
	render_totals(render, outcome, &totals);
	if (outcome == LULL_OK)
		render_moments(render);
	if (render->input_failed) {
		(void)fprintf(stderr, "%s: error closing file\n", command->program);
		status = status ? status : 1;
	}
	status = flush_output(command, status);
	if (!metrics_end(command,
			 outcome == LULL_INTERRUPTED && stop_signal ? 128 + stop_signal
								    : status,
			 &totals))
		status = status ? status : 1;
	end_by_signal(outcome);
	return status;
}

static enum lull_outcome run_restore(const struct command *command, struct render *render,
				     const struct lull_observer *observer)
{
	struct lull_totals totals;
	enum lull_outcome outcome;

	vigil_begin(render, &stop_signal, &status_wanted);
	outcome = lull_restore(&command->engine, command->source, command->dest, observer,
			       &totals);
	vigil_end();
	render_totals(render, outcome, &totals);
	return outcome;
}

static enum lull_outcome run_verify(const struct command *command, struct render *render,
				    const struct lull_observer *observer)
{
	struct lull_comparison found;
	enum lull_outcome outcome = lull_verify(&command->engine, command->source,
						command->dest, observer, &found);

	render_comparison(render, outcome, &found, stop_signal);
	lull_comparison_done(&found);
	return outcome;
}

static enum lull_outcome run_carry(struct render *render,
				   const struct lull_observer *observer)
{
	enum lull_outcome outcome = carry_run(render, observer, &stop_signal);

	render_clear(render);
	return outcome;
}

static enum lull_outcome run_probe(const struct command *command, struct render *render,
				   const struct lull_observer *observer)
{
	struct lull_forecast found;
	enum lull_outcome outcome = lull_probe(&command->engine, command->source,
					       command->dest, observer, &found);

	render_forecast(render, outcome, &found, stop_signal);
	lull_forecast_done(&found);
	return outcome;
}

/* Returns true after a message if DEST is a directory: the mode needs the name of one
   clone. */
static bool is_directory(const struct command *command)
{
	struct stat st;

	if (stat(command->dest, &st) < 0 || !S_ISDIR(st.st_mode))
		return false;
	(void)fprintf(stderr, "%s: %s is a directory: give the name of a clone in it\n%s",
		      command->program, quote(command->dest),
		      command->mode == MODE_LIST
			      ? "That is the DEST that --keep was given, without a "
				"date.\n"
			      : "");
	return true;
}

static enum lull_outcome run_list(const struct command *command, struct render *render,
				  const struct lull_observer *observer)
{
	struct lull_row row;
	enum lull_outcome outcome;

	if (is_directory(command))
		return LULL_FAILED;
	outcome = lull_list(&command->engine, command->dest, command->list_quick,
			    observer, &row);
	render_row(render, outcome, &row, stop_signal);
	lull_row_done(&row);
	return outcome;
}

static enum lull_outcome run_foresee(const struct command *command, struct render *render,
				     const struct lull_observer *observer)
{
	struct lull_row row;
	enum lull_outcome outcome = lull_foresee(&command->engine, command->source,
						 command->dest, observer, &row);

	render_foreseen(render, outcome, &row, stop_signal);
	lull_row_done(&row);
	return outcome;
}

static enum lull_outcome run_check_hook(const struct command *command,
					struct render *render,
					const struct lull_observer *observer)
{
	struct lull_verdict verdict;
	enum lull_outcome outcome = lull_check_hook(&command->engine, command->sources,
						    command->n_sources, observer,
						    &verdict);

	render_verdict(render, outcome, &verdict, stop_signal);
	lull_verdict_done(&verdict);
	return outcome;
}

/* --status shows the generations of a row if no clone of it is running or interrupted. */
static bool show_row(const struct command *command, struct render *render,
		     const struct lull_observer *observer,
		     const struct lull_report *report)
{
	struct lull_row row;
	bool shown;

	if (command->mode != MODE_STATUS ||
	    report->failure.cause != LULL_CAUSE_NO_CHECKPOINT)
		return false;
	shown = lull_list(&command->engine, command->dest, true, observer, &row) ==
			LULL_OK &&
		row.n > 0;
	if (shown)
		render_idle_row(render, &row);
	lull_row_done(&row);
	return shown;
}

static enum lull_outcome run_report(const struct command *command, struct render *render,
				    const struct lull_observer *observer)
{
	struct lull_report report;
	enum lull_outcome outcome;

	if (is_directory(command))
		return LULL_FAILED;
	outcome = command->mode == MODE_STATUS
			  ? lull_status(&command->engine, command->dest, &report)
			  : lull_recover(&command->engine, command->dest, observer,
					 &report);
	if (outcome == LULL_FAILED && show_row(command, render, observer, &report))
		outcome = LULL_OK;
	else
		render_report(render, outcome, &report);
	lull_report_done(&report);
	return outcome;
}

static enum lull_outcome run_mode(const struct command *command, struct render *render,
				  const struct lull_observer *observer)
{
	switch (command->mode) {
	case MODE_CLONE:
		return run_foresee(command, render, observer);
	case MODE_VERIFY:
		return run_verify(command, render, observer);
	case MODE_PROBE:
		return run_probe(command, render, observer);
	case MODE_CHECK_HOOK:
		return run_check_hook(command, render, observer);
	case MODE_LIST:
		return run_list(command, render, observer);
	case MODE_DISCARD:
		return lull_discard(&command->engine, command->sources,
				    command->n_sources, observer);
	case MODE_RESTORE:
		return run_restore(command, render, observer);
	case MODE_DIFF:
	case MODE_EXPORT:
	case MODE_APPLY:
		return run_carry(render, observer);
	case MODE_STATUS:
	case MODE_RECOVER:
	case MODE_HELP:
	case MODE_VERSION:
		break;
	}
	return run_report(command, render, observer);
}

static int run(const struct command *command, struct render *render,
	       const struct lull_observer *observer)
{
	enum lull_outcome outcome;
	int status;

	if (command->mode == MODE_CLONE && !command->dry_run)
		return run_copy(command, render, observer);
	outcome = run_mode(command, render, observer);
	status = flush_output(command, words_exit_status(outcome));
	if (command->mode != MODE_STATUS && command->mode != MODE_RECOVER)
		end_by_signal(outcome);
	return status;
}

/* If a standard descriptor were closed, the next file opened would take its number and
   receive the output. What is opened here in its place refuses it. */
static void keep_standard_files(void)
{
	for (int fd = 0; fd <= 2; fd++) {
		if (fcntl(fd, F_GETFD) < 0)
			(void)open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY);
	}
}

int main(int argc, char **argv)
{
	struct command command;
	struct render render;
	int status;
	struct lull_observer observer = {
		.ctx = &render,
		.progress = on_progress,
		.note = on_note,
		.should_stop = should_stop,
		.call = on_call,
		.ask = on_ask,
		.file = on_file,
		.step = on_step,
		.change = on_change,
	};

	(void)setlocale(LC_CTYPE, "");
	keep_standard_files();
	service_begin();
	set_up_signals();
	if (!options_parse(argc, argv, &command)) {
		if (command.mode == MODE_CLONE)
			(void)metrics_end(&command, 1, NULL);
		return 1;
	}
	command.engine.umask = umask(0);
	(void)umask(command.engine.umask);
	command.private_directory = private_directory();
	command.engine.state_directory = command.private_directory;
	render_init(&render, &command);

	/* "lullcp --help | head" ends by SIGPIPE, as with other programs. */
	if (command.mode == MODE_HELP || command.mode == MODE_VERSION)
		(void)signal(SIGPIPE, SIG_DFL);
	if (command.mode == MODE_HELP) {
		options_help(&command);
		return flush_output(&command, 0);
	}
	if (command.mode == MODE_VERSION) {
		(void)printf("lullcp %s\n", LULLCP_VERSION);
		return flush_output(&command, 0);
	}
	outlet_begin(&command, &stop_signal);
	service_ready(&command);
	status = run(&command, &render, &observer);
	free(render.written);
	free(render.advice);
	service_stopping(&command, false);
	free(command.made_dest);
	free(command.private_directory);
	return status;
}
