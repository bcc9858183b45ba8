/* SPDX-License-Identifier: MIT */
/*
 * Keeps the reports of a task in order until its turn. Has no lock: the caller must use
 * one. A note for which there is no memory is lost.
 */
#pragma once

#include "lullcp.h"
#include "util/macros.h"

#include <stdbool.h>
#include <stdint.h>

struct lull_event;

/* All zeroes: empty. */
struct lull_events {
	struct lull_event *first;
	struct lull_event **last;
};

/* Keeps a copy of the note and of its texts. */
void lull_events_note(struct lull_events *events, const struct lull_note *note);

/* Keeps a call of step(ctx), which must free ctx. Returns false without memory; then step
   is not called. */
bool lull_events_step(struct lull_events *events, void (*step)(void *ctx),
		      void *ctx) _must_check_;

/* Reports all events to the observer, oldest first, and drops them. A step may add
   more. */
void lull_events_hear(struct lull_events *events, const struct lull_observer *observer);

/* Reports a note to the observer at once. The arguments are members of struct
   lull_note. */
#define lull_events_say(observer, ...) \
	(observer)->note((observer)->ctx, &(const struct lull_note){ __VA_ARGS__ })

/* Reports a warning to the observer at once. err: an errno of either sign, or 0. path may
   be NULL. */
void lull_events_warn(const struct lull_observer *observer, enum lull_warning warning,
		      int err, const char *path);
