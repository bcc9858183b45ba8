// SPDX-License-Identifier: MIT
/*
 * DESIGN
 *
 * A ring of tasks. The walk puts them in at the tail, workers take the oldest that nobody
 * works on, and the walk finishes them at the head, in order. With one job there are no workers:
 * the walk does the work itself before it puts the task in. What a task has to say while it
 * is worked on is kept with it; what the walk has to say is kept with the youngest task, and
 * comes after it.
 *
 * A new file that must be on disk before it is named stays in the ring without a name until then.
 * One sync is for all of the ring that are done. It is syncfs(2): with BTRFS_IOC_START_SYNC the
 * commit could go on beside the next files, but that call was seen to wait 30 s, for the next
 * periodic commit, when commits follow each other quickly (6.18).
 *
 * INVARIANTS
 *  1. The observer is called on the walk's thread alone.
 *  2. Notes come in the order in which one job would give them.
 *  3. The ring is bounded, and so is what waits behind its tasks, and with them memory and
 *     descriptors: whatever the tree, and however long one file takes.
 */
#include "engine/queue.h"

#include "engine/events.h"
#include "engine/set.h"
#include "engine/settle.h"
#include "sys/clock.h"
#include "sys/limits.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>

#define MOST_JOBS 256u
/* Small files are over at once: a worker has some to go on with. */
#define MOST_TASKS_A_JOB 8u
/* What a file at work has open at the most, a task that waits (its directories, and what it
   made) with the step behind it (a directory on both sides), a level of the walk, and the rest. */
#define DESCRIPTORS_A_JOB 16u
#define DESCRIPTORS_A_TASK 5u
#define DESCRIPTORS_A_LEVEL 2u
#define OTHER_DESCRIPTORS 18u
/* With fewer there are no threads. */
#define LEAST_FOR_JOBS 100u
#define MOST_LEVELS 100u
/* Tasks in all: the more, the fewer syncs, each of which costs as much as some hundred files. */
#define MOST_TASKS 2048u
/* How long a file waits for its name at the most, while others are done. */
#define LONGEST_WAIT_NS NSEC_PER_SEC
/* Inodes that the ring is about are told from others by this many bits. */
#define INODE_BITS 8192u
/* Copied bytes of files that wait: beside them the files that they replace take room as well. */
#define MOST_BYTES (16u << 20)
/* Notes of the walk that wait: some hundred bytes each. */
#define MOST_NOTES 10000u
/* How often the walk looks for signals while it waits. */
#define LOOK_NS (50 * NSEC_PER_MSEC)

enum state { WAITING, AT_WORK, DONE };

struct lull_task {
	struct lull_queue *queue;
	struct lull_file file;
	enum state state;
	struct lull_events own;   /* from its worker */
	struct lull_events after; /* from the walk, to come behind it */
	unsigned int after_steps, after_notes;
	struct lull_progress progress;
	bool progressed;
	uint64_t since; /* when it was put into the ring */
	struct stat dir; /* the directory that it is made in; st_ino 0: not known */
	struct stat dst; /* what it replaces, as the walk saw it: a worker may see another one */
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
	unsigned int most_waiting;    /* tasks that nobody works on */
	struct lull_task *here;       /* the walk works on it */
	struct lull_file **batch;     /* room for a sync */
	uint64_t bytes;               /* copied to files without a name */
	uint64_t inodes[INODE_BITS / 64]; /* of sources that are linked, of dests that are replaced,
	                                     of directories that files are made in */
};

/* ---- in a worker ---- */

void lull_task_note(struct lull_task *task, const struct lull_note *note)
{
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

static void count_bytes(struct lull_queue *q, const struct lull_task *task)
{
	if (task->file.due)
		q->bytes += task->file.result.progress.bytes_copied;
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
		if (task->state == DONE)
			continue;
		task->state = AT_WORK;
		(void)pthread_mutex_unlock(&q->lock);
		if (on_stop(task))
			task->file.outcome = LULL_INTERRUPTED;
		else
			lull_file_copy(&task->file);
		(void)pthread_mutex_lock(&q->lock);
		task->state = DONE;
		count_bytes(q, task);
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

static struct lull_task *head(const struct lull_queue *q)
{
	return q->ring[q->head];
}

static bool waits_for_disk(const struct lull_task *task)
{
	return task->state == DONE && task->file.due && !task->file.settled;
}

/* Those that are done and wait for the disk. */
static unsigned int gather(struct lull_queue *q)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < q->n; i++) {
		struct lull_task *task = q->ring[(q->head + i) % q->room];

		if (waits_for_disk(task))
			q->batch[n++] = &task->file;
	}
	return n;
}

static uint64_t *inode_bit(struct lull_queue *q, const struct stat *st, uint64_t *ret_mask)
{
	uint64_t bit = (st->st_ino * 0x9e3779b97f4a7c15ULL >> 40) % INODE_BITS;

	*ret_mask = 1ULL << bit % 64;
	return &q->inodes[bit / 64];
}

static void note_inodes(struct lull_queue *q, const struct lull_task *task)
{
	const struct lull_file *f = &task->file;
	uint64_t mask;

	if (task->dir.st_ino)
		*inode_bit(q, &task->dir, &mask) |= mask;
	if (task->dst.st_ino)
		*inode_bit(q, &task->dst, &mask) |= mask;
	if (f->link)
		*inode_bit(q, &f->entry.src, &mask) |= mask;
}

/* Without those that are gone. */
static void note_inodes_anew(struct lull_queue *q)
{
	memset(q->inodes, 0, sizeof(q->inodes));
	for (unsigned int i = 0; i < q->n; i++)
		note_inodes(q, q->ring[(q->head + i) % q->room]);
}

static bool is_inode(const struct stat *a, const struct stat *b)
{
	return a->st_ino == b->st_ino && a->st_dev == b->st_dev;
}

/* links: of the sources that are linked, else of what is about to change. */
static bool has_inode(struct lull_queue *q, const struct stat *st, bool links)
{
	uint64_t mask;

	if (!q || q->n == 0 || (*inode_bit(q, st, &mask) & mask) == 0)
		return false;
	for (unsigned int i = 0; i < q->n; i++) {
		const struct lull_task *task = q->ring[(q->head + i) % q->room];
		const struct lull_file *f = &task->file;

		if (links ? f->link && is_inode(&f->entry.src, st)
			  : is_inode(&task->dst, st) || is_inode(&task->dir, st))
			return true;
	}
	return false;
}

bool lull_queue_replaces(struct lull_tree *tree, const struct stat *st)
{
	return has_inode(tree->queue, st, false);
}

bool lull_queue_links(struct lull_tree *tree, const struct stat *src)
{
	return has_inode(tree->queue, src, true);
}

/* The oldest one, and all that one sync can be for. Called and left with the lock held. */
static void settle(struct lull_queue *q)
{
	unsigned int n = gather(q);

	note_inodes_anew(q);
	(void)pthread_mutex_unlock(&q->lock);
	lull_settle(q->batch, n);
	(void)pthread_mutex_lock(&q->lock);
}

/* What another task was to make it a name of may not have come about: then it is a copy. */
static void link_earlier(struct lull_file *f)
{
	int r = lull_entry_link_earlier(&f->entry);

	f->link = false;
	if (r == 0 && lull_entry_becomes_regular(&f->entry)) {
		lull_file_copy(f);
		return;
	}
	if (r == 0 && !lull_node_make(&f->entry)) {
		lull_entry_undo(&f->entry);
		r = -1;
	}
	f->linked = true;
	f->outcome = r < 0 ? LULL_FAILED : LULL_OK;
}

/* What is left of a task that is done, on the walk's thread. False if it has failed. */
static bool end_task(struct lull_queue *q, struct lull_task *task)
{
	struct lull_file *f = &task->file;
	bool done;

	q->finishing = true;
	lull_events_hear(&task->own, q->tree->voice.observer);
	f->voice = q->tree->voice;
	if (f->link)
		link_earlier(f);
	if (f->due && !f->settled)
		lull_settle(&f, 1);
	if (f->due) {
		q->bytes -= MIN(q->bytes, f->result.progress.bytes_copied);
		lull_file_name(f);
	}
	done = f->linked ? f->outcome == LULL_OK : lull_file_finish(f);
	q->steps -= task->after_steps;
	q->notes -= task->after_notes;
	lull_events_hear(&task->after, q->tree->voice.observer);
	q->finishing = false;
	free_task(task);
	return done;
}

/* The oldest one: shows how far it is, and finishes it if it is done. Called and left with
   the lock held. */
static bool finish_head(struct lull_queue *q)
{
	struct lull_task *task = head(q);
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
	if (waits_for_disk(task))
		settle(q);
	q->head = (q->head + 1) % q->room;
	q->n--;
	q->next -= q->next > 0;
	if (q->n == 0)
		memset(q->inodes, 0, sizeof(q->inodes));
	(void)pthread_mutex_unlock(&q->lock);
	(void)end_task(q, task);
	(void)pthread_mutex_lock(&q->lock);
	return true;
}

/* Those that need not be waited for; and, if they have waited long enough, the disk. */
static void finish_ready(struct lull_queue *q)
{
	(void)pthread_mutex_lock(&q->lock);
	while (q->n > 0 && head(q)->state == DONE &&
	       (!waits_for_disk(head(q)) || q->bytes > MOST_BYTES ||
		lull_clock_now() - head(q)->since > LONGEST_WAIT_NS))
		(void)finish_head(q);
	(void)pthread_mutex_unlock(&q->lock);
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
		if (head(q)->state == DONE)
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
	if (tree->queue && !tree->queue->finishing)
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
		lull_events_note(&task->after, note);
		task->after_notes++;
		tree->queue->notes++;
	} else {
		tree->voice.observer->note(tree->voice.observer->ctx, note);
	}
}

void lull_queue_later(struct lull_tree *tree, void (*step)(void *ctx), void *ctx)
{
	struct lull_task *task = youngest(tree->queue);

	if (task && lull_events_step(&task->after, step, ctx)) {
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

static unsigned int count_waiting(struct lull_queue *q)
{
	unsigned int n;

	(void)pthread_mutex_lock(&q->lock);
	n = q->n - q->next;
	(void)pthread_mutex_unlock(&q->lock);
	return n;
}

static struct lull_task *new_task(struct lull_queue *q, const struct lull_file *file)
{
	struct lull_task *task = calloc(1, sizeof(*task));

	if (!task)
		return NULL;
	task->queue = q;
	task->file = *file;
	task->file.voice.task = task;
	if (lull_file_own(&task->file))
		return task;
	free_task(task);
	return NULL;
}

static void look_where(struct lull_task *task)
{
	const struct lull_entry *e = &task->file.entry;
	const char *last = lull_path_last(e->dst_name);
	_cleanup_free_ char *head = strndup(e->dst_name, (size_t)(last - e->dst_name));

	if (!head || fstatat(e->dst_dir->fd, *head ? head : ".", &task->dir, 0) < 0)
		task->dir.st_ino = 0;
}

static void put_in(struct lull_queue *q, struct lull_task *task)
{
	look_where(task);
	task->dst = task->file.entry.dst;
	note_inodes(q, task);
	task->since = lull_clock_now();
	(void)pthread_mutex_lock(&q->lock);
	q->ring[(q->head + q->n++) % q->room] = task;
	(void)pthread_cond_signal(&q->work);
	(void)pthread_mutex_unlock(&q->lock);
}

/* It does not wait, nor does what was before it. */
static bool end_now(struct lull_queue *q, struct lull_task *task)
{
	finish(q, 0);
	return end_task(q, task);
}

void lull_queue_directly(struct lull_file *file)
{
	struct lull_queue *q = file->entry.tree->queue;

	if (!q || !q->here || &q->here->file != file || !file->voice.task)
		return;
	finish(q, 0);
	q->finishing = true;
	lull_events_hear(&q->here->own, q->tree->voice.observer);
	q->finishing = false;
	file->voice = q->tree->voice;
}

/* The older files that those before it replace, say, take it still. */
static bool lacks_room(const struct lull_file *f)
{
	int err = f->result.failure.err;

	return f->outcome == LULL_FAILED && f->reported && (err == ENOSPC || err == EDQUOT);
}

/* Without workers. */
static bool work_here(struct lull_queue *q, struct lull_task *task)
{
	if (!task->file.link) {
		q->here = task;
		lull_file_copy(&task->file);
		if (q->n > 0 && lacks_room(&task->file)) {
			finish(q, 0);
			lull_file_again(&task->file);
			lull_file_copy(&task->file);
		}
		q->here = NULL;
	}
	task->state = DONE;
	if (q->n == 0 && !task->file.due)
		return end_task(q, task);
	finish(q, q->room - 1);
	count_bytes(q, task);
	put_in(q, task);
	finish_ready(q);
	return true;
}

/* Waits until there is room for one more, and one of them for a worker. */
static void make_room(struct lull_queue *q)
{
	finish(q, q->room - 1);
	finish_ready(q);
	while (q->n > 0 && count_waiting(q) >= q->most_waiting)
		finish(q, q->n - 1);
}

bool lull_queue_file(struct lull_file *file)
{
	struct lull_tree *tree = file->entry.tree;
	struct lull_queue *q = tree->queue;
	struct lull_task *task;

	if (tree->set)
		return lull_set_add(tree->set, file);
	task = new_task(q, file);
	if (!task) {
		lull_tree_note(tree, LULL_NOTE_MEMORY, ENOMEM, file->entry.dst_path, NULL);
		lull_entry_undo(&file->entry);
		return false;
	}
	if (!file->link && is_shared(&file->entry)) {
		finish(q, 0);
		task->file.voice = tree->voice;
		lull_file_copy(&task->file);
		return end_now(q, task);
	}
	if (q->n_threads == 0)
		return work_here(q, task);
	make_room(q);
	if (file->link)
		task->state = DONE;
	put_in(q, task);
	return true;
}

/* How many jobs, tasks, levels and syncs of single files there are descriptors for. */
static unsigned int share_descriptors(struct lull_tree *tree, unsigned int wanted,
				      unsigned int *ret_tasks)
{
	unsigned int jobs, room;
	unsigned int limit = lull_limits_raise(MOST_JOBS * DESCRIPTORS_A_JOB +
					       MOST_TASKS * DESCRIPTORS_A_TASK +
					       MOST_LEVELS * DESCRIPTORS_A_LEVEL + OTHER_DESCRIPTORS);

	room = limit > OTHER_DESCRIPTORS ? limit - OTHER_DESCRIPTORS : 0;
	tree->single_syncs = MIN(room / 8, LULL_DURABLE_FILES);
	room -= tree->single_syncs;
	tree->open_levels = MIN(MAX(room / 2 / DESCRIPTORS_A_LEVEL, 1u), MOST_LEVELS);
	room -= MIN(tree->open_levels * DESCRIPTORS_A_LEVEL, room);
	jobs = limit < LEAST_FOR_JOBS ? 1 : MIN(MIN(wanted, MOST_JOBS), room / 2 / DESCRIPTORS_A_JOB);
	jobs = MAX(jobs, 1u);
	room -= MIN(jobs > 1 ? jobs * DESCRIPTORS_A_JOB : 0, room);
	*ret_tasks = MIN(MAX(room / DESCRIPTORS_A_TASK, 1u), MOST_TASKS);
	return jobs;
}

static int start_threads(struct lull_queue *q, unsigned int n)
{
	sigset_t all, before;
	int r = 0;

	q->thread = calloc(n, sizeof(pthread_t));
	if (!q->thread)
		return -ENOMEM;
	/* Signals are for the walk's thread, where they end its waiting. */
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_BLOCK, &all, &before);
	while (r == 0 && q->n_threads < n) {
		r = -pthread_create(&q->thread[q->n_threads], NULL, work, q);
		if (r == 0)
			q->n_threads++;
	}
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	return q->n_threads > 0 ? 0 : r;
}

int lull_queue_open(struct lull_tree *tree, unsigned int n)
{
	struct lull_queue *q = calloc(1, sizeof(*q));
	pthread_condattr_t monotonic;
	unsigned int room;
	int r = 0;

	if (!q)
		return -ENOMEM;
	n = share_descriptors(tree, n, &room);
	*q = (struct lull_queue){ .tree = tree, .room = room, .most_waiting = n * MOST_TASKS_A_JOB };
	q->ring = calloc(room, sizeof(*q->ring));
	q->batch = calloc(room, sizeof(*q->batch));
	(void)pthread_mutex_init(&q->lock, NULL);
	(void)pthread_condattr_init(&monotonic);
	(void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&q->work, NULL);
	(void)pthread_cond_init(&q->done, &monotonic);
	(void)pthread_condattr_destroy(&monotonic);
	tree->queue = q;
	if (!q->ring || !q->batch)
		r = -ENOMEM;
	if (r == 0 && n > 1)
		r = start_threads(q, n);
	if (r < 0)
		lull_queue_close(tree);
	return r;
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
	free(q->batch);
	free(q->ring);
	free(q);
	tree->queue = NULL;
}
