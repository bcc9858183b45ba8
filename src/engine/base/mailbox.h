/* SPDX-License-Identifier: MIT */
/*
 * An observer for work in a thread: it keeps what it is told until the thread that may
 * talk to the real observer passes that on.
 */
#pragma once

#include "engine/base/events.h"
#include "lullcp.h"

#include <pthread.h>
#include <stdbool.h>

struct lull_mailbox {
	struct lull_observer observer; /* to be given to the work */
	pthread_mutex_t *lock;         /* of the owner; guards all below */
	const bool *stop;              /* read atomically: what should_stop says */
	/* asked instead, if the work is on its thread; or NULL */
	const struct lull_observer *real;
	/* warnings, notes, announcements, in their order */
	struct lull_events events;
	/* the last one; its hist is NULL, its hold is known */
	struct lull_progress progress;
	bool progressed; /* since that was last looked at */
};

/* Opens an empty one. It must not move from then on; lock and *stop outlive it. */
void lull_mailbox_open(struct lull_mailbox *mailbox, pthread_mutex_t *lock,
		       const bool *stop);
