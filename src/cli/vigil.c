// SPDX-License-Identifier: MIT
/* Reports during a call that takes long: see vigil.h. */
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
/* Interval between looks, and the time after which a call is reported. */
#define LOOK_NS     (250 * MS)
#define PATIENCE_NS SECOND
/* Interval between copies of the progress: finding percentiles takes some
   microseconds. */
#define NOTE_NS (200 * MS)
/* The progress line does not show more of a path either. */
#define PATH_ROOM 1024

static struct {
	pthread_t thread;
	pthread_mutex_t word; /* held by the thread that may print */
	pthread_cond_t over;
	bool running, ending;
	struct render *render;
	volatile sig_atomic_t *stop_signal, *status_wanted;
	int told;       /* the signal that was answered last */
	uint64_t shown; /* start of the call for which a pending SIGUSR1 was answered */
	struct lull_progress progress;
	/* copies: the engine's strings may be gone */
	char source[PATH_ROOM], dest[PATH_ROOM];
	uint64_t noted;         /* time of the copy; 0: none yet */
	_Atomic uint64_t since; /* start of the current call; 0: there is none */
	_Atomic int call;
} vigil = { .word = PTHREAD_MUTEX_INITIALIZER };

static uint64_t now(void)
{
	struct timespec at;

	(void)clock_gettime(CLOCK_MONOTONIC, &at);
	return (uint64_t)at.tv_sec * SECOND + (uint64_t)at.tv_nsec;
}

/*
 * Returns a signal to stop that has come, or 0. The main thread is in a call, so its
 * handler does not run and the signal stays pending. This thread blocks all signals, so
 * that sigpending(2) shows it.
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

/* Returns true if a status line was requested: once for each long call while SIGUSR1 is
   pending, or when its handler has run. */
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

/* Reports on the current call. The caller holds the word. */
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
	/* Signals must go to the main thread, whose sleeps they end. */
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
	vigil.progress.hist = NULL; /* it changes, and must not be read here */
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
