// SPDX-License-Identifier: MIT
/*
 * DESIGN
 *
 * A row is examined without its lock, so a change that another run makes may be seen or
 * not. Only the record says what belongs to the row. Files that are gone or were replaced
 * are left out silently, because the next run reports them.
 */
#include "engine/clone/dest.h"
#include "engine/clone/difference.h"
#include "engine/clone/generation_name.h"
#include "engine/clone/job_init.h"
#include "engine/clone/record.h"
#include "engine/clone/row.h"
#include "engine/clone/statehome.h"
#include "sys/clock.h"
#include "sys/opening.h"
#include "sys/own.h"
#include "util/text.h"

#include <errno.h>
#include <linux/magic.h>
#include <string.h>

struct list {
	struct lull_job job;
	struct lull_result result;
	struct lull_generations known;  /* those that exist, or may exist */
	struct lull_retain_item *items; /* what the rules keep */
	struct lull_row *row;
	/* open on the previous generation; -1: there is none, or it is not readable */
	int before;
};

/* ---- bytes ---- */

static enum lull_outcome walk_failed(struct list *l, int r, const char *path)
{
	return lull_fail_errno(&l->job, LULL_STAGE_WALK, r, path);
}

static enum lull_outcome add_own(struct list *l, int fd, struct lull_row_entry *e)
{
	uint64_t bytes = 0, next = 0;

	while (next != UINT64_MAX) {
		int r = lull_own_add(fd, next, &bytes, &next);

		/* A file system without FIEMAP has no clones either. */
		if (r == -EOPNOTSUPP || r == -ENOTTY)
			return LULL_OK;
		if (r < 0)
			return walk_failed(l, r, e->path);
		if (lull_should_stop(&l->job))
			return LULL_INTERRUPTED;
	}
	e->bytes_own = bytes;
	return LULL_OK;
}

static bool maps_are_trusted(const struct list *l)
{
	uint64_t magic = l->job.dest.fs.magic;

	return magic == XFS_SUPER_MAGIC || magic == BTRFS_SUPER_MAGIC;
}

/* Counts the bytes that may differ from the previous generation. */
static enum lull_outcome add_changed(struct list *l, int fd, struct lull_row_entry *e)
{
	struct lull_maps maps = {
		.a = fd, .b = l->before, .to = e->size, .block = l->job.dest.fs.block
	};
	struct lull_range range;
	enum lull_outcome outcome = LULL_OK;
	uint64_t changed = 0;
	int r = lull_maps_open(&maps);

	if (r == 0) {
		while (outcome == LULL_OK &&
		       (r = lull_plan_next(&maps.plan, &range)) > 0) {
			changed += MIN(range.len, e->size - range.off);
			if (lull_should_stop(&l->job))
				outcome = LULL_INTERRUPTED;
		}
	}
	lull_maps_close(&maps);
	if (r < 0)
		return walk_failed(l, r, e->path);
	e->bytes_changed = changed;
	return outcome;
}

/* ---- the row ---- */

static enum lull_outcome look(struct list *l, const struct lull_generation *g, bool quick,
			      struct lull_row_entry *e)
{
	_cleanup_close_ int fd = -1;
	enum lull_outcome outcome = LULL_OK;
	struct stat st;

	e->time = g->created;
	e->bytes_own = e->bytes_changed = UINT64_MAX;
	e->unreadable = lull_row_look(&l->job.dest, g, &fd) != LULL_ROW_GOOD ||
			fstat(fd, &st) < 0;
	if (!e->unreadable) {
		e->size = (uint64_t)st.st_size;
		if (!quick)
			outcome = add_own(l, fd, e);
		if (!quick && outcome == LULL_OK && l->before >= 0 && maps_are_trusted(l))
			outcome = add_changed(l, fd, e);
	}
	lull_close(&l->before);
	l->before = lull_steal_fd(&fd);
	return outcome;
}

/* Returns the path of a generation as DEST was given, with the date. */
static char *path_of(const struct list *l, const char *date)
{
	return lull_text("%s%s", l->job.progress->dest, date);
}

static bool is_there(const struct list *l, const struct lull_generation *g)
{
	_cleanup_close_ int fd = -1;
	enum lull_row_state state = lull_row_look(&l->job.dest, g, &fd);

	return state == LULL_ROW_GOOD || state == LULL_ROW_UNSURE;
}

/* Loads the record. needed: fails if there is none. */
static enum lull_outcome load(struct list *l, bool needed)
{
	struct lull_dest *dest = &l->job.dest;
	_cleanup_free_ char *record = NULL;
	_cleanup_free_ char *path = NULL;
	int r;

	record = lull_row_record(dest);
	path = record ? lull_statehome_path(&dest->home, record) : NULL;
	if (!record)
		return walk_failed(l, ENOMEM, dest->path);
	if (dest->home.dir < 0) {
		/* If the private directory does not exist, there is no record. */
		if (dest->home.err != ENOENT || (needed && !dest->home.path))
			return lull_fail(&l->job, LULL_STAGE_CHECKPOINT,
					 LULL_CAUSE_GENERATIONS_DIRECTORY, dest->home.err,
					 dest->home.path);
		return needed ? lull_fail(&l->job, LULL_STAGE_RECORD, LULL_CAUSE_NO_ROW,
					  0, l->job.progress->dest)
			      : LULL_OK;
	}
	r = lull_generations_load(dest->home.dir, record, &l->known);
	if (r == 0 && needed && faccessat(dest->home.dir, record, F_OK, 0) < 0 &&
	    errno == ENOENT)
		return lull_fail(&l->job, LULL_STAGE_RECORD, LULL_CAUSE_NO_ROW, 0,
				 l->job.progress->dest);
	if (r < 0)
		return lull_fail(&l->job, LULL_STAGE_RECORD, lull_row_cause(r), r, path);
	for (size_t i = 0; i < l->known.n;) {
		if (is_there(l, &l->known.item[i]))
			i++;
		else
			lull_generations_drop(&l->known, i);
	}
	return LULL_OK;
}

/* Fills in the entries. If more is not 0, it is the date of one that would be made, for
   which the rules count too. */
static enum lull_outcome fill(struct list *l, bool quick, uint64_t more)
{
	const struct lull_generations *known = &l->known;
	struct lull_row *row = l->row;
	bool ruled = lull_keep_any(&row->rules);
	enum lull_outcome outcome = LULL_OK;

	l->items = lull_row_retain(known, &row->rules, more);
	row->entry = calloc(known->n + 1, sizeof(*row->entry));
	if (!row->entry || !l->items)
		return walk_failed(l, ENOMEM, l->job.dest.path);
	for (size_t i = 0; i < known->n && outcome == LULL_OK; i++) {
		struct lull_row_entry *e = &row->entry[row->n++];

		e->path = path_of(l, known->item[i].name + strlen(l->job.dest.name));
		if (!e->path)
			return walk_failed(l, ENOMEM, l->job.dest.path);
		e->kept_by = ruled ? l->items[i].kept_by : 0;
		if (ruled && e->kept_by == 0)
			e->fate = LULL_FATE_REMOVED;
		outcome = look(l, &known->item[i], quick, e);
	}
	if (more > 0 && outcome == LULL_OK)
		row->entry[row->n].kept_by = l->items[known->n].kept_by;
	return outcome;
}

static enum lull_outcome open_list(struct list *l, const struct lull_options *options,
				   const char *dest, const struct lull_observer *observer,
				   struct lull_row *ret_row)
{
	const struct lull_state_wish wish = { .directory = options->state_directory };
	enum lull_stage stage;
	enum lull_cause cause;
	int r;

	*ret_row = (struct lull_row){ 0 };
	*l = (struct list){ .row = ret_row, .before = -1 };
	if (!lull_job_init(&l->job, options, observer, NULL, dest, &l->result))
		return walk_failed(l, ENOMEM, dest);
	r = lull_dest_resolve_name(&l->job.dest, dest, &wish, &stage, &cause);
	return r < 0 ? lull_fail(&l->job, stage, cause, r, dest) : LULL_OK;
}

static enum lull_outcome close_list(struct list *l, enum lull_outcome outcome)
{
	lull_close(&l->before);
	free(l->items);
	lull_generations_done(&l->known);
	(void)lull_job_looked(&l->job, &l->row->failure);
	return outcome;
}

enum lull_outcome lull_list(const struct lull_options *options, const char *dest,
			    bool quick, const struct lull_observer *observer,
			    struct lull_row *ret_row)
{
	struct list l;
	enum lull_outcome outcome = open_list(&l, options, dest, observer, ret_row);

	if (outcome == LULL_OK)
		outcome = load(&l, true);
	ret_row->rules = lull_keep_any(&options->keep) ? options->keep : l.known.rules;
	if (outcome == LULL_OK)
		outcome = fill(&l, quick, 0);
	return close_list(&l, outcome);
}

/* ---- what a run would do ---- */

static enum lull_outcome open_source(struct list *l, const char *source)
{
	struct stat st;

	l->job.src = lull_open_patiently(AT_FDCWD, source,
					 O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0,
					 l->job.observer->should_stop,
					 l->job.observer->ctx);
	if (l->job.src == -ECANCELED)
		return LULL_INTERRUPTED;
	if (l->job.src < 0)
		return lull_fail_errno(&l->job, LULL_STAGE_OPEN_SOURCE, l->job.src,
				       source);
	if (fstat(l->job.src, &st) < 0 || !S_ISREG(st.st_mode))
		return lull_fail(&l->job, LULL_STAGE_STAT_SOURCE, LULL_CAUSE_NOT_REGULAR,
				 EINVAL, source);
	if (l->job.options->cp.reflink == LULL_REFLINK_ALWAYS &&
	    !lull_identity_same_fs(l->job.src, l->job.dest.dir))
		return lull_fail(&l->job, LULL_STAGE_PROBE, LULL_CAUSE_OTHER_FILE_SYSTEM,
				 EXDEV, l->job.progress->dest);
	l->row->entry[l->row->n].size = (uint64_t)st.st_size;
	return LULL_OK;
}

static enum lull_outcome foresee(struct list *l, const char *source, uint64_t now)
{
	struct lull_row *row = l->row;
	struct lull_row_entry *made;
	size_t used_up, spared;
	char date[24];
	int why;
	enum lull_outcome outcome = fill(l, true, now);

	if (outcome == LULL_OK)
		outcome = open_source(l, source);
	if (outcome != LULL_OK)
		return outcome;
	made = &row->entry[row->n];
	lull_generation_call(now, date);
	made->path = path_of(l, date);
	if (!made->path)
		return walk_failed(l, ENOMEM, l->job.dest.path);
	row->n++;
	made->time = now;
	made->fate = LULL_FATE_MADE;
	made->bytes_own = made->bytes_changed = UINT64_MAX;
	used_up = lull_row_choose(&l->job, &l->known, l->items, &spared, &why);
	if (used_up < l->known.n)
		row->entry[used_up].fate = LULL_FATE_USED_UP;
	return LULL_OK;
}

enum lull_outcome lull_foresee(const struct lull_options *options, const char *source,
			       const char *dest, const struct lull_observer *observer,
			       struct lull_row *ret_row)
{
	struct list l;
	enum lull_outcome outcome = open_list(&l, options, dest, observer, ret_row);

	ret_row->rules = options->keep;
	if (outcome == LULL_OK)
		outcome = load(&l, false);
	if (outcome == LULL_OK)
		outcome = foresee(&l, source, lull_clock_wall());
	return close_list(&l, outcome);
}

void lull_row_done(struct lull_row *row)
{
	for (size_t i = 0; i < row->n; i++)
		free(row->entry[i].path);
	free(row->entry);
	lull_failure_done(&row->failure);
	*row = (struct lull_row){ 0 };
}
