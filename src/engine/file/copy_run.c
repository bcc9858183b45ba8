// SPDX-License-Identifier: MIT
/* What the files of a run of lull_copy() share: see copy_run.h. */
#include "engine/file/copy_run.h"

#include "engine/base/events.h"
#include "sys/traits.h"

#include <errno.h>
#include <fcntl.h>

struct lull_dirref *lull_dirref_new(int fd)
{
	struct lull_dirref *ref = malloc(sizeof(*ref));

	if (ref)
		*ref = (struct lull_dirref){ .fd = fd, .refs = 1 };
	return ref;
}

struct lull_dirref *lull_dirref_hold(struct lull_dirref *ref)
{
	(void)__atomic_add_fetch(&ref->refs, 1, __ATOMIC_RELAXED);
	return ref;
}

void lull_dirref_drop(struct lull_dirref *ref)
{
	if (!ref || __atomic_sub_fetch(&ref->refs, 1, __ATOMIC_ACQ_REL) > 0)
		return;
	lull_close(&ref->fd);
	free(ref);
}

uint32_t lull_dirref_traits(struct lull_dirref *ref)
{
	uint32_t traits = __atomic_load_n(&ref->traits, __ATOMIC_RELAXED);

	if (traits == 0 && ref->fd >= 0) {
		traits = lull_traits_at(ref->fd);
		__atomic_store_n(&ref->traits, traits, __ATOMIC_RELAXED);
	}
	return traits;
}

void lull_run_ended(struct lull_copy_run *tree, enum lull_outcome outcome)
{
	if (outcome == LULL_OK)
		return;
	if (outcome == LULL_INTERRUPTED)
		tree->stopped = true;
	if (tree->worst == LULL_OK) {
		tree->worst = outcome;
		tree->ended_alike = true;
	} else if (tree->worst != outcome) {
		tree->ended_alike = false;
		/* A failed thaw must be reported: somebody must check the writers. */
		if (outcome == LULL_THAW_FAILED || outcome == LULL_INTERRUPTED)
			tree->worst = outcome;
	}
}

void lull_run_note(struct lull_copy_run *tree, enum lull_note_kind kind, int err,
		   const char *path, const char *path2)
{
	if (kind >= LULL_NOTE_FAILURES)
		lull_run_ended(tree, LULL_FAILED);
	lull_events_say(&tree->walk, .kind = kind, .err = abs(err), .path = path,
			.path2 = path2);
}

bool lull_run_should_stop(struct lull_copy_run *tree)
{
	const struct lull_observer *observer = tree->observer;

	if (!tree->stopped && observer->should_stop(observer->ctx))
		lull_run_ended(tree, LULL_INTERRUPTED);
	return tree->stopped;
}
