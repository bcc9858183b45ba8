// SPDX-License-Identifier: MIT
/*
 * DESIGN
 *
 * The queue is a ring of tasks. The walk adds tasks at the tail, threads of a pool take
 * the oldest that no thread has taken, and the walk finishes tasks at the head, in order.
 * With one job there are no threads: the walk does the work itself before it adds the
 * task. Reports of a task during its work are kept with it. Reports of the walk are kept
 * with the youngest task, and come after it.
 *
 * A new file that must be on disk before it is named stays in the ring without a name
 * until then. One sync serves all files of the ring that are copied. When that is half of
 * the ring, a thread syncs them while the walk continues. It uses syncfs(2).
 * BTRFS_IOC_START_SYNC would need no thread, but when commits followed each other
 * quickly, it waited 30 s, until the next periodic commit (6.18).
 *
 * INVARIANTS
 *  1. The observer is called only on the walk's thread.
 *  2. Notes come in the order in which one job would give them.
 *  3. The ring and what waits for its tasks are bounded, and so are memory and
 *     descriptors, whatever the tree, and however long one file takes.
 */
#include "engine/file/queue.h"

#include "engine/base/mailbox.h"
#include "engine/base/pool.h"
#include "engine/file/inodeset.h"
#include "engine/file/make_way.h"
#include "engine/file/shares.h"
#include "engine/file/syncer.h"
#include "sys/clock.h"
#include "sys/inode.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

/* How many tasks may wait for each thread. Small files take so little time that a thread
   needs several to stay busy. */
#define MOST_TASKS_A_JOB 8u
/* The fewest files for which the syncer is used. Waiting for fewer takes no longer than
   starting a thread. */
#define LEAST_FOR_SYNCER 64u
/* The longest time for which a file waits for its name while others are copied. */
#define LONGEST_WAIT_NS NSEC_PER_SEC
/* The most copied bytes of files without a name. The files that they will replace take
   space at the same time. */
#define MOST_BYTES (16u << 20)
/* The most waiting notes of the walk. Each has some hundred bytes. */
#define MOST_NOTES 10000u
/* How often the walk checks for signals while it waits. */
#define LOOK_NS (50 * NSEC_PER_MSEC)

struct lull_task {
	struct lull_workitem item;
	struct lull_queue *queue;
	struct lull_file file;
	struct lull_mailbox own; /* reports of the file until it is the task's turn */
	/* reports and steps of the walk that come after this task */
	struct lull_events after;
	unsigned int after_steps, after_notes;
	uint64_t since;  /* when it was added to the ring */
	bool syncing;    /* the syncer is working on it */
	struct stat dir; /* the directory in which it is made; st_ino 0: not known */
	/* the file that it replaces, as the walk saw it: a thread may see another one */
	struct stat dst;
};

struct lull_queue {
	struct lull_copy_run *tree;
	const struct lull_work *work;
	struct lull_pool pool; /* its threads copy; its lock is also that of the ring */
	struct lull_task **ring;
	unsigned int room, head, n;
	unsigned int steps, notes; /* of the walk, waiting for tasks */
	bool finishing; /* the walk is finishing a task: its reports now belong to that */
	unsigned int most_waiting; /* the most tasks that no thread has taken */
	/* without threads: the task that the walk is copying */
	struct lull_task *here;
	struct lull_file **batch;   /* the files of a sync */
	unsigned int n_batch;       /* number of files that the syncer has */
	struct lull_syncer *syncer; /* NULL: the walk syncs */
	/* tasks that are copied, must reach the disk, and are not being synced */
	unsigned int unsynced;
	uint64_t bytes; /* copied to files without a name */
	/* of sources that will be linked, dests that will be replaced, and directories in
	   which files are made */
	struct lull_inodeset inodes;
};

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
	return task->item.is_done && task->file.due &&
	       (task->syncing || !task->file.settled);
}

/* Gathers the tasks that are copied and must reach the disk. The syncer must be idle. */
static void gather(struct lull_queue *q)
{
	q->n_batch = 0;
	q->unsynced = 0;
	for (unsigned int i = 0; i < q->n; i++) {
		struct lull_task *task = q->ring[(q->head + i) % q->room];

		if (waits_for_disk(task))
			q->batch[q->n_batch++] = &task->file;
	}
}

static void mark_batch(struct lull_queue *q, bool syncing)
{
	for (unsigned int i = 0; i < q->n_batch; i++)
		container_of(q->batch[i], struct lull_task, file)->syncing = syncing;
}

/* Returns true if the syncer is working. If it has finished, releases the files that it
   had. */
static bool is_syncing(struct lull_queue *q)
{
	if (q->n_batch == 0)
		return false;
	if (q->syncer && !lull_syncer_is_idle(q->syncer))
		return true;
	mark_batch(q, false);
	q->n_batch = 0;
	return false;
}

static void note_inodes(struct lull_queue *q, const struct lull_task *task)
{
	const struct lull_file *f = &task->file;

	if (task->dir.st_ino)
		lull_inodeset_add(&q->inodes, task->dir.st_ino);
	if (task->dst.st_ino)
		lull_inodeset_add(&q->inodes, task->dst.st_ino);
	if (f->link)
		lull_inodeset_add(&q->inodes, f->entry.src.st_ino);
}

/* Builds the set of inodes again, without those of tasks that are finished. */
static void note_inodes_anew(struct lull_queue *q)
{
	lull_inodeset_clear(&q->inodes);
	for (unsigned int i = 0; i < q->n; i++)
		note_inodes(q, q->ring[(q->head + i) % q->room]);
}

/* Returns true if a task has this inode: with links as a source that will be linked,
   otherwise as a file or directory that is about to change. */
static bool has_inode(struct lull_queue *q, const struct stat *st, bool links)
{
	if (!q || q->n == 0 || !lull_inodeset_may_have(&q->inodes, st->st_ino))
		return false;
	for (unsigned int i = 0; i < q->n; i++) {
		const struct lull_task *task = q->ring[(q->head + i) % q->room];
		const struct lull_file *f = &task->file;

		if (links ? f->link && SAME_INODE(&f->entry.src, st)
			  : SAME_INODE(&task->dst, st) || SAME_INODE(&task->dir, st))
			return true;
	}
	return false;
}

bool lull_queue_replaces(struct lull_copy_run *tree, const struct stat *st)
{
	return has_inode(tree->queue, st, false);
}

bool lull_queue_links(struct lull_copy_run *tree, const struct stat *src)
{
	return has_inode(tree->queue, src, true);
}

static bool head_waits(struct lull_queue *q)
{
	(void)is_syncing(q);
	return waits_for_disk(head(q));
}

static void tell_flush(const struct lull_queue *q, enum lull_call call)
{
	const struct lull_observer *o = q->tree->observer;

	o->call(o->ctx, call);
}

/*
 * Syncs all files for which one sync can serve, in the syncer if there is one. No sync
 * may be running. The caller must hold the lock; this may release it in the meantime.
 */
static void sync_batch(struct lull_queue *q)
{
	gather(q);
	note_inodes_anew(q);
	if (q->syncer) {
		mark_batch(q, true);
		lull_syncer_begin(q->syncer, q->batch, q->n_batch);
		return;
	}
	(void)pthread_mutex_unlock(&q->pool.lock);
	tell_flush(q, LULL_CALL_FLUSH);
	lull_syncer_sync(q->batch, q->n_batch);
	tell_flush(q, LULL_CALL_NONE);
	(void)pthread_mutex_lock(&q->pool.lock);
	q->n_batch = 0;
}

/* Syncs when half of the ring is waiting, while there is room for more tasks. A few files
   are not worth a thread. */
static void sync_early(struct lull_queue *q)
{
	if (q->unsynced < MAX(q->room / 2, LEAST_FOR_SYNCER) || is_syncing(q))
		return;
	if (!q->syncer && lull_syncer_start(&q->syncer, &q->pool) < 0)
		return;
	sync_batch(q);
}

/* Finishes a task that is copied, on the walk's thread. Returns false if it has
   failed. */
static bool end_task(struct lull_queue *q, struct lull_task *task)
{
	struct lull_file *f = &task->file;
	bool done;

	q->finishing = true;
	lull_events_hear(&task->own.events, q->tree->observer);
	f->observer = q->tree->observer;
	if (f->link)
		q->work->link(f);
	if (f->due && !f->settled)
		lull_settle(&f, 1);
	if (f->due) {
		q->bytes -= MIN(q->bytes, f->result.progress.bytes_copied);
		q->work->name(f);
	}
	done = f->linked ? f->outcome == LULL_OK : q->work->finish(f);
	q->steps -= task->after_steps;
	q->notes -= task->after_notes;
	lull_events_hear(&task->after, q->tree->observer);
	q->finishing = false;
	free_task(task);
	return done;
}

/* Finishes the oldest task if it is copied, or shows its progress. The caller must hold
   the lock; this releases it in the meantime. */
static bool finish_head(struct lull_queue *q)
{
	struct lull_task *task = head(q);
	const struct lull_observer *o = q->tree->observer;
	struct lull_progress progress = task->own.progress;
	bool progressed = task->own.progressed, done = task->item.is_done;

	task->own.progressed = false;
	if (!done) {
		(void)pthread_mutex_unlock(&q->pool.lock);
		if (progressed)
			o->progress(o->ctx, &progress);
		(void)pthread_mutex_lock(&q->pool.lock);
		return false;
	}
	if (head_waits(q) && q->n_batch == 0)
		sync_batch(q);
	if (waits_for_disk(task))
		return false;
	q->head = (q->head + 1) % q->room;
	q->n--;
	if (q->n == 0)
		lull_inodeset_clear(&q->inodes);
	(void)pthread_mutex_unlock(&q->pool.lock);
	(void)end_task(q, task);
	(void)pthread_mutex_lock(&q->pool.lock);
	return true;
}

/* Returns true if files have waited too long, or their copies take too much space. */
static bool is_overdue(struct lull_queue *q)
{
	return q->bytes > MOST_BYTES ||
	       (!is_syncing(q) && lull_clock_now() - head(q)->since > LONGEST_WAIT_NS);
}

/* Waits for a thread or the syncer, and checks for signals. */
static void wait_a_while(struct lull_queue *q)
{
	if (lull_run_should_stop(q->tree))
		lull_pool_stop(&q->pool);
	lull_pool_wait(&q->pool, LOOK_NS);
}

/* Finishes tasks that are ready, and those that are overdue. If the copies take too much
   space, waits for a sync. */
static void finish_ready(struct lull_queue *q)
{
	(void)pthread_mutex_lock(&q->pool.lock);
	sync_early(q);
	while (q->n > 0 && head(q)->item.is_done && (!head_waits(q) || is_overdue(q))) {
		if (finish_head(q))
			continue;
		if (q->bytes <= MOST_BYTES)
			break;
		wait_a_while(q);
	}
	(void)pthread_mutex_unlock(&q->pool.lock);
}

/* Finishes tasks until at most left remain. */
static void finish(struct lull_queue *q, unsigned int left)
{
	(void)pthread_mutex_lock(&q->pool.lock);
	while (q->n > left) {
		/* A thread may have finished the task while the observer was called. */
		if (!finish_head(q) && (!head(q)->item.is_done || head_waits(q)))
			wait_a_while(q);
	}
	(void)pthread_mutex_unlock(&q->pool.lock);
}

void lull_queue_drain(struct lull_copy_run *tree)
{
	if (tree->queue && !tree->queue->finishing)
		finish(tree->queue, 0);
}

/* Returns the youngest task, after which the walk's reports come; NULL: they come at
   once. */
static struct lull_task *youngest(struct lull_queue *q)
{
	if (!q || q->n == 0 || q->finishing)
		return NULL;
	/* This keeps invariant 3. */
	while (q->n > 0 && (q->steps >= q->room || q->notes >= MOST_NOTES))
		finish(q, q->n - 1);
	return q->n > 0 ? q->ring[(q->head + q->n - 1) % q->room] : NULL;
}

/* Keeps a note until the youngest task is finished. Needs no lock, because only the walk
   changes head, n, and what comes after a task. */
static void note_later(void *ctx, const struct lull_note *note)
{
	struct lull_copy_run *tree = ctx;
	struct lull_task *task = youngest(tree->queue);

	if (task) {
		lull_events_note(&task->after, note);
		task->after_notes++;
		tree->queue->notes++;
	} else {
		tree->observer->note(tree->observer->ctx, note);
	}
}

void lull_queue_later(struct lull_copy_run *tree, void (*step)(void *ctx), void *ctx)
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
 * Returns true if dest will be written in place and may have other names. Under one of
 * them it may be the source or the dest of a task, and two writers at the same time would
 * mix their data.
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

	(void)pthread_mutex_lock(&q->pool.lock);
	n = q->pool.n_waiting;
	(void)pthread_mutex_unlock(&q->pool.lock);
	return n;
}

/* Runs in a thread. */
static void copy(struct lull_workitem *item)
{
	struct lull_task *task = container_of(item, struct lull_task, item);
	struct lull_queue *q = task->queue;

	if (lull_pool_is_stopped(&q->pool))
		task->file.outcome = LULL_INTERRUPTED;
	else
		q->work->copy(&task->file);
}

/* Counts a task that is copied among those that must reach the disk. */
static void count_due(struct lull_workitem *item)
{
	struct lull_task *task = container_of(item, struct lull_task, item);

	if (!task->file.due)
		return;
	task->queue->bytes += task->file.result.progress.bytes_copied;
	task->queue->unsynced++;
}

static struct lull_task *new_task(struct lull_queue *q, const struct lull_file *file)
{
	struct lull_task *task = calloc(1, sizeof(*task));

	if (!task)
		return NULL;
	task->item.work = copy;
	task->item.done = count_due;
	task->queue = q;
	task->file = *file;
	lull_mailbox_open(&task->own, &q->pool.lock, &q->pool.stop);
	task->own.real = q->pool.n_threads == 0 ? q->tree->observer : NULL;
	task->file.observer = &task->own.observer;
	if (lull_file_own(&task->file))
		return task;
	free_task(task);
	return NULL;
}

/* Finds out in which directory the file is made. Usually it is that of the task
   before. */
static void look_where(struct lull_queue *q, struct lull_task *task)
{
	const struct lull_entry *e = &task->file.entry;
	const struct lull_task *before = q->n > 0
						 ? q->ring[(q->head + q->n - 1) % q->room]
						 : NULL;

	if (e->dst_last == e->dst_name && before &&
	    before->file.entry.dst_dir == e->dst_dir &&
	    !strchr(before->file.entry.dst_name, '/')) {
		task->dir = before->dir;
		return;
	}
	if (fstatat(e->dst_dir->fd, e->dst_head, &task->dir, 0) < 0)
		task->dir.st_ino = 0;
}

static void put_in(struct lull_queue *q, struct lull_task *task)
{
	look_where(q, task);
	task->dst = task->file.entry.dst;
	note_inodes(q, task);
	task->since = lull_clock_now();
	(void)pthread_mutex_lock(&q->pool.lock);
	q->ring[(q->head + q->n++) % q->room] = task;
	if (!task->item.is_done)
		lull_pool_give(&q->pool, &task->item);
	(void)pthread_mutex_unlock(&q->pool.lock);
}

/* Finishes a task at once, after all that came before it. */
static bool end_now(struct lull_queue *q, struct lull_task *task)
{
	finish(q, 0);
	return end_task(q, task);
}

void lull_queue_directly(struct lull_file *file)
{
	struct lull_queue *q = file->entry.tree->queue;

	if (!q || !q->here || &q->here->file != file ||
	    file->observer != &q->here->own.observer)
		return;
	finish(q, 0);
	q->finishing = true;
	lull_events_hear(&q->here->own.events, q->tree->observer);
	q->finishing = false;
	file->observer = q->tree->observer;
}

/* Returns true if there was no space. It may still be in use, for example by older files
   that earlier tasks will replace. */
static bool lacks_room(const struct lull_file *f)
{
	int err = f->result.failure.err;

	return f->outcome == LULL_FAILED && f->reported &&
	       (err == ENOSPC || err == EDQUOT);
}

/* Does the work on the walk's thread, because there are no others. */
static bool work_here(struct lull_queue *q, struct lull_task *task)
{
	if (!task->file.link) {
		q->here = task;
		q->work->copy(&task->file);
		if (q->n > 0 && lacks_room(&task->file)) {
			finish(q, 0);
			lull_file_again(&task->file);
			q->work->copy(&task->file);
		}
		q->here = NULL;
	}
	task->item.is_done = true;
	if (q->n == 0 && !task->file.due)
		return end_task(q, task);
	finish(q, q->room - 1);
	count_due(&task->item);
	put_in(q, task);
	finish_ready(q);
	return true;
}

/* Waits until the ring has room for a task, and a thread will soon be free for it. */
static void make_room(struct lull_queue *q)
{
	finish(q, q->room - 1);
	finish_ready(q);
	while (q->n > 0 && count_waiting(q) >= q->most_waiting)
		finish(q, q->n - 1);
}

bool lull_queue_file(struct lull_file *file)
{
	struct lull_copy_run *tree = file->entry.tree;
	struct lull_queue *q = tree->queue;
	struct lull_task *task;

	task = new_task(q, file);
	if (!task) {
		lull_run_note(tree, LULL_NOTE_MEMORY, ENOMEM, file->entry.dst_path, NULL);
		lull_entry_undo(&file->entry);
		return false;
	}
	if (!file->link && is_shared(&file->entry)) {
		finish(q, 0);
		task->file.observer = tree->observer;
		q->work->copy(&task->file);
		return end_now(q, task);
	}
	if (q->pool.n_threads == 0)
		return work_here(q, task);
	make_room(q);
	if (file->link)
		task->item.is_done = true;
	put_in(q, task);
	return true;
}

int lull_queue_open(struct lull_copy_run *tree, unsigned int n,
		    const struct lull_work *work)
{
	struct lull_queue *q = calloc(1, sizeof(*q));
	unsigned int room;
	int r = 0;

	if (!q)
		return -ENOMEM;
	n = lull_shares_of_descriptors(tree, n, &room);
	*q = (struct lull_queue){ .tree = tree,
				  .work = work,
				  .room = room,
				  .most_waiting = n * MOST_TASKS_A_JOB };
	q->ring = calloc(room, sizeof(*q->ring));
	q->batch = calloc(room, sizeof(*q->batch));
	/* One thread would be no faster than the walk alone. */
	r = lull_pool_open(&q->pool, n > 1 ? n : 0);
	tree->queue = q;
	tree->walk.ctx = tree;
	tree->walk.note = note_later;
	if (!q->ring || !q->batch)
		r = -ENOMEM;
	if (r < 0)
		lull_queue_close(tree);
	return r;
}

void lull_queue_close(struct lull_copy_run *tree)
{
	struct lull_queue *q = tree->queue;

	if (!q)
		return;
	finish(q, 0);
	lull_syncer_end(q->syncer);
	lull_pool_close(&q->pool);
	free(q->batch);
	free(q->ring);
	free(q);
	tree->queue = NULL;
	tree->walk = *tree->observer;
}
