// SPDX-License-Identifier: MIT
/* Threads that do work: see pool.h. */
#include "engine/base/pool.h"

#include "sys/clock.h"
#include "sys/thread.h"

#include <errno.h>

/* Signals the other pool. Never holds both locks, because a user of the other pool looks
   at this one while holding that lock. */
static void wake_other(struct lull_pool *pool)
{
	struct lull_pool *other = pool->wakes;

	(void)pthread_mutex_unlock(&pool->lock);
	(void)pthread_mutex_lock(&other->lock);
	(void)pthread_cond_signal(&other->changed);
	(void)pthread_mutex_unlock(&other->lock);
	(void)pthread_mutex_lock(&pool->lock);
}

static void *run(void *ctx)
{
	struct lull_pool *pool = ctx;

	(void)pthread_mutex_lock(&pool->lock);
	for (;;) {
		struct lull_workitem *item;

		while (!pool->first && !pool->closing)
			(void)pthread_cond_wait(&pool->given, &pool->lock);
		item = pool->first;
		if (!item)
			break;
		pool->first = item->next;
		if (!pool->first)
			pool->end = &pool->first;
		pool->n_waiting--;
		(void)pthread_mutex_unlock(&pool->lock);
		item->work(item);
		(void)pthread_mutex_lock(&pool->lock);
		item->is_done = true;
		if (item->done)
			item->done(item);
		(void)pthread_cond_signal(&pool->changed);
		if (pool->wakes)
			wake_other(pool);
	}
	(void)pthread_mutex_unlock(&pool->lock);
	return NULL;
}

int lull_pool_open(struct lull_pool *pool, unsigned int n)
{
	pthread_condattr_t monotonic;
	int r = 0;

	*pool = (struct lull_pool){ .end = &pool->first };
	(void)pthread_mutex_init(&pool->lock, NULL);
	(void)pthread_cond_init(&pool->given, NULL);
	(void)pthread_condattr_init(&monotonic);
	(void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&pool->changed, &monotonic);
	(void)pthread_condattr_destroy(&monotonic);
	if (n == 0)
		return 0;
	pool->thread = calloc(n, sizeof(*pool->thread));
	if (!pool->thread)
		return -ENOMEM;
	while (r == 0 && pool->n_threads < n) {
		r = lull_thread_start(&pool->thread[pool->n_threads], run, pool);
		pool->n_threads += r == 0;
	}
	return pool->n_threads > 0 ? 0 : r;
}

void lull_pool_close(struct lull_pool *pool)
{
	(void)pthread_mutex_lock(&pool->lock);
	pool->closing = true;
	(void)pthread_cond_broadcast(&pool->given);
	(void)pthread_mutex_unlock(&pool->lock);
	for (unsigned int i = 0; i < pool->n_threads; i++)
		(void)pthread_join(pool->thread[i], NULL);
	free(pool->thread);
	(void)pthread_cond_destroy(&pool->given);
	(void)pthread_cond_destroy(&pool->changed);
	(void)pthread_mutex_destroy(&pool->lock);
}

void lull_pool_give(struct lull_pool *pool, struct lull_workitem *item)
{
	item->is_done = false;
	item->next = NULL;
	*pool->end = item;
	pool->end = &item->next;
	pool->n_waiting++;
	(void)pthread_cond_signal(&pool->given);
}

void lull_pool_wait(struct lull_pool *pool, uint64_t ns)
{
	uint64_t until = lull_clock_now() + ns;
	const struct timespec at = {
		.tv_sec = (time_t)(until / NSEC_PER_SEC),
		.tv_nsec = (long)(until % NSEC_PER_SEC),
	};

	(void)pthread_cond_timedwait(&pool->changed, &pool->lock, &at);
}

void lull_pool_stop(struct lull_pool *pool)
{
	__atomic_store_n(&pool->stop, true, __ATOMIC_RELAXED);
}

bool lull_pool_is_stopped(const struct lull_pool *pool)
{
	return __atomic_load_n(&pool->stop, __ATOMIC_RELAXED);
}
