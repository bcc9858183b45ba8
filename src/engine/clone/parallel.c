// SPDX-License-Identifier: MIT
/*
 * INVARIANTS
 *  1. The observer is called on the caller's thread alone.
 *  2. When lull_parallel_run() returns no thread is left: a keeper may be forked then.
 */
#include "engine/clone/parallel.h"

#include "engine/base/mailbox.h"
#include "sys/clock.h"
#include "sys/thread.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

/* How often the caller looks for signals, and shows how far it is. */
#define LOOK_NS (50 * NSEC_PER_MSEC)

struct hand {
	struct crew *crew;
	struct lull_job *job;
	struct lull_mailbox said; /* by the job */
	const struct lull_observer *before;
	bool done;
};

struct crew {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct hand *hand;
	unsigned int n, next, n_done;
	enum lull_outcome (*step)(struct lull_job *job);
	bool stop;
	enum lull_outcome outcome; /* of the first that failed */
	struct lull_job *failed;
};

/* ---- in a thread ---- */

static void on_announce(void *ctx, enum lull_method method, uint64_t ns)
{
	/* What a set announces it announces as one. */
	(void)ctx;
	(void)method;
	(void)ns;
}

static void *work(void *ctx)
{
	struct crew *crew = ctx;

	(void)pthread_mutex_lock(&crew->lock);
	while (crew->next < crew->n) {
		struct hand *hand = &crew->hand[crew->next++];
		enum lull_outcome outcome = LULL_INTERRUPTED;

		(void)pthread_mutex_unlock(&crew->lock);
		if (!__atomic_load_n(&crew->stop, __ATOMIC_RELAXED))
			outcome = crew->step(hand->job);
		(void)pthread_mutex_lock(&crew->lock);
		if (outcome != LULL_OK && !crew->failed) {
			crew->outcome = outcome;
			crew->failed = hand->job;
			__atomic_store_n(&crew->stop, true, __ATOMIC_RELAXED);
		}
		hand->done = true;
		crew->n_done++;
		(void)pthread_cond_signal(&crew->changed);
	}
	(void)pthread_mutex_unlock(&crew->lock);
	return NULL;
}

/* ---- in the caller ---- */

/* Called and left with the lock held, which is let go of meanwhile. */
static void show_progress(struct crew *crew)
{
	for (unsigned int i = 0; i < crew->n; i++) {
		struct hand *hand = &crew->hand[i];
		struct lull_progress progress = hand->said.progress;

		if (hand->done || !hand->said.progressed)
			continue;
		hand->said.progressed = false;
		(void)pthread_mutex_unlock(&crew->lock);
		hand->before->progress(hand->before->ctx, &progress);
		(void)pthread_mutex_lock(&crew->lock);
		break;
	}
}

static void wait_for_all(struct crew *crew)
{
	const struct lull_observer *o = crew->hand[0].before;

	(void)pthread_mutex_lock(&crew->lock);
	while (crew->n_done < crew->n) {
		uint64_t until = lull_clock_now() + LOOK_NS;
		struct timespec at = {
			.tv_sec = (time_t)(until / NSEC_PER_SEC),
			.tv_nsec = (long)(until % NSEC_PER_SEC),
		};

		show_progress(crew);
		if (o->should_stop(o->ctx))
			__atomic_store_n(&crew->stop, true, __ATOMIC_RELAXED);
		if (crew->n_done < crew->n)
			(void)pthread_cond_timedwait(&crew->changed, &crew->lock, &at);
	}
	(void)pthread_mutex_unlock(&crew->lock);
}

static void begin(struct crew *crew, struct lull_job **jobs)
{
	pthread_condattr_t monotonic;

	(void)pthread_mutex_init(&crew->lock, NULL);
	(void)pthread_condattr_init(&monotonic);
	(void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&crew->changed, &monotonic);
	(void)pthread_condattr_destroy(&monotonic);
	for (unsigned int i = 0; i < crew->n; i++) {
		struct hand *hand = &crew->hand[i];

		hand->crew = crew;
		hand->job = jobs[i];
		hand->before = jobs[i]->observer;
		lull_mailbox_open(&hand->said, &crew->lock, &crew->stop);
		hand->said.observer.announce = on_announce;
		jobs[i]->observer = &hand->said.observer;
	}
}

static void end(struct crew *crew)
{
	for (unsigned int i = 0; i < crew->n; i++) {
		crew->hand[i].job->observer = crew->hand[i].before;
		lull_events_hear(&crew->hand[i].said.events, crew->hand[i].before);
	}
	(void)pthread_cond_destroy(&crew->changed);
	(void)pthread_mutex_destroy(&crew->lock);
}

static enum lull_outcome in_turn(struct lull_job **jobs, unsigned int n,
				 enum lull_outcome (*step)(struct lull_job *job),
				 struct lull_job **ret_failed)
{
	for (unsigned int i = 0; i < n; i++) {
		enum lull_outcome outcome = step(jobs[i]);

		if (outcome != LULL_OK) {
			*ret_failed = jobs[i];
			return outcome;
		}
	}
	return LULL_OK;
}

enum lull_outcome lull_parallel_run(struct lull_job **jobs, unsigned int n, unsigned int width,
				enum lull_outcome (*step)(struct lull_job *job),
				struct lull_job **ret_failed)
{
	_cleanup_free_ struct hand *hand = NULL;
	_cleanup_free_ pthread_t *thread = NULL;
	struct crew crew = { .n = n, .step = step, .outcome = LULL_OK };
	unsigned int n_threads = 0;

	width = MIN(width, n);
	if (width > 1) {
		hand = calloc(n, sizeof(*hand));
		thread = calloc(width, sizeof(*thread));
	}
	if (!hand || !thread)
		return in_turn(jobs, n, step, ret_failed);
	crew.hand = hand;
	begin(&crew, jobs);
	while (n_threads < width && lull_thread_start(&thread[n_threads], work, &crew) == 0)
		n_threads++;
	if (n_threads > 0)
		wait_for_all(&crew);
	for (unsigned int i = 0; i < n_threads; i++)
		(void)pthread_join(thread[i], NULL);
	end(&crew);
	if (n_threads == 0)
		return in_turn(jobs, n, step, ret_failed);
	if (crew.failed)
		*ret_failed = crew.failed;
	return crew.outcome;
}
