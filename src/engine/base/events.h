/* SPDX-License-Identifier: MIT */
/*
 * The reports of a task, kept in order until its turn. There is no lock: the caller has
 * one. A note for which there is no memory is lost.
 */
#pragma once

#include "lullcp.h"
#include "util/macros.h"

#include <stdbool.h>
#include <stdint.h>

struct lull_event;

/* Empty when all is zero. */
struct lull_events {
	struct lull_event *first;
	struct lull_event **last;
};

/* Keeps a copy of it, with its texts. */
void lull_events_note(struct lull_events *events, const struct lull_note *note);

/* Calls step(ctx) in its turn, which frees ctx. False without memory: then it is not
   called. */
bool lull_events_step(struct lull_events *events, void (*step)(void *ctx),
		      void *ctx) _must_check_;

/* Tells the observer all of them, the oldest first, and forgets them. A step may add
   more. */
void lull_events_hear(struct lull_events *events, const struct lull_observer *observer);

/* Tells the observer a note, at once, whose members are given as in a struct. */
#define lull_events_say(observer, ...) \
	(observer)->note((observer)->ctx, &(const struct lull_note){ __VA_ARGS__ })

/* Tells the observer of a warning, at once. err: an errno of either sign, or 0; path may
   be NULL. */
void lull_events_warn(const struct lull_observer *observer, enum lull_warning warning,
		      int err, const char *path);
