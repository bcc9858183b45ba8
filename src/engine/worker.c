// SPDX-License-Identifier: MIT
/* Threads that copy files, and what they have to say: see queue.c. */
#include "engine/ring.h"

static void on_note(void *ctx, const struct lull_note *note)
{
	struct lull_task *task = ctx;

	(void)pthread_mutex_lock(&task->queue->lock);
	lull_events_note(&task->own, note);
	(void)pthread_mutex_unlock(&task->queue->lock);
}

static void on_progress(void *ctx, const struct lull_progress *progress)
{
	struct lull_task *task = ctx;

	(void)pthread_mutex_lock(&task->queue->lock);
	task->progress = *progress;
	task->progress.hold = lull_progress_hold(progress);
	task->progress.hist = NULL; /* it changes while it would be read */
	task->progressed = true;
	(void)pthread_mutex_unlock(&task->queue->lock);
}

static void on_warning(void *ctx, enum lull_warning warning, int err, const char *path)
{
	struct lull_task *task = ctx;

	(void)pthread_mutex_lock(&task->queue->lock);
	lull_events_warning(&task->own, warning, err, path);
	(void)pthread_mutex_unlock(&task->queue->lock);
}

static void on_announce(void *ctx, enum lull_method method, uint64_t ns)
{
	struct lull_task *task = ctx;

	(void)pthread_mutex_lock(&task->queue->lock);
	lull_events_announce(&task->own, method, ns);
	(void)pthread_mutex_unlock(&task->queue->lock);
}

/* The walk's thread hears and speaks meanwhile. */
static void on_call(void *ctx, enum lull_call call)
{
	(void)ctx;
	(void)call;
}

static bool on_stop(void *ctx)
{
	const struct lull_task *task = ctx;
	const struct lull_observer *observer = task->queue->tree->observer;

	return task->here ? observer->should_stop(observer->ctx)
			  : __atomic_load_n(&task->queue->stop, __ATOMIC_RELAXED);
}

struct lull_observer lull_task_observer(struct lull_task *task)
{
	return (struct lull_observer){
		.ctx = task,
		.progress = on_progress,
		.warning = on_warning,
		.announce = on_announce,
		.should_stop = on_stop,
		.call = on_call,
		.note = on_note,
	};
}

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
		if (on_stop(task))
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
