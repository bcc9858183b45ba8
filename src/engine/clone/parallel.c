// SPDX-License-Identifier: MIT
/*
 * INVARIANTS
 *  1. The observer is called only on the caller's thread.
 *  2. When lull_parallel_run() returns, no thread is left, so a keeper may be forked.
 */
#include "engine/clone/parallel.h"

#include "engine/base/mailbox.h"
#include "engine/base/pool.h"

/* How often the caller checks for signals and shows progress. */
#define LOOK_NS (50 * NSEC_PER_MSEC)

struct hand {
	struct lull_workitem item;
	struct crew *crew;
	struct lull_job *job;
	struct lull_mailbox said; /* what the job has reported */
};

struct crew {
	struct lull_pool pool;
	const struct lull_observer *observer; /* the caller's */
	enum lull_outcome (*step)(struct lull_job *job);
	struct hand *hand;
	unsigned int n, n_done;
	enum lull_outcome outcome; /* of the first that failed */
	struct lull_job *failed;
};

static void work(struct lull_workitem *item)
{
	struct hand *hand = container_of(item, struct hand, item);
	struct crew *crew = hand->crew;
	enum lull_outcome outcome = LULL_INTERRUPTED;

	if (!lull_pool_is_stopped(&crew->pool))
		outcome = crew->step(hand->job);
	(void)pthread_mutex_lock(&crew->pool.lock);
	if (outcome != LULL_OK && !crew->failed) {
		crew->outcome = outcome;
		crew->failed = hand->job;
		lull_pool_stop(&crew->pool);
	}
	(void)pthread_mutex_unlock(&crew->pool.lock);
}

static void done(struct lull_workitem *item)
{
	container_of(item, struct hand, item)->crew->n_done++;
}

/* The caller must hold the lock. This releases it during the callback. */
static void show_progress(struct crew *crew)
{
	for (unsigned int i = 0; i < crew->n; i++) {
		struct hand *hand = &crew->hand[i];
		struct lull_progress progress = hand->said.progress;

		if (hand->item.is_done || !hand->said.progressed)
			continue;
		hand->said.progressed = false;
		(void)pthread_mutex_unlock(&crew->pool.lock);
		crew->observer->progress(crew->observer->ctx, &progress);
		(void)pthread_mutex_lock(&crew->pool.lock);
		break;
	}
}

static void do_all(struct crew *crew, struct lull_job **jobs)
{
	struct lull_pool *pool = &crew->pool;

	(void)pthread_mutex_lock(&pool->lock);
	for (unsigned int i = 0; i < crew->n; i++) {
		struct hand *hand = &crew->hand[i];

		*hand = (struct hand){
			.item = { .work = work, .done = done },
			.crew = crew,
			.job = jobs[i],
		};
		lull_mailbox_open(&hand->said, &pool->lock, &pool->stop);
		jobs[i]->observer = &hand->said.observer;
		lull_pool_give(pool, &hand->item);
	}
	while (crew->n_done < crew->n) {
		show_progress(crew);
		if (crew->observer->should_stop(crew->observer->ctx))
			lull_pool_stop(pool);
		if (crew->n_done < crew->n)
			lull_pool_wait(pool, LOOK_NS);
	}
	(void)pthread_mutex_unlock(&pool->lock);
	for (unsigned int i = 0; i < crew->n; i++) {
		jobs[i]->observer = crew->observer;
		lull_events_hear(&crew->hand[i].said.events, crew->observer);
	}
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

enum lull_outcome lull_parallel_run(struct lull_job **jobs, unsigned int n,
				    unsigned int width,
				    enum lull_outcome (*step)(struct lull_job *job),
				    struct lull_job **ret_failed)
{
	_cleanup_free_ struct hand *hand = NULL;
	struct crew crew = {
		.observer = jobs[0]->observer, .step = step, .n = n, .hand = NULL
	};
	bool threads = false;

	width = MIN(width, n);
	hand = width > 1 ? calloc(n, sizeof(*hand)) : NULL;
	if (hand) {
		crew.hand = hand;
		threads = lull_pool_open(&crew.pool, width) == 0;
		if (threads)
			do_all(&crew, jobs);
		lull_pool_close(&crew.pool);
	}
	if (!threads)
		return in_turn(jobs, n, step, ret_failed);
	if (crew.failed)
		*ret_failed = crew.failed;
	return crew.outcome;
}
