// SPDX-License-Identifier: MIT
/*
 * DESIGN
 *
 * A ring of tasks. The walk puts them in at the tail, threads of a pool take the oldest
 * that nobody works on, and the walk finishes them at the head, in order. With one job
 * there are no threads: the walk does the work itself before it puts the task in. What a
 * task has to say while it is worked on is kept with it; what the walk has to say is kept
 * with the youngest task, and comes after it.
 *
 * A new file that must be on disk before it is named stays in the ring without a name
 * until then. One sync is for all of the ring that are done. When that is half of it, a
 * thread syncs while the walk goes on. It is syncfs(2): BTRFS_IOC_START_SYNC would need
 * no thread, but was seen to wait 30 s, for the next periodic commit, when commits follow
 * each other quickly (6.18).
 *
 * INVARIANTS
 *  1. The observer is called on the walk's thread alone.
 *  2. Notes come in the order in which one job would give them.
 *  3. The ring is bounded, and so is what waits for its tasks, and with them memory
 *     and descriptors: whatever the tree, and however long one file takes.
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

/* Small files are over at once: a thread has some to go on with. */
#define MOST_TASKS_A_JOB 8u
/* Waiting for fewer takes no longer than a thread does. */
#define LEAST_FOR_SYNCER 64u
/* How long a file waits for its name at the most, while others are done. */
#define LONGEST_WAIT_NS NSEC_PER_SEC
/* Copied bytes of files that wait: beside them the files that they replace take room as
   well. */
#define MOST_BYTES (16u << 20)
/* Notes of the walk that wait: some hundred bytes each. */
#define MOST_NOTES 10000u
/* How often the walk looks for signals while it waits. */
#define LOOK_NS (50 * NSEC_PER_MSEC)

struct lull_task {
	struct lull_workitem item;
	struct lull_queue *queue;
	struct lull_file file;
	struct lull_mailbox own;  /* what the file has to say until the task's turn */
	struct lull_events after; /* from the walk, to come after it */
	unsigned int after_steps, after_notes;
	uint64_t since;  /* when it was put into the ring */
	bool syncing;    /* the syncer has it */
	struct stat dir; /* the directory that it is made in; st_ino 0: not known */
	/* what it replaces, as the walk saw it: a thread may see another one */
	struct stat dst;
};

struct lull_queue {
	struct lull_copy_run *tree;
	const struct lull_work *work;
	struct lull_pool pool; /* its threads copy; its lock is that of the ring */
	struct lull_task **ring;
	unsigned int room, head, n;
	unsigned int steps, notes; /* that wait for tasks */
	bool finishing; /* the walk hears a task: what it says now belongs there */
	unsigned int most_waiting;  /* tasks that nobody works on */
	struct lull_task *here;     /* that one, while it does */
	struct lull_file **batch;   /* room for a sync */
	unsigned int n_batch;       /* that the syncer has */
	struct lull_syncer *syncer; /* NULL: the walk syncs */
	/* tasks that are done, wait for the disk, and are in no sync */
	unsigned int unsynced;
	uint64_t bytes; /* copied to files without a name */
	/* of sources that are linked, of dests that are replaced, of directories that
	   files are made in */
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

/* Those that are done and wait for the disk; none of them is in a sync. */
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

/* True if the syncer has files. It no longer has those that it has synced. */
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

/* Leaves out those that are gone. */
static void note_inodes_anew(struct lull_queue *q)
{
	lull_inodeset_clear(&q->inodes);
	for (unsigned int i = 0; i < q->n; i++)
		note_inodes(q, q->ring[(q->head + i) % q->room]);
}

/* links: of the sources that are linked, else of what is about to change. */
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
 * All that one sync can be for: here, or by the syncer if there is one. Nothing is in a
 * sync. Called and left with the lock held.
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

/* Syncs half the ring while there is room for more. A few files are not worth a
   thread. */
static void sync_early(struct lull_queue *q)
{
	if (q->unsynced < MAX(q->room / 2, LEAST_FOR_SYNCER) || is_syncing(q))
		return;
	if (!q->syncer && lull_syncer_start(&q->syncer, &q->pool) < 0)
		return;
	sync_batch(q);
}

/* What is left of a task that is done, on the walk's thread. False if it has failed. */
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

/* The oldest one: shows how far it is, and finishes it if it is done. Called and left
   with the lock held. */
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

/* Syncs what has waited too long or takes too much room; with too much the walk waits for
   it. */
static bool is_overdue(struct lull_queue *q)
{
	return q->bytes > MOST_BYTES ||
	       (!is_syncing(q) && lull_clock_now() - head(q)->since > LONGEST_WAIT_NS);
}

/* Waits for a thread or the syncer, and looks at signals now and then. */
static void wait_a_while(struct lull_queue *q)
{
	if (lull_run_should_stop(q->tree))
		lull_pool_stop(&q->pool);
	lull_pool_wait(&q->pool, LOOK_NS);
}

/* Finishes tasks that need not be waited for, and syncs if they have waited long
   enough. */
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

/* Finishes tasks until at most that many are left. */
static void finish(struct lull_queue *q, unsigned int left)
{
	(void)pthread_mutex_lock(&q->pool.lock);
	while (q->n > left) {
		/* A thread may have ended it while the observer was told. */
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

/* The youngest task, after which the notes of the walk come; NULL: they come at once. */
static struct lull_task *youngest(struct lull_queue *q)
{
	if (!q || q->n == 0 || q->finishing)
		return NULL;
	/* Invariant 3. */
	while (q->n > 0 && (q->steps >= q->room || q->notes >= MOST_NOTES))
		finish(q, q->n - 1);
	return q->n > 0 ? q->ring[(q->head + q->n - 1) % q->room] : NULL;
}

/* Only the walk changes head and n, so it needs no lock to look at them, nor for what
   comes after a task. */
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
 * It will be written in place and has other names. Under one of them it may be the source
 * or the dest of a task, and what two write at the same time is a mixture.
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

/* In a thread. */
static void copy(struct lull_workitem *item)
{
	struct lull_task *task = container_of(item, struct lull_task, item);
	struct lull_queue *q = task->queue;

	if (lull_pool_is_stopped(&q->pool))
		task->file.outcome = LULL_INTERRUPTED;
	else
		q->work->copy(&task->file);
}

/* Counts what waits for the disk, of a task that is done. */
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

/* Usually it is the directory of those before it. */
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

/* It does not wait, and neither does what came before it. */
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

/* It is still in use, for example by the older files that those before it replace. */
static bool lacks_room(const struct lull_file *f)
{
	int err = f->result.failure.err;

	return f->outcome == LULL_FAILED && f->reported &&
	       (err == ENOSPC || err == EDQUOT);
}

/* Without threads. */
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

/* Waits until there is room for one more, and one of them for a thread. */
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
	/* The walk alone is as good as one thread. */
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
