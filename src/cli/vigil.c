// SPDX-License-Identifier: MIT
/* Speaks during a call that hangs: see vigil.h. */
#include "vigil.h"

#include "service.h"
#include "words.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MS     1000000ULL
#define SECOND 1000000000ULL
/* How often it looks, and after how long a call is one that hangs. */
#define LOOK_NS     (250 * MS)
#define PATIENCE_NS SECOND
/* How often it notes how far the engine is: finding percentiles takes some
   microseconds. */
#define NOTE_NS (200 * MS)
/* Of longer paths the line shows no more either. */
#define PATH_ROOM 1024

static struct {
	pthread_t thread;
	pthread_mutex_t word; /* who has it may print */
	pthread_cond_t over;
	bool running, ending;
	struct render *render;
	volatile sig_atomic_t *stop_signal, *status_wanted;
	int told;       /* the signal that was answered */
	uint64_t shown; /* the call for which a pending SIGUSR1 was answered */
	struct lull_progress progress;
	char source[PATH_ROOM], dest[PATH_ROOM]; /* of it: the engine's may be gone */
	uint64_t noted;                          /* when; 0: nothing yet */
	_Atomic uint64_t since; /* of the call that is under way, 0: there is none */
	_Atomic int call;
} vigil = { .word = PTHREAD_MUTEX_INITIALIZER };

static uint64_t now(void)
{
	struct timespec at;

	(void)clock_gettime(CLOCK_MONOTONIC, &at);
	return (uint64_t)at.tv_sec * SECOND + (uint64_t)at.tv_nsec;
}

/*
 * One that has come. The main thread's handler does not run before the call is over,
 * until when the signal is pending; for this thread, which blocks all, sigpending(2)
 * shows it. 0: none.
 */
static int signal_that_came(void)
{
	static const int ends[] = { SIGINT, SIGTERM, SIGHUP };
	sigset_t pending;

	if (*vigil.stop_signal != 0 || sigpending(&pending) < 0)
		return *vigil.stop_signal;
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		if (sigismember(&pending, ends[i]) == 1)
			return ends[i];
	}
	return 0;
}

/* The same for a status line: true once for each call that hangs, or when the handler has
   run. */
static bool is_status_wanted(uint64_t since)
{
	sigset_t pending;
	bool wanted = *vigil.status_wanted;

	*vigil.status_wanted = 0;
	if (!wanted && vigil.shown != since && sigpending(&pending) == 0 &&
	    sigismember(&pending, SIGUSR1) == 1) {
		vigil.shown = since;
		wanted = true;
	}
	return wanted;
}

static void answer_signal(int signal, int call)
{
	char *message = format("SIG%s: waiting for %s to end, which the kernel does not "
			       "interrupt",
			       sigabbrev_np(signal) ? sigabbrev_np(signal) : "?",
			       words_call(call));

	service_level(SERVICE_WARNING);
	render_say(vigil.render, message, NULL);
	service_level(SERVICE_ERROR);
	free(message);
}

/* With the word. */
static void look(void)
{
	uint64_t since = atomic_load(&vigil.since), at = now();
	int call = atomic_load(&vigil.call), signal = signal_that_came();
	struct lull_progress progress = vigil.progress;

	if (since == 0 || at < since + PATIENCE_NS)
		return;
	if (signal != 0 && vigil.told != signal) {
		vigil.told = signal;
		answer_signal(signal, call);
	}
	if (vigil.noted == 0)
		return;
	progress.elapsed_ns += at - vigil.noted;
	if (progress.frozen_ns > 0)
		progress.frozen_ns += at - vigil.noted;
	vigil.render->call = call;
	vigil.render->call_ns = at - since;
	if (is_status_wanted(since))
		render_status(vigil.render, &progress);
	render_progress(vigil.render, &progress);
	vigil.render->call = LULL_CALL_NONE;
}

static void *watch(void *arg)
{
	struct timespec until;

	(void)pthread_mutex_lock(&vigil.word);
	while (!vigil.ending) {
		uint64_t next = now() + LOOK_NS;

		until.tv_sec = (time_t)(next / SECOND);
		until.tv_nsec = (long)(next % SECOND);
		(void)pthread_cond_timedwait(&vigil.over, &vigil.word, &until);
		if (!vigil.ending)
			look();
	}
	(void)pthread_mutex_unlock(&vigil.word);
	return arg;
}

void vigil_begin(struct render *render, volatile sig_atomic_t *stop_signal,
		 volatile sig_atomic_t *status_wanted)
{
	pthread_condattr_t monotonic;
	sigset_t all, before;

	vigil.render = render;
	vigil.stop_signal = stop_signal;
	vigil.status_wanted = status_wanted;
	(void)pthread_condattr_init(&monotonic);
	(void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&vigil.over, &monotonic);
	(void)pthread_condattr_destroy(&monotonic);
	/* Signals are for the main thread, whose sleeps they end. */
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_BLOCK, &all, &before);
	vigil.running = pthread_create(&vigil.thread, NULL, watch, NULL) == 0;
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
}

void vigil_end(void)
{
	if (!vigil.running)
		return;
	(void)pthread_mutex_lock(&vigil.word);
	vigil.ending = true;
	(void)pthread_cond_signal(&vigil.over);
	(void)pthread_mutex_unlock(&vigil.word);
	(void)pthread_join(vigil.thread, NULL);
	vigil.running = false;
}

void vigil_take_word(void)
{
	(void)pthread_mutex_lock(&vigil.word);
}

void vigil_give_word(void)
{
	(void)pthread_mutex_unlock(&vigil.word);
}

void vigil_progress(const struct lull_progress *progress)
{
	uint64_t at = now();

	if (vigil.noted != 0 && at < vigil.noted + NOTE_NS)
		return;
	vigil.progress = *progress;
	vigil.progress.hold = lull_progress_hold(progress);
	vigil.progress.hist = NULL; /* it changes while it would be read */
	(void)snprintf(vigil.source, sizeof(vigil.source), "%s", progress->source);
	vigil.progress.source = vigil.source;
	if (progress->dest) {
		(void)snprintf(vigil.dest, sizeof(vigil.dest), "%s", progress->dest);
		vigil.progress.dest = vigil.dest;
	}
	vigil.noted = at;
}

void vigil_call(enum lull_call call)
{
	atomic_store(&vigil.call, (int)call);
	atomic_store(&vigil.since, call == LULL_CALL_NONE ? 0 : now());
}
