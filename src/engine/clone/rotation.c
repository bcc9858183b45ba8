// SPDX-License-Identifier: MIT
/*
 * DESIGN
 *
 *  1. Under the lock: read the record, and drop what is not as it says.
 *  2. The oldest generation that the rules let go, once there is a new one, becomes the
 *     base of a refresh. The newest never does.
 *  3. The clone is made and synced, and its checkpoint says that it is complete.
 *  4. The record gains the new generation, "pending", and loses the one that was used up.
 *  5. The new generation is renamed to its name, which no file had before.
 *  6. The checkpoint is removed.
 *  7. Under the lock, taken again: all that the rules let go are removed. Then they are
 *     dropped from the record, and "pending" as well.
 *
 * If a run is killed before step 4, the record lists all that exist, and the used up one,
 * which is the temporary file. Before step 5, it lists one more, which does not exist or
 * is the temporary file; that is dropped silently. Before step 7, it lists all, and the
 * next run does the rest. If another run has the lock at step 7, that run does it.
 *
 * INVARIANTS
 *  1. Only what the record lists, by inode and generation number, is ever used up or
 *     removed.
 *  2. Whenever a generation is used up or removed, all others that the rules keep, and
 *     the newest, are complete and have their names.
 *  3. A generation that somebody has open for writing is neither used up nor removed.
 */
#include "engine/clone/rotation.h"

#include "engine/base/events.h"
#include "engine/clone/dest.h"
#include "engine/clone/generation_name.h"
#include "engine/clone/record.h"
#include "engine/clone/row.h"
#include "engine/clone/shrink.h"
#include "engine/clone/statehome.h"
#include "store/checkpoint_file.h"
#include "sys/clock.h"
#include "sys/inode.h"
#include "sys/opening.h"
#include "util/text.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* ".20261125T030000Z", "-" and a number, NUL. */
#define DATE_ROOM 40
/* The most runs in one second, including names that somebody else has taken. */
#define MOST_TRIES 1000

struct lull_rotation {
	struct lull_options options; /* the caller's, and which generation is used up */
	struct lull_generations known;
	char *record; /* file name of the record */
	char *stem;   /* the last part of DEST, without a date */
	char *base;   /* path of the generation that is used up */
	/* name that an interrupted run had chosen, or NULL */
	char *planned;
	char *shown;       /* DEST with the date; belongs to the result */
	size_t shown_stem; /* length of the part before the date */
	uint64_t made_at;  /* the date, ns since the epoch, which the rules use */
};

enum lull_outcome lull_rotation_begin(struct lull_job *job)
{
	const char *given = job->progress->dest;
	struct lull_rotation *rotation = calloc(1, sizeof(*rotation));

	job->rotation = rotation;
	if (rotation) {
		rotation->options = *job->options;
		job->options = &rotation->options;
		rotation->shown_stem = strlen(given);
		rotation->shown = malloc(rotation->shown_stem + DATE_ROOM);
	}
	if (!rotation || !rotation->shown)
		return lull_fail_errno(job, LULL_STAGE_RECORD, ENOMEM, given);
	memcpy(rotation->shown, given, rotation->shown_stem + 1);
	/* This belongs to the result, because it outlives the job. */
	job->result->generation = rotation->shown;
	job->progress->dest = rotation->shown;
	return LULL_OK;
}

void lull_rotation_done(struct lull_rotation *rotation)
{
	if (!rotation)
		return;
	lull_generations_done(&rotation->known);
	free(rotation->record);
	free(rotation->stem);
	free(rotation->base);
	free(rotation->planned);
	free(rotation);
}

static enum lull_outcome fail(struct lull_job *job, enum lull_cause cause, int err,
			      const char *name)
{
	_cleanup_free_ char *path = lull_row_path(&job->dest, name);

	return lull_fail(job, LULL_STAGE_RECORD, cause, err, path);
}

static bool is_dated(const char *stem, const char *name)
{
	size_t len = strlen(stem);

	return strncmp(name, stem, len) == 0 && name[len] == '.' && name[len + 1] &&
	       !strchr(name, '/');
}

/* With -v, reports what became of the generation of that name. Shows DEST as it was
   given. */
static void tell(struct lull_job *job, enum lull_note_kind kind, const char *name)
{
	const struct lull_rotation *rotation = job->rotation;
	_cleanup_free_ char *path = NULL;

	if (!job->options->cp.verbose || !is_dated(rotation->stem, name))
		return;
	path = lull_text("%.*s%s", (int)rotation->shown_stem, rotation->shown,
			 name + strlen(rotation->stem));
	if (path)
		lull_events_say(job->observer, .kind = kind, .path = path,
				.path2 = kind == LULL_NOTE_USED_UP ? job->progress->dest
								   : NULL);
}

static void warn(struct lull_job *job, enum lull_warning warning, int err,
		 const char *name)
{
	_cleanup_free_ char *path = lull_row_path(&job->dest, name);

	if (path)
		lull_warn(job, warning, err, path);
}

/* ---- names ---- */

static int call(struct lull_job *job, const char *name)
{
	struct lull_rotation *rotation = job->rotation;
	const char *date = name + strlen(rotation->stem);
	int r = lull_dest_call(&job->dest, name);

	if (strlen(date) < DATE_ROOM)
		memcpy(rotation->shown + rotation->shown_stem, date, strlen(date) + 1);
	free(job->result->dest);
	job->result->dest = strdup(job->dest.path);
	return r;
}

/* Names the clone DEST with the time at which the run began, and a number if that name is
   taken. */
static int call_by_date(struct lull_job *job)
{
	uint64_t given = job->options->generation_time;
	uint64_t wall = given > 0 ? given : lull_clock_wall();
	char date[24];

	job->rotation->made_at = wall / NSEC_PER_SEC * NSEC_PER_SEC;
	lull_generation_call(wall, date);
	for (unsigned int i = 0; i < MOST_TRIES; i++) {
		const char *stem = job->rotation->stem;
		_cleanup_free_ char *name = i == 0 ? lull_text("%s%s", stem, date)
						   : lull_text("%s%s-%u", stem, date, i);
		int r;

		if (!name)
			return -ENOMEM;
		r = call(job, name);
		if (!job->dest.exists)
			return r;
	}
	return -EEXIST;
}

/* Names the clone. If an interrupted run has chosen a name, that is used, so that the
   clone keeps it when it is resumed. */
static int plan_name(struct lull_job *job)
{
	struct lull_checkpoint c = { 0 };
	const char *name;
	int r = lull_checkpoint_load(job->dest.checkpoint_dir, job->dest.checkpoint, &c);

	/* lull_resume_find() will report what is wrong with the checkpoint. */
	if (r < 0)
		return call_by_date(job);
	name = strrchr(c.dest, '/') + 1;
	if (c.dated && is_dated(job->rotation->stem, name)) {
		job->rotation->planned = strdup(name);
		job->rotation->made_at =
			lull_generation_time(name + strlen(job->rotation->stem));
		if (job->rotation->made_at == 0)
			job->rotation->made_at = lull_clock_wall();
		r = job->rotation->planned ? call(job, name) : -ENOMEM;
	} else {
		r = call_by_date(job);
	}
	lull_checkpoint_done(&c);
	return r;
}

int lull_rotation_redate(struct lull_job *job)
{
	int r = call_by_date(job);
	char *path = r == 0 ? strdup(job->dest.path) : NULL;

	if (!path)
		return r < 0 ? r : -ENOMEM;
	free(job->checkpoint.dest);
	job->checkpoint.dest = path;
	return 0;
}

/* Returns true if the clone holds the source of the planned date. If it starts over, or
   had not begun, its date is that of this run. */
static bool goes_on(const struct lull_job *job)
{
	return job->rotation->planned && job->options->resume &&
	       job->state == LULL_JOB_FOUND && job->checkpoint.has_reference;
}

enum lull_outcome lull_rotation_name(struct lull_job *job)
{
	int r = 0;

	if (job->dest.exists || (job->rotation->planned && !goes_on(job)))
		r = lull_rotation_redate(job);
	return r < 0 ? lull_fail_errno(job, LULL_STAGE_CREATE, r, job->progress->dest)
		     : LULL_OK;
}

/* ---- what the record lists ---- */

/* Drops what is not as the record says. making is the file that is being written, or
   -1. */
static void let_go(struct lull_job *job, struct lull_generations *list, int making)
{
	for (size_t i = 0; i < list->n;) {
		struct lull_generation *g = &list->item[i];
		_cleanup_close_ int fd = -1;
		enum lull_row_state state = lull_row_look(&job->dest, g, &fd);

		if (state == LULL_ROW_GOOD || state == LULL_ROW_UNSURE) {
			i++;
			continue;
		}
		if (state == LULL_ROW_OTHER)
			warn(job, LULL_WARNING_GENERATION_OTHER, 0, g->name);
		else if (!g->pending &&
			 (making < 0 || !lull_row_is(&job->dest, g, making)))
			warn(job, LULL_WARNING_GENERATION_GONE, 0, g->name);
		lull_generations_drop(list, i);
	}
}

static int load(struct lull_job *job, struct lull_generations *ret_list, int making)
{
	int r = lull_generations_load(job->dest.home.dir, job->rotation->record,
				      ret_list);

	if (r == 0)
		let_go(job, ret_list, making);
	return r;
}

static enum lull_outcome record_failed(struct lull_job *job, int r)
{
	_cleanup_free_ char *path = lull_statehome_path(&job->dest.home,
							job->rotation->record);

	return lull_fail(job, LULL_STAGE_RECORD, lull_row_cause(r), r, path);
}

/* ---- the generation that is used up ---- */

/* Invariant 2: the newest stays whole until there is a newer one. */
static enum lull_outcome choose_base(struct lull_job *job)
{
	struct lull_rotation *rotation = job->rotation;
	const struct lull_generations *known = &rotation->known;
	_cleanup_free_ struct lull_retain_item *items =
		lull_row_retain(known, &job->options->keep, rotation->made_at);
	size_t at, spared;
	int why;

	if (!items)
		return fail(job, LULL_CAUSE_ERRNO, ENOMEM, rotation->stem);
	at = lull_row_choose(job, known, items, &spared, &why);
	if (at == known->n) {
		if (spared < known->n)
			warn(job, LULL_WARNING_GENERATION_SPARED, why,
			     known->item[spared].name);
		return LULL_OK;
	}
	rotation->base = lull_row_path(&job->dest, known->item[at].name);
	if (!rotation->base)
		return fail(job, LULL_CAUSE_ERRNO, ENOMEM, known->item[at].name);
	rotation->options.refresh = true;
	rotation->options.base = rotation->base;
	return LULL_OK;
}

enum lull_outcome lull_rotation_open(struct lull_job *job)
{
	struct lull_rotation *rotation = job->rotation;
	int r;

	rotation->stem = strdup(job->dest.name);
	rotation->record = lull_row_record(&job->dest);
	if (!rotation->stem || !rotation->record)
		return fail(job, LULL_CAUSE_ERRNO, ENOMEM, job->dest.name);
	if (job->dest.home.dir < 0)
		return lull_record_homeless(job);
	r = load(job, &rotation->known, job->dest.lock);
	if (r < 0)
		return record_failed(job, r);
	job->result->generations = (unsigned int)rotation->known.n;
	r = plan_name(job);
	if (r < 0)
		return lull_fail_errno(job, LULL_STAGE_CREATE, r, job->progress->dest);
	return choose_base(job);
}

/* ---- the end ---- */

/* Records the new generation, without the one that it was made from. */
static int announce(struct lull_job *job)
{
	struct lull_rotation *rotation = job->rotation;
	struct lull_generations *known = &rotation->known;
	_cleanup_free_ char *name = strdup(job->dest.name);
	struct lull_generation made = {
		.name = name,
		.number = lull_inode_generation(job->dest.fd),
		.created = rotation->made_at,
		.pending = true,
	};
	struct stat st;
	int r;

	if (!name)
		return -ENOMEM;
	if (fstat(job->dest.fd, &st) < 0)
		return -errno;
	made.inode = st.st_ino;
	memcpy(made.fs, job->dest.fs.uuid, sizeof(made.fs));
	for (size_t i = 0; i < known->n;) {
		if (lull_row_is(&job->dest, &known->item[i], job->dest.fd))
			lull_generations_drop(known, i);
		else
			i++;
	}
	known->rules = job->options->keep;
	r = lull_generations_add(known, &made);
	return r < 0 ? r
		     : lull_generations_save(job->dest.home.dir, rotation->record, known);
}

int lull_rotation_publish(struct lull_job *job)
{
	for (;;) {
		int r = announce(job);

		if (r == 0)
			r = lull_dest_publish(job);
		/* Somebody has taken the name since it was chosen. */
		if (r == -EEXIST)
			r = call_by_date(job);
		/* The base still exists if it could not be used up. */
		if (r == 0 && job->rotation->base &&
		    access(job->rotation->base, F_OK) < 0 && errno == ENOENT)
			tell(job, LULL_NOTE_USED_UP,
			     strrchr(job->rotation->base, '/') + 1);
		if (r < 0 || job->result->published)
			return r;
	}
}

/*
 * Frees the extents of a removed file in bounded steps; the kernel would free them all at
 * once when it is closed. Does nothing if the file has another name, or if a program has
 * it open, which may go on using it. Nobody else can open it any more.
 */
static void empty(struct lull_job *job, int fd)
{
	enum lull_outcome outcome;
	struct stat st;

	if (fstat(fd, &st) < 0 || st.st_nlink > 0 ||
	    lull_inode_use(fd) != LULL_INODE_UNUSED)
		return;
	outcome = lull_shrink(job, fd, 0);
	/* If this is interrupted, the kernel frees the rest. */
	(void)outcome;
}

/* Removes a generation. Returns true if the record must drop it. */
static bool remove_one(struct lull_job *job, const struct lull_generation *g)
{
	_cleanup_close_ int fd = -1;
	_cleanup_close_ int writable = -1;
	int r = lull_row_look(&job->dest, g, &fd) != LULL_ROW_GOOD ? -EACCES : 0;

	if (r == 0 && lull_inode_use(fd) == LULL_INODE_WRITTEN)
		r = -EBUSY;
	if (r == 0)
		writable = openat(job->dest.dir, g->name, O_RDWR | LULL_OPEN_WARILY);
	if (r == 0 && unlinkat(job->dest.dir, g->name, 0) < 0 && errno != ENOENT)
		r = -errno;
	if (r < 0)
		warn(job, LULL_WARNING_GENERATION_KEPT, r, g->name);
	/* A second descriptor of our own would count as a user of the file. */
	lull_close(&fd);
	if (r == 0 && writable >= 0 && lull_row_is(&job->dest, g, writable))
		empty(job, writable);
	return r == 0;
}

static int count_rules(const struct lull_keep_rules *rules)
{
	int n = 0;

	for (unsigned int kind = 0; kind < LULL_KEEP_KINDS; kind++)
		n += rules->n[kind] > 0;
	return n;
}

/* Removes what the rules let go. Needs the lock. Reads the record again, because another
   run may have changed it in the meantime. */
static int prune(struct lull_job *job)
{
	_cleanup_free_ struct lull_retain_item *items = NULL;
	struct lull_generations list;
	int r = load(job, &list, -1), removed = 0;
	size_t at = 0;

	if (r < 0)
		return r;
	items = lull_row_retain(&list, &job->options->keep, 0);
	for (size_t i = 0, n = items ? list.n : 0; i < n; i++) {
		if (items[i].kept_by != 0 || !remove_one(job, &list.item[at])) {
			at++;
			continue;
		}
		tell(job, LULL_NOTE_REMOVED, list.item[at].name);
		lull_generations_drop(&list, at);
		removed++;
	}
	/* Each run removes at most one generation per rule. More are removed if the rules
	   keep fewer than before, perhaps by mistake. */
	if (removed > count_rules(&job->options->keep))
		warn(job, LULL_WARNING_GENERATIONS_REMOVED, removed, "");
	for (size_t i = 0; i < list.n; i++)
		list.item[i].pending = false;
	list.rules = job->options->keep;
	job->result->generations = (unsigned int)list.n;
	r = lull_generations_save(job->dest.home.dir, job->rotation->record, &list);
	lull_generations_done(&list);
	return items ? r : -ENOMEM;
}

void lull_rotation_finish(struct lull_job *job)
{
	struct lull_dest lock;
	int r;

	lull_dest_init(&lock);
	lock.dir = job->dest.dir;
	lock.temporary = job->dest.temporary;
	/* Whoever has the lock now will prune at its end. */
	if (lull_dest_lock(&lock) < 0)
		return;
	r = prune(job);
	if (r < 0) {
		_cleanup_free_ char *path = lull_statehome_path(&job->dest.home,
								job->rotation->record);

		lull_warn(job, LULL_WARNING_RECORD, r, path);
	}
	(void)lull_dest_remove(&lock);
	(void)close(lock.lock);
}
