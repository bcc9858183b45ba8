/* SPDX-License-Identifier: MIT */
/*
 * An observer for work in a thread. It keeps all reports until the thread that may call
 * the real observer passes them on.
 */
#pragma once

#include "engine/base/events.h"
#include "lullcp.h"

#include <pthread.h>
#include <stdbool.h>

struct lull_mailbox {
	struct lull_observer observer; /* for the work */
	pthread_mutex_t *lock;         /* of the owner; guards all members below */
	const bool *stop;              /* read atomically; the answer of should_stop */
	/* asked instead of stop if the work runs on the real observer's thread; or
	   NULL */
	const struct lull_observer *real;
	/* warnings, notes and announcements, in order */
	struct lull_events events;
	/* the latest; its hist is NULL, its hold is set */
	struct lull_progress progress;
	bool progressed; /* progress is new since the owner last read it */
};

/* Initializes an empty mailbox. It must not be moved after this. lock and *stop must
   outlive it. */
void lull_mailbox_open(struct lull_mailbox *mailbox, pthread_mutex_t *lock,
		       const bool *stop);
