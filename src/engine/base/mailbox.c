// SPDX-License-Identifier: MIT
/* Keeps the reports of work in a thread: see mailbox.h. */
#include "engine/base/mailbox.h"

static void on_progress(void *ctx, const struct lull_progress *progress)
{
	struct lull_mailbox *m = ctx;

	(void)pthread_mutex_lock(m->lock);
	m->progress = *progress;
	m->progress.hold = lull_progress_hold(progress);
	m->progress.hist = NULL; /* it would change while it is read */
	m->progressed = true;
	(void)pthread_mutex_unlock(m->lock);
}

static void on_note(void *ctx, const struct lull_note *note)
{
	struct lull_mailbox *m = ctx;

	(void)pthread_mutex_lock(m->lock);
	lull_events_note(&m->events, note);
	(void)pthread_mutex_unlock(m->lock);
}

/* Ignored: the thread that passes reports on is not blocked by this call, and shows
   progress in the meantime. */
static void on_call(void *ctx, enum lull_call call)
{
	(void)ctx;
	(void)call;
}

static bool on_stop(void *ctx)
{
	const struct lull_mailbox *m = ctx;

	return m->real ? m->real->should_stop(m->real->ctx)
		       : __atomic_load_n(m->stop, __ATOMIC_RELAXED);
}

void lull_mailbox_open(struct lull_mailbox *m, pthread_mutex_t *lock, const bool *stop)
{
	*m = (struct lull_mailbox){
		.observer = {
			.ctx = m,
			.progress = on_progress,
			.should_stop = on_stop,
			.call = on_call,
			.note = on_note,
		},
		.lock = lock,
		.stop = stop,
	};
}
