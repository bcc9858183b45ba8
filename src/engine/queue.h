/* SPDX-License-Identifier: MIT */
/*
 * Files side by side, in threads. The walk goes ahead and queues what is to be done; tasks
 * are finished in the order in which they were queued, on the walk's thread, and what they
 * have to say is said then. Without a queue (one job) everything happens at once.
 */
#pragma once

#include "engine/file.h"

/* n threads, at least 1. 0 or -errno. */
int lull_queue_open(struct lull_tree *tree, unsigned int n) _must_check_;

/* Waits for all that is queued, and ends the threads. NULL is fine. */
void lull_queue_close(struct lull_tree *tree);

/* Waits until nothing is queued. */
void lull_queue_drain(struct lull_tree *tree);

/*
 * Copies the file, or queues that. What the file points to is copied then. True unless it
 * has failed already.
 */
bool lull_queue_file(struct lull_file *file);

/* Calls step(ctx) when all that was queued before is done; it frees ctx. */
void lull_queue_later(struct lull_tree *tree, void (*step)(void *ctx), void *ctx);

/* Says it when all that was queued before has had its say. */
void lull_queue_note(struct lull_tree *tree, const struct lull_note *note);

/* A task's own notes, from its thread. */
void lull_task_note(struct lull_task *task, const struct lull_note *note);

/* How lull_clone() is heard: by the observer itself, or by the task. */
struct lull_observer lull_voice_observer(const struct lull_voice *voice);
