/* SPDX-License-Identifier: MIT */
/* Threads that take up work in the order in which it is given, and do not know what it
   is. */
#pragma once

#include "util/macros.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/* One piece of work: part of whatever it is about, which is the giver's, and stays until
   it is done. */
struct lull_workitem {
	void (*work)(struct lull_workitem *item); /* in a thread, without the lock */
	void (*done)(struct lull_workitem *item); /* then, with the lock held; or NULL */
	bool is_done;                             /* guarded by the lock */
	struct lull_workitem *next;               /* the pool's */
};

struct lull_pool {
	pthread_mutex_t lock; /* of this, and of what the users share: mailboxes, say */
	pthread_cond_t given;
	/* something is done here, or in a pool that wakes this one */
	pthread_cond_t changed;
	pthread_t *thread;
	unsigned int n_threads;
	struct lull_workitem *first, **end; /* that no thread has taken up */
	unsigned int n_waiting;             /* of those */
	/* whoever waits for this one is woken as well; or NULL */
	struct lull_pool *wakes;
	bool closing;
	bool stop; /* set and read atomically by the users: work is to end soon */
};

/*
 * Prepares a pool of n threads; with 0, or where fewer can be started, there are fewer,
 * and it has a lock and can be waited on all the same. It must not move from then on. 0,
 * or -errno if none of the n could be started: lull_pool_close() must be called all the
 * same.
 */
int lull_pool_open(struct lull_pool *pool, unsigned int n) _must_check_;

/* Waits until all work that was given is done, ends the threads and frees all. */
void lull_pool_close(struct lull_pool *pool);

/* Gives the item, whose work is set, to the first thread that is free. With the lock
   held. */
void lull_pool_give(struct lull_pool *pool, struct lull_workitem *item);

/* Waits until something changes, ns nanoseconds at the most. With the lock held, which is
   let go of meanwhile. */
void lull_pool_wait(struct lull_pool *pool, uint64_t ns);

/* Tells work to end soon, and asks whether it has been told. Any thread. */
void lull_pool_stop(struct lull_pool *pool);
bool lull_pool_is_stopped(const struct lull_pool *pool);
