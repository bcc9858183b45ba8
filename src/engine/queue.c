// SPDX-License-Identifier: MIT
/*
 * DESIGN
 *
 * A ring of tasks. The walk puts them in at the tail, workers take the oldest that nobody
 * works on, and the walk finishes them at the head, in order. What a task has to say while it
 * is worked on is kept with it; what the walk has to say is kept with the youngest task, and
 * comes after it.
 *
 * INVARIANTS
 *  1. The observer is called on the walk's thread alone.
 *  2. Notes come in the order in which one job would give them.
 *  3. The ring is bounded, and so is what waits behind its tasks, and with them memory and
 *     descriptors: whatever the tree, and however long one file takes.
 */
#include "engine/queue.h"

#include "engine/set.h"
#include "sys/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>

#define MOST_JOBS 256u
/* Small files are over at once: a worker has some to go on with. */
#define MOST_TASKS_A_JOB 8u
/* What a file at work has open at the most, a task that waits (its directories, and what it
   made) with the step behind it (a directory on both sides), and the walk with the rest. */
#define DESCRIPTORS_A_JOB 16u
#define DESCRIPTORS_A_TASK 5u
#define OTHER_DESCRIPTORS 250u
/* Notes of the walk that wait: some hundred bytes each. */
#define MOST_NOTES 10000u
/* How often the walk looks for signals while it waits. */
#define LOOK_NS (50 * NSEC_PER_MSEC)

enum event_kind { EVENT_NOTE, EVENT_WARNING, EVENT_ANNOUNCE, EVENT_STEP };

struct event {
	struct event *next;
	enum event_kind kind;
	struct lull_note note;
	char *text[3];
	enum lull_warning warning;
	enum lull_method method;
	uint64_t ns;
	void (*step)(void *ctx);
	void *ctx;
};

struct events {
	struct event *first;
	struct event **last;
};

enum state { WAITING, AT_WORK, DONE };

struct lull_task {
	struct lull_queue *queue;
	struct lull_file file;
	enum state state;
	struct events own;   /* from its worker */
	struct events after; /* from the walk, to come behind it */
	unsigned int after_steps, after_notes;
	struct lull_progress progress;
	bool progressed;
};

struct lull_queue {
	struct lull_tree *tree;
	pthread_mutex_t lock;
	pthread_cond_t work; /* something waits, or it is the end */
	pthread_cond_t done; /* something is done, or has something to say */
	pthread_t *thread;
	unsigned int n_threads;
	struct lull_task **ring;
	unsigned int room, head, n, next; /* next: not begun, from head */
	unsigned int steps, notes; /* that wait behind tasks */
	bool closing;
	bool finishing; /* the walk hears a task: what it says now belongs there */
	bool stop; /* asked for by the observer */
};

/* ---- events ---- */

static char *copy(const char *text)
{
	return text ? strdup(text) : NULL;
}

/* Without memory for it, it is not heard of. */
static struct event *add(struct events *events, enum event_kind kind)
{
	struct event *event = calloc(1, sizeof(*event));

	if (!event)
		return NULL;
	event->kind = kind;
	if (!events->last)
		events->last = &events->first;
	*events->last = event;
	events->last = &event->next;
	return event;
}

static void add_note(struct events *events, const struct lull_note *note)
{
	struct event *event = add(events, EVENT_NOTE);

	if (!event)
		return;
	event->text[0] = copy(note->path);
	event->text[1] = copy(note->path2);
	event->text[2] = copy(note->path3);
	event->note = *note;
	event->note.path = event->text[0];
	event->note.path2 = event->text[1];
	event->note.path3 = event->text[2];
}

static void hear(const struct lull_tree *tree, const struct event *event)
{
	const struct lull_observer *o = tree->voice.observer;

	switch (event->kind) {
	case EVENT_NOTE:
		o->note(o->ctx, &event->note);
		break;
	case EVENT_WARNING:
		o->warning(o->ctx, event->warning, event->note.err, event->text[0]);
		break;
	case EVENT_ANNOUNCE:
		o->announce(o->ctx, event->method, event->ns);
		break;
	case EVENT_STEP:
		event->step(event->ctx);
		break;
	}
}

static void hear_all(const struct lull_tree *tree, struct events *events)
{
	while (events->first) {
		struct event *event = events->first;

		events->first = event->next;
		hear(tree, event);
		for (size_t i = 0; i < ARRAY_SIZE(event->text); i++)
			free(event->text[i]);
		free(event);
	}
	events->last = &events->first;
}

/* ---- in a worker ---- */

void lull_task_note(struct lull_task *task, const struct lull_note *note)
{
	(void)pthread_mutex_lock(&task->queue->lock);
	add_note(&task->own, note);
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
	struct event *event;

	(void)pthread_mutex_lock(&task->queue->lock);
	event = add(&task->own, EVENT_WARNING);
	if (event) {
		event->warning = warning;
		event->note.err = err;
		event->text[0] = copy(path);
	}
	(void)pthread_mutex_unlock(&task->queue->lock);
}

static void on_announce(void *ctx, enum lull_method method, uint64_t ns)
{
	struct lull_task *task = ctx;
	struct event *event;

	(void)pthread_mutex_lock(&task->queue->lock);
	event = add(&task->own, EVENT_ANNOUNCE);
	if (event) {
		event->method = method;
		event->ns = ns;
	}
	(void)pthread_mutex_unlock(&task->queue->lock);
}

static bool on_stop(void *ctx)
{
	const struct lull_task *task = ctx;

	return __atomic_load_n(&task->queue->stop, __ATOMIC_RELAXED);
}

struct lull_observer lull_voice_observer(const struct lull_voice *voice)
{
	if (!voice->task)
		return *voice->observer;
	return (struct lull_observer){
		.ctx = voice->task,
		.progress = on_progress,
		.warning = on_warning,
		.announce = on_announce,
		.should_stop = on_stop,
	};
}

static void *work(void *ctx)
{
	struct lull_queue *q = ctx;

	(void)pthread_mutex_lock(&q->lock);
	for (;;) {
		struct lull_task *task;

		while (q->next == q->n && !q->closing)
			(void)pthread_cond_wait(&q->work, &q->lock);
		if (q->next == q->n)
			break;
		task = q->ring[(q->head + q->next++) % q->room];
		task->state = AT_WORK;
		(void)pthread_mutex_unlock(&q->lock);
		if (on_stop(task))
			task->file.outcome = LULL_INTERRUPTED;
		else
			lull_file_copy(&task->file);
		(void)pthread_mutex_lock(&q->lock);
		task->state = DONE;
		(void)pthread_cond_signal(&q->done);
	}
	(void)pthread_mutex_unlock(&q->lock);
	return NULL;
}

/* ---- in the walk ---- */

static void free_task(struct lull_task *task)
{
	lull_result_done(&task->file.result);
	lull_file_disown(&task->file);
	free(task);
}

/* The oldest one: shows how far it is, and finishes it if it is done. Called and left with
   the lock held. */
static bool finish_head(struct lull_queue *q)
{
	struct lull_task *task = q->ring[q->head];
	const struct lull_observer *o = q->tree->voice.observer;
	struct lull_progress progress = task->progress;
	bool progressed = task->progressed, done = task->state == DONE;

	task->progressed = false;
	if (!done) {
		(void)pthread_mutex_unlock(&q->lock);
		if (progressed)
			o->progress(o->ctx, &progress);
		(void)pthread_mutex_lock(&q->lock);
		return false;
	}
	q->head = (q->head + 1) % q->room;
	q->n--;
	q->next--;
	(void)pthread_mutex_unlock(&q->lock);
	q->finishing = true;
	hear_all(q->tree, &task->own);
	task->file.voice = q->tree->voice;
	(void)lull_file_finish(&task->file);
	q->steps -= task->after_steps;
	q->notes -= task->after_notes;
	hear_all(q->tree, &task->after);
	q->finishing = false;
	free_task(task);
	(void)pthread_mutex_lock(&q->lock);
	return true;
}

/* Until at most that many are left. */
static void finish(struct lull_queue *q, unsigned int left)
{
	(void)pthread_mutex_lock(&q->lock);
	while (q->n > left) {
		uint64_t until;
		struct timespec at;

		if (finish_head(q))
			continue;
		if (lull_tree_should_stop(q->tree))
			__atomic_store_n(&q->stop, true, __ATOMIC_RELAXED);
		if (q->ring[q->head]->state == DONE)
			continue;
		until = lull_clock_now() + LOOK_NS;
		at.tv_sec = (time_t)(until / NSEC_PER_SEC);
		at.tv_nsec = (long)(until % NSEC_PER_SEC);
		(void)pthread_cond_timedwait(&q->done, &q->lock, &at);
	}
	(void)pthread_mutex_unlock(&q->lock);
}

void lull_queue_drain(struct lull_tree *tree)
{
	if (tree->queue)
		finish(tree->queue, 0);
}

/* The youngest task, which what the walk has to say comes behind; NULL: say it at once. */
static struct lull_task *youngest(struct lull_queue *q)
{
	if (!q || q->n == 0 || q->finishing)
		return NULL;
	/* Invariant 3. */
	while (q->n > 0 && (q->steps >= q->room || q->notes >= MOST_NOTES))
		finish(q, q->n - 1);
	return q->n > 0 ? q->ring[(q->head + q->n - 1) % q->room] : NULL;
}

/* Only the walk changes head and n, so it needs no lock to look at them, nor for what comes
   after a task. */
void lull_queue_note(struct lull_tree *tree, const struct lull_note *note)
{
	struct lull_task *task = youngest(tree->queue);

	if (task) {
		add_note(&task->after, note);
		task->after_notes++;
		tree->queue->notes++;
	} else {
		tree->voice.observer->note(tree->voice.observer->ctx, note);
	}
}

void lull_queue_later(struct lull_tree *tree, void (*step)(void *ctx), void *ctx)
{
	struct lull_task *task = youngest(tree->queue);
	struct event *event = task ? add(&task->after, EVENT_STEP) : NULL;

	if (event) {
		event->step = step;
		event->ctx = ctx;
		task->after_steps++;
		tree->queue->steps++;
		return;
	}
	lull_queue_drain(tree);
	step(ctx);
}

/*
 * It will be written in place and has other names. Under one of them it may be the source or
 * the dest of a task, and what two write at the same time is a mixture.
 */
static bool is_shared(const struct lull_entry *e)
{
	struct stat st;

	return !e->fresh &&
	       (e->dst.st_nlink > 1 ||
		(!e->dst_is_itself &&
		 fstatat(e->dst_dir->fd, e->dst_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		 S_ISLNK(st.st_mode)));
}

bool lull_queue_file(struct lull_file *file)
{
	struct lull_tree *tree = file->entry.tree;
	struct lull_queue *q = tree->queue;
	struct lull_task *task;

	if (tree->set)
		return lull_set_add(tree->set, file);
	if (!q || is_shared(&file->entry)) {
		bool done;

		lull_queue_drain(tree);
		lull_file_copy(file);
		done = lull_file_finish(file);
		lull_result_done(&file->result);
		return done;
	}
	task = calloc(1, sizeof(*task));
	if (task) {
		task->queue = q;
		task->file = *file;
		task->file.voice.task = task;
	}
	if (!task || !lull_file_own(&task->file)) {
		lull_tree_note(tree, LULL_NOTE_MEMORY, ENOMEM, file->entry.dst_path, NULL);
		lull_entry_undo(&file->entry);
		if (task)
			free_task(task);
		return false;
	}
	finish(q, q->room - 1);
	(void)pthread_mutex_lock(&q->lock);
	q->ring[(q->head + q->n++) % q->room] = task;
	(void)pthread_cond_signal(&q->work);
	(void)pthread_mutex_unlock(&q->lock);
	return true;
}

/* How many jobs, and tasks for each, there are descriptors for. */
static unsigned int limit_jobs(unsigned int wanted, unsigned int *ret_tasks)
{
	struct rlimit limit;
	uint64_t room = 1024 - OTHER_DESCRIPTORS, jobs;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
		room = limit.rlim_cur > OTHER_DESCRIPTORS ? limit.rlim_cur - OTHER_DESCRIPTORS : 0;
	jobs = MIN(MIN(wanted, MOST_JOBS), room / (DESCRIPTORS_A_JOB + DESCRIPTORS_A_TASK));
	jobs = MAX(jobs, 1u);
	room = room / jobs > DESCRIPTORS_A_JOB ? room / jobs - DESCRIPTORS_A_JOB : 0;
	*ret_tasks = (unsigned int)MIN(MAX(room / DESCRIPTORS_A_TASK, 1u), MOST_TASKS_A_JOB);
	return (unsigned int)jobs;
}

int lull_queue_open(struct lull_tree *tree, unsigned int n)
{
	struct lull_queue *q = calloc(1, sizeof(*q));
	unsigned int tasks;
	pthread_condattr_t monotonic;
	sigset_t all, before;
	int r = 0;

	if (!q)
		return -ENOMEM;
	n = limit_jobs(n, &tasks);
	*q = (struct lull_queue){ .tree = tree, .room = n * tasks };
	q->ring = calloc(q->room, sizeof(struct lull_task *));
	q->thread = calloc(n, sizeof(pthread_t));
	(void)pthread_mutex_init(&q->lock, NULL);
	(void)pthread_condattr_init(&monotonic);
	(void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&q->work, NULL);
	(void)pthread_cond_init(&q->done, &monotonic);
	(void)pthread_condattr_destroy(&monotonic);
	tree->queue = q;
	/* Signals are for the walk's thread, where they end its waiting. */
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_BLOCK, &all, &before);
	while (q->ring && q->thread && r == 0 && q->n_threads < n) {
		r = -pthread_create(&q->thread[q->n_threads], NULL, work, q);
		if (r == 0)
			q->n_threads++;
	}
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (q->n_threads > 0)
		return 0;
	lull_queue_close(tree);
	return r < 0 ? r : -ENOMEM;
}

void lull_queue_close(struct lull_tree *tree)
{
	struct lull_queue *q = tree->queue;

	if (!q)
		return;
	finish(q, 0);
	(void)pthread_mutex_lock(&q->lock);
	q->closing = true;
	(void)pthread_cond_broadcast(&q->work);
	(void)pthread_mutex_unlock(&q->lock);
	for (unsigned int i = 0; i < q->n_threads; i++)
		(void)pthread_join(q->thread[i], NULL);
	(void)pthread_cond_destroy(&q->work);
	(void)pthread_cond_destroy(&q->done);
	(void)pthread_mutex_destroy(&q->lock);
	free(q->thread);
	free(q->ring);
	free(q);
	tree->queue = NULL;
}
