// SPDX-License-Identifier: MIT
/* What is said later: see events.h. */
#include "engine/base/events.h"

#include <stdlib.h>
#include <string.h>

enum kind { KIND_NOTE, KIND_WARNING, KIND_ANNOUNCE, KIND_STEP };

struct lull_event {
	struct lull_event *next;
	enum kind kind;
	struct lull_note note;
	char *text[3];
	enum lull_warning warning;
	enum lull_method method;
	uint64_t ns;
	void (*step)(void *ctx);
	void *ctx;
};

static char *copy(const char *text)
{
	return text ? strdup(text) : NULL;
}

static struct lull_event *add(struct lull_events *events, enum kind kind)
{
	struct lull_event *event = calloc(1, sizeof(*event));

	if (!event)
		return NULL;
	event->kind = kind;
	if (!events->last)
		events->last = &events->first;
	*events->last = event;
	events->last = &event->next;
	return event;
}

void lull_events_note(struct lull_events *events, const struct lull_note *note)
{
	struct lull_event *event = add(events, KIND_NOTE);

	if (!event)
		return;
	event->text[0] = copy(note->path);
	event->text[1] = copy(note->path2);
	event->text[2] = copy(note->path3);
	event->note = *note;
	event->note.path = event->text[0];
	event->note.path2 = event->text[1];
	event->note.path3 = event->text[2];
}

void lull_events_warning(struct lull_events *events, enum lull_warning warning, int err,
			 const char *path)
{
	struct lull_event *event = add(events, KIND_WARNING);

	if (!event)
		return;
	event->warning = warning;
	event->note.err = err;
	event->text[0] = copy(path);
}

void lull_events_announce(struct lull_events *events, enum lull_method method,
			  uint64_t ns)
{
	struct lull_event *event = add(events, KIND_ANNOUNCE);

	if (!event)
		return;
	event->method = method;
	event->ns = ns;
}

bool lull_events_step(struct lull_events *events, void (*step)(void *ctx), void *ctx)
{
	struct lull_event *event = add(events, KIND_STEP);

	if (!event)
		return false;
	event->step = step;
	event->ctx = ctx;
	return true;
}

static void hear(const struct lull_event *event, const struct lull_observer *o)
{
	switch (event->kind) {
	case KIND_NOTE:
		o->note(o->ctx, &event->note);
		break;
	case KIND_WARNING:
		o->warning(o->ctx, event->warning, event->note.err, event->text[0]);
		break;
	case KIND_ANNOUNCE:
		o->announce(o->ctx, event->method, event->ns);
		break;
	case KIND_STEP:
		event->step(event->ctx);
		break;
	}
}

void lull_events_hear(struct lull_events *events, const struct lull_observer *observer)
{
	while (events->first) {
		struct lull_event *event = events->first;

		events->first = event->next;
		if (!events->first)
			events->last = &events->first;
		hear(event, observer);
		for (size_t i = 0; i < ARRAY_SIZE(event->text); i++)
			free(event->text[i]);
		free(event);
	}
}
