/* SPDX-License-Identifier: MIT */
/* Threads that do work in the order in which it is given. They do not know what the work
   is. */
#pragma once

#include "util/macros.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/* A piece of work, embedded in a struct of the giver, who must keep it until it is
   done. */
struct lull_workitem {
	/* called in a thread, without the lock */
	void (*work)(struct lull_workitem *item);
	/* called after that, with the lock held; or NULL */
	void (*done)(struct lull_workitem *item);
	bool is_done;               /* guarded by the lock */
	struct lull_workitem *next; /* used by the pool */
};

struct lull_pool {
	/* for this struct, and for what the users share, such as mailboxes */
	pthread_mutex_t lock;
	pthread_cond_t given;
	/* signals that work is done in this pool, or in one that wakes it */
	pthread_cond_t changed;
	pthread_t *thread;
	unsigned int n_threads;
	struct lull_workitem *first, **end; /* work that no thread has taken */
	unsigned int n_waiting;             /* number of those */
	/* pool whose waiters are woken as well; or NULL */
	struct lull_pool *wakes;
	bool closing;
	bool stop; /* the work must end soon; the users access it atomically */
};

/*
 * Initializes a pool of n threads, or of fewer if not all can be started. Even without
 * threads it has a lock and can be waited on. It must not be moved after this. Returns 0,
 * or -errno if n is not 0 and no thread could be started; lull_pool_close() must be
 * called in any case.
 */
int lull_pool_open(struct lull_pool *pool, unsigned int n) _must_check_;

/* Waits until all work is done, ends the threads and frees everything. */
void lull_pool_close(struct lull_pool *pool);

/* Adds an item, whose work must be set, to the queue. The caller must hold the lock. */
void lull_pool_give(struct lull_pool *pool, struct lull_workitem *item);

/* Waits until something is done, for at most ns nanoseconds. The caller must hold the
   lock, which is released in the meantime. */
void lull_pool_wait(struct lull_pool *pool, uint64_t ns);

/* lull_pool_stop() tells the work to end soon; lull_pool_is_stopped() returns whether it
   was told. Any thread may call them. */
void lull_pool_stop(struct lull_pool *pool);
bool lull_pool_is_stopped(const struct lull_pool *pool);
