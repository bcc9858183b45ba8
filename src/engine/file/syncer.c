// SPDX-License-Identifier: MIT
/* A thread that syncs: see syncer.h. */
#include "engine/file/syncer.h"

#include "sys/thread.h"

#include <errno.h>
#include <stdlib.h>

struct lull_syncer {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t change; /* a batch has come, or it is the end */
	struct lull_file *const *files;
	unsigned int n; /* 0: idle */
	bool ending;
	void (*wake)(void *ctx);
	void *ctx;
};

static void *work(void *arg)
{
	struct lull_syncer *s = arg;

	(void)pthread_mutex_lock(&s->lock);
	for (;;) {
		while (s->n == 0 && !s->ending)
			(void)pthread_cond_wait(&s->change, &s->lock);
		if (s->n == 0)
			break;
		(void)pthread_mutex_unlock(&s->lock);
		lull_settle(s->files, s->n);
		(void)pthread_mutex_lock(&s->lock);
		s->n = 0;
		(void)pthread_mutex_unlock(&s->lock);
		s->wake(s->ctx);
		(void)pthread_mutex_lock(&s->lock);
	}
	(void)pthread_mutex_unlock(&s->lock);
	return NULL;
}

static void free_syncer(struct lull_syncer *s)
{
	(void)pthread_cond_destroy(&s->change);
	(void)pthread_mutex_destroy(&s->lock);
	free(s);
}

int lull_syncer_start(struct lull_syncer **ret, void (*wake)(void *ctx), void *ctx)
{
	struct lull_syncer *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return -ENOMEM;
	s->wake = wake;
	s->ctx = ctx;
	(void)pthread_mutex_init(&s->lock, NULL);
	(void)pthread_cond_init(&s->change, NULL);
	r = lull_thread_start(&s->thread, work, s);
	if (r < 0)
		free_syncer(s);
	else
		*ret = s;
	return r;
}

void lull_syncer_end(struct lull_syncer *s)
{
	if (!s)
		return;
	(void)pthread_mutex_lock(&s->lock);
	s->ending = true;
	(void)pthread_cond_signal(&s->change);
	(void)pthread_mutex_unlock(&s->lock);
	(void)pthread_join(s->thread, NULL);
	free_syncer(s);
}

void lull_syncer_begin(struct lull_syncer *s, struct lull_file *const *files, unsigned int n)
{
	(void)pthread_mutex_lock(&s->lock);
	s->files = files;
	s->n = n;
	(void)pthread_cond_signal(&s->change);
	(void)pthread_mutex_unlock(&s->lock);
}

bool lull_syncer_is_busy(struct lull_syncer *s)
{
	bool busy;

	(void)pthread_mutex_lock(&s->lock);
	busy = s->n > 0;
	(void)pthread_mutex_unlock(&s->lock);
	return busy;
}
