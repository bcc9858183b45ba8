// SPDX-License-Identifier: MIT
/* Threads that copy files, and what they have to say: see queue.c. */
#include "engine/file/ring.h"

void lull_worker_count_due(struct lull_queue *q, const struct lull_task *task)
{
	if (!task->file.due)
		return;
	q->bytes += task->file.result.progress.bytes_copied;
	q->unsynced++;
}

void *lull_worker_run(void *ctx)
{
	struct lull_queue *q = ctx;

	(void)pthread_mutex_lock(&q->lock);
	for (;;) {
		struct lull_task *task;

		while (q->next == q->n && !q->closing)
			(void)pthread_cond_wait(&q->queued, &q->lock);
		if (q->next == q->n)
			break;
		task = q->ring[(q->head + q->next++) % q->room];
		if (task->state == LULL_TASK_DONE)
			continue;
		task->state = LULL_TASK_AT_WORK;
		(void)pthread_mutex_unlock(&q->lock);
		if (__atomic_load_n(&q->stop, __ATOMIC_RELAXED))
			task->file.outcome = LULL_INTERRUPTED;
		else
			q->work->copy(&task->file);
		(void)pthread_mutex_lock(&q->lock);
		task->state = LULL_TASK_DONE;
		lull_worker_count_due(q, task);
		(void)pthread_cond_signal(&q->done);
	}
	(void)pthread_mutex_unlock(&q->lock);
	return NULL;
}
