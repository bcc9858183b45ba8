/* SPDX-License-Identifier: MIT */
/* The ring of tasks that the walk (queue.c) and its workers (worker.c) share. */
#pragma once

#include "engine/base/mailbox.h"
#include "engine/file/queue.h"
#include "engine/file/syncer.h"
#include "util/inodeset.h"

#include <pthread.h>

enum lull_task_state { LULL_TASK_WAITING, LULL_TASK_AT_WORK, LULL_TASK_DONE };

struct lull_task {
	struct lull_queue *queue;
	struct lull_file file;
	struct lull_mailbox own;  /* what the file has to say until the task's turn */
	enum lull_task_state state;
	struct lull_events after; /* from the walk, to come behind it */
	unsigned int after_steps, after_notes;
	uint64_t since; /* when it was put into the ring */
	bool syncing; /* the syncer has it */
	struct stat dir; /* the directory that it is made in; st_ino 0: not known */
	struct stat dst; /* what it replaces, as the walk saw it: a worker may see another one */
};

struct lull_queue {
	struct lull_copy_run *tree;
	const struct lull_work *work;
	pthread_mutex_t lock;
	pthread_cond_t queued; /* something waits, or it is the end */
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
	struct lull_task *here;       /* that one, while it does */
	struct lull_file **batch;     /* room for a sync */
	unsigned int n_batch;         /* that the syncer has */
	struct lull_syncer *syncer;   /* NULL: the walk syncs */
	unsigned int unsynced;        /* tasks that are done, wait for the disk, and are in no sync */
	uint64_t bytes;               /* copied to files without a name */
	struct lull_inodeset inodes;  /* of sources that are linked, of dests that are replaced, of
	                                 directories that files are made in */
};

/* A worker's thread: takes the oldest task that nobody works on, until the queue is closing. */
void *lull_worker_run(void *queue);

/* Counts what waits for the disk, of a task that is done. With the lock held, where workers are. */
void lull_worker_count_due(struct lull_queue *q, const struct lull_task *task);
