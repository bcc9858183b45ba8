// SPDX-License-Identifier: MIT
/* Keeps events to report them later: see events.h. */
#include "engine/base/events.h"

#include "util/text.h"

#include <stdlib.h>

struct lull_event {
	struct lull_event *next;
	struct lull_note note;
	char *text[3];
	void (*step)(void *ctx); /* to be called instead of a note; or NULL */
	void *ctx;
};

static struct lull_event *add(struct lull_events *events)
{
	struct lull_event *event = calloc(1, sizeof(*event));

	if (!event)
		return NULL;
	if (!events->last)
		events->last = &events->first;
	*events->last = event;
	events->last = &event->next;
	return event;
}

void lull_events_note(struct lull_events *events, const struct lull_note *note)
{
	struct lull_event *event = add(events);

	if (!event)
		return;
	event->text[0] = lull_text_copy(note->path);
	event->text[1] = lull_text_copy(note->path2);
	event->text[2] = lull_text_copy(note->path3);
	event->note = *note;
	event->note.path = event->text[0];
	event->note.path2 = event->text[1];
	event->note.path3 = event->text[2];
}

bool lull_events_step(struct lull_events *events, void (*step)(void *ctx), void *ctx)
{
	struct lull_event *event = add(events);

	if (!event)
		return false;
	event->step = step;
	event->ctx = ctx;
	return true;
}

void lull_events_hear(struct lull_events *events, const struct lull_observer *observer)
{
	while (events->first) {
		struct lull_event *event = events->first;

		events->first = event->next;
		if (!events->first)
			events->last = &events->first;
		if (event->step)
			event->step(event->ctx);
		else
			observer->note(observer->ctx, &event->note);
		for (size_t i = 0; i < ARRAY_SIZE(event->text); i++)
			free(event->text[i]);
		free(event);
	}
}

void lull_events_warn(const struct lull_observer *observer, enum lull_warning warning,
		      int err, const char *path)
{
	lull_events_say(observer, .kind = LULL_NOTE_WARNING, .warning = warning,
			.err = abs(err), .path = path);
}
