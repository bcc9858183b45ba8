// SPDX-License-Identifier: MIT
/*
 * A ring of blocks of ranges between two threads. Whole blocks change hands, so the lock
 * is taken once for BLOCK ranges; BLOCKS of them bound the memory (96 KiB) and how far
 * the walk runs ahead.
 *
 * INVARIANTS
 *  1. Blocks [tail, head) belong to the reader, the others to the thread.
 *  2. The thread touches the plan, the reader does not; `extents` is all they share of it.
 */
#include "engine/walker.h"

#include "util/macros.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>

#define BLOCKS 8
#define BLOCK 512

struct block {
	unsigned int count;
	struct lull_range range[BLOCK];
};

struct lull_walker {
	struct lull_plan plan;
	pthread_t thread;
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	unsigned int head; /* blocks filled so far */
	unsigned int tail; /* blocks emptied so far */
	bool ended;        /* no block after head; end is why: 0 or -errno */
	int end;
	bool quit;
	atomic_uint_fast64_t extents;
	unsigned int at; /* reader: next range of block tail */
	struct block block[BLOCKS];
};

/* Waits for room; false if the reader wants no more. */
static bool hand_over(struct lull_walker *walker, bool ended, int end)
{
	bool go_on;

	(void)pthread_mutex_lock(&walker->mutex);
	if (walker->block[walker->head % BLOCKS].count > 0)
		walker->head++;
	walker->ended = ended;
	walker->end = end;
	(void)pthread_cond_signal(&walker->changed);
	while (!ended && !walker->quit && walker->head - walker->tail == BLOCKS)
		(void)pthread_cond_wait(&walker->changed, &walker->mutex);
	go_on = !walker->quit;
	(void)pthread_mutex_unlock(&walker->mutex);
	return go_on;
}

static void *walk(void *arg)
{
	struct lull_walker *walker = arg;
	int r = 0;

	for (;;) {
		struct block *block = &walker->block[walker->head % BLOCKS];

		block->count = 0;
		while (block->count < BLOCK) {
			r = lull_plan_next(&walker->plan, &block->range[block->count]);
			atomic_store_explicit(&walker->extents, walker->plan.extents,
					      memory_order_relaxed);
			if (r <= 0)
				break;
			block->count++;
		}
		if (!hand_over(walker, r <= 0, r))
			return NULL;
		if (r <= 0)
			return NULL;
	}
}

int lull_walker_start(const struct lull_plan *plan, struct lull_walker **ret_walker)
{
	struct lull_walker *walker = calloc(1, sizeof(*walker));
	sigset_t all, before;
	int r;

	if (!walker)
		return -ENOMEM;
	walker->plan = *plan;
	(void)pthread_mutex_init(&walker->mutex, NULL);
	(void)pthread_cond_init(&walker->changed, NULL);

	/* Signals are for the thread that clones: they must end its sleeps. */
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	r = pthread_create(&walker->thread, NULL, walk, walker);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (r != 0) {
		free(walker);
		return -r;
	}
	*ret_walker = walker;
	return 0;
}

static int next(void *ctx, struct lull_range *ret_range)
{
	struct lull_walker *walker = ctx;

	for (;;) {
		struct block *block = &walker->block[walker->tail % BLOCKS];
		bool waiting;

		/* Between two looks at the lock, block tail is ours if at > 0. */
		if (walker->at > 0 && walker->at < block->count) {
			*ret_range = block->range[walker->at++];
			return 1;
		}

		(void)pthread_mutex_lock(&walker->mutex);
		if (walker->at > 0) {
			walker->tail++;
			walker->at = 0;
			(void)pthread_cond_signal(&walker->changed);
		}
		while (walker->head == walker->tail && !walker->ended)
			(void)pthread_cond_wait(&walker->changed, &walker->mutex);
		waiting = walker->head == walker->tail;
		(void)pthread_mutex_unlock(&walker->mutex);
		if (waiting)
			return walker->end;
		*ret_range = walker->block[walker->tail % BLOCKS].range[0];
		walker->at = 1;
		return 1;
	}
}

struct lull_range_source lull_walker_source(struct lull_walker *walker)
{
	return (struct lull_range_source){ .next = next, .ctx = walker };
}

uint64_t lull_walker_extents(const struct lull_walker *walker)
{
	return atomic_load_explicit(&walker->extents, memory_order_relaxed);
}

void lull_walker_stop(struct lull_walker *walker)
{
	if (!walker)
		return;
	(void)pthread_mutex_lock(&walker->mutex);
	walker->quit = true;
	(void)pthread_cond_signal(&walker->changed);
	(void)pthread_mutex_unlock(&walker->mutex);
	(void)pthread_join(walker->thread, NULL);
	(void)pthread_mutex_destroy(&walker->mutex);
	(void)pthread_cond_destroy(&walker->changed);
	free(walker);
}
