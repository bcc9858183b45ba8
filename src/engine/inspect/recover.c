// SPDX-License-Identifier: MIT
/*
 * Handles the checkpoint of an interrupted clone: reports it, and thaws its writers. For
 * a set, does so for all files, whichever is named.
 */
#include "engine/base/job.h"
#include "engine/base/lock_wait.h"
#include "engine/clone/dest.h"
#include "engine/clone/freeze.h"
#include "engine/clone/job_init.h"
#include "engine/clone/record.h"
#include "engine/clone/set_record.h"
#include "engine/clone/snapshot.h"
#include "engine/clone/statehome.h"

#include "store/checkpoint_file.h"
#include "sys/clock.h"
#include "util/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

/* The job for the named file, and jobs for all files of its checkpoint. */
struct found {
	struct lull_job asked;
	struct lull_result result; /* of asked; has the failure of any job */
	struct lull_job *job;      /* n jobs, in the order of the checkpoint */
	struct lull_job *jobs[LULL_CHECKPOINT_MOST];
	unsigned int n;
	struct lull_freeze freeze;
	struct lull_set_record shared;
};

static enum lull_outcome record_failed(struct lull_job *job, int r)
{
	return lull_fail(job, LULL_STAGE_CHECKPOINT, lull_record_cause(r), r,
			 job->dest.checkpoint_path);
}

static struct lull_state_wish wish_of(const struct lull_options *options)
{
	return (struct lull_state_wish){
		.checkpoint = options->checkpoint,
		.directory = options->state_directory,
	};
}

/* Finds a checkpoint of --keep by DEST's name, whatever has that name, such as a link to
   the latest generation. */
static bool find_dated(struct lull_job *asked, const char *path,
		       struct lull_checkpoint **ret_of, unsigned int *ret_n)
{
	const struct lull_state_wish wish = wish_of(asked->options);
	struct lull_dest *dest = &asked->dest;
	enum lull_stage stage;
	enum lull_cause cause;

	if (lull_dest_resolve_name(dest, path, &wish, &stage, &cause) == 0 &&
	    lull_checkpoint_load_set(dest->checkpoint_dir, dest->checkpoint, ret_of,
				     ret_n) == 0) {
		if (*ret_n == 1 && (*ret_of)->dated)
			return true;
		lull_checkpoint_free(*ret_of, *ret_n);
		*ret_of = NULL;
		*ret_n = 0;
	}
	lull_dest_done(dest);
	return false;
}

/* Makes a job for each file, with its destination resolved. */
static enum lull_outcome spread(struct found *f, const char *path,
				struct lull_checkpoint *of, unsigned int n)
{
	f->job = calloc(n, sizeof(*f->job));
	if (!f->job)
		return record_failed(&f->asked, -ENOMEM);
	for (f->n = 0; f->n < n; f->n++) {
		struct lull_job *job = f->jobs[f->n] = &f->job[f->n];
		struct lull_state_wish wish = wish_of(f->asked.options);
		enum lull_stage stage;
		enum lull_cause cause;
		int r;

		*job = f->asked;
		lull_dest_init(&job->dest);
		job->checkpoint = of[f->n];
		of[f->n] = (struct lull_checkpoint){ 0 };
		job->recorded = true;
		job->freeze = &f->freeze;
		if (!job->checkpoint.dated)
			wish.checkpoint = f->asked.dest.checkpoint_path;
		r = job->checkpoint.dated
			    ? lull_dest_resolve_name(&job->dest, path, &wish, &stage,
						     &cause)
			    : lull_dest_resolve(&job->dest, job->checkpoint.dest, &wish,
						&stage, &cause);
		if (r < 0) {
			f->n++;
			return lull_fail(&f->asked, stage, cause, r,
					 job->checkpoint.dest);
		}
	}
	f->freeze = (struct lull_freeze){ .jobs = f->jobs, .n_jobs = n };
	if (n > 1 && lull_set_record_init(&f->shared, f->jobs, n) < 0)
		return record_failed(&f->asked, -ENOMEM);
	return LULL_OK;
}

static enum lull_outcome open_record(struct found *f, const char *path)
{
	const struct lull_state_wish wish = wish_of(f->asked.options);
	struct lull_dest *dest = &f->asked.dest;
	struct lull_checkpoint *of = NULL;
	enum lull_outcome outcome = LULL_OK;
	enum lull_stage stage;
	enum lull_cause cause;
	unsigned int n = 0;
	bool named = false;
	int r;

	if (find_dated(&f->asked, path, &of, &n)) {
		outcome = spread(f, path, of, n);
		lull_checkpoint_free(of, n);
		return outcome;
	}
	r = lull_dest_resolve(dest, path, &wish, &stage, &cause);
	if (r < 0)
		return lull_fail(&f->asked, stage, cause, r, path);
	r = lull_set_record_find(dest, &of, &n);
	/* If the private directory does not exist, there is no checkpoint. Otherwise
	   nothing is known. */
	if (r == -ENOENT && dest->checkpoint_dir < 0 &&
	    (!dest->home.path || dest->home.err != ENOENT))
		return lull_record_homeless(&f->asked);
	if (r < 0)
		return record_failed(&f->asked, r);
	for (unsigned int i = 0; i < n; i++)
		named = named || strcmp(of[i].dest, dest->path) == 0;
	if (!named && (n > 1 || f->asked.options->checkpoint))
		outcome = lull_fail(&f->asked, LULL_STAGE_CHECKPOINT,
				    LULL_CAUSE_CHECKPOINT_FOREIGN, 0,
				    dest->checkpoint_path);
	/* The checkpoint's name beside dest is sufficient, in case the directory was
	   moved. */
	if (!named && outcome == LULL_OK) {
		free(of->dest);
		of->dest = strdup(dest->path);
		if (!of->dest)
			outcome = record_failed(&f->asked, -ENOMEM);
	}
	if (outcome == LULL_OK)
		outcome = spread(f, path, of, n);
	lull_checkpoint_free(of, n);
	return outcome;
}

static void report_file(const struct lull_job *job, struct lull_report *ret_report)
{
	const struct lull_checkpoint *c = &job->checkpoint;
	bool whole = c->phase == LULL_PHASE_COMPLETE;

	ret_report->source = lull_text_copy(c->source);
	ret_report->dest = lull_text_copy(c->dest);
	ret_report->checkpoint = lull_text_copy(job->dest.checkpoint_path);
	ret_report->temporary = lull_text_copy(c->temporary);
	ret_report->hook = lull_text_copy(c->hook);
	memcpy(ret_report->run_id, c->run_id, sizeof(c->run_id));
	ret_report->method = c->method;
	ret_report->size = c->dest_size;
	ret_report->offset = c->offset;
	ret_report->pass = c->pass;
	/* The clone is complete and has not been renamed. After a failed thaw, the
	   checkpoint remains even after the rename. */
	ret_report->complete = whole &&
			       (!c->temporary ||
				lull_record_is_file(c, job->dest.dir, c->temporary));
	ret_report->published = whole &&
				lull_record_is_file(c, job->dest.dir, job->dest.name);
	ret_report->frozen = c->frozen;
	ret_report->kept_frozen = c->kept_frozen;
	ret_report->frozen_since = c->frozen_since;
	ret_report->updated = c->updated;
	ret_report->running = lull_dest_is_locked(&job->dest);
}

/* Makes the report. Without memory, leaves out the remaining files. */
static void report(const struct found *f, bool running, struct lull_report *ret_report)
{
	for (unsigned int i = 0; i < f->n; i++) {
		if (i > 0) {
			ret_report->next = calloc(1, sizeof(*ret_report));
			if (!ret_report->next)
				return;
			ret_report = ret_report->next;
		}
		report_file(f->jobs[i], ret_report);
		ret_report->running = ret_report->running && running;
	}
}

static void open_found(struct found *f, const struct lull_options *options,
		       const struct lull_observer *observer)
{
	*f = (struct found){ 0 };
	lull_job_look(&f->asked, options, observer, NULL, NULL, &f->result);
}

static void close_found(struct found *f, struct lull_report *ret_report)
{
	lull_freeze_done(&f->freeze);
	lull_set_record_done(&f->shared);
	for (unsigned int i = 0; i < f->n; i++)
		lull_job_done(f->jobs[i]);
	free(f->job);
	(void)lull_job_looked(&f->asked, &ret_report->failure);
	free(f);
}

enum lull_outcome lull_status(const struct lull_options *options, const char *dest,
			      struct lull_report *ret_report)
{
	struct found *f = malloc(sizeof(*f));
	enum lull_outcome outcome;

	*ret_report = (struct lull_report){ 0 };
	if (!f)
		return LULL_FAILED;
	open_found(f, options, NULL);
	outcome = open_record(f, dest);
	if (outcome == LULL_OK)
		report(f, true, ret_report);
	close_found(f, ret_report);
	return outcome;
}

static int by_path(const void *a, const void *b)
{
	const struct lull_job *const *x = a, *const *y = b;

	return strcmp((*x)->dest.path, (*y)->dest.path);
}

/* Locks one destination. Waits only for the keeper of a killed run. */
static int lock_one(const struct found *f, struct lull_dest *dest)
{
	struct lull_lock_wait wait = lull_lock_wait_begin(f->asked.options);
	int r;

	wait.lock_wait_ns = 0;
	while ((r = lull_dest_lock(dest)) == -EWOULDBLOCK &&
	       !lull_lock_wait_is_over(&wait, dest, -1))
		lull_clock_sleep(LULL_LOCK_LOOK_NS);
	/* On a read-only file system no lock can be made, but a running lullcp may hold
	   one. */
	if (r == -EROFS)
		r = lull_dest_is_locked(dest) ? -EWOULDBLOCK : 0;
	return r;
}

/* Locks all destinations, in the order of conduct.c. */
static enum lull_outcome lock_all(struct found *f, const char *path)
{
	struct lull_job *sorted[LULL_CHECKPOINT_MOST];

	memcpy(sorted, f->jobs, f->n * sizeof(struct lull_job *));
	qsort(sorted, f->n, sizeof(struct lull_job *), by_path);
	for (unsigned int i = 0; i < f->n; i++) {
		int r = lock_one(f, &sorted[i]->dest);

		if (r == 0)
			continue;
		for (unsigned int k = 0; k < i; k++) {
			if (sorted[k]->dest.created)
				(void)lull_dest_remove(&sorted[k]->dest);
		}
		if (r == -EWOULDBLOCK)
			return lull_end(&f->asked, LULL_BUSY, LULL_STAGE_LOCK,
					LULL_CAUSE_ERRNO, 0, path);
		return lull_fail_errno(&f->asked, LULL_STAGE_LOCK, r,
				       f->n > 1 ? sorted[i]->dest.path : path);
	}
	return LULL_OK;
}

/* Reads the checkpoint again, because nobody can change it any more. */
static enum lull_outcome read_again(struct found *f)
{
	const struct lull_dest *dest = &f->asked.dest;
	struct lull_checkpoint *of;
	unsigned int n;
	int r = lull_checkpoint_load_set(dest->checkpoint_dir, dest->checkpoint, &of, &n);
	bool same = r == 0 && n == f->n;

	if (r < 0)
		return record_failed(&f->asked, r);
	for (unsigned int i = 0; i < n && same && n > 1; i++)
		same = strcmp(of[i].dest, f->jobs[i]->checkpoint.dest) == 0;
	for (unsigned int i = 0; i < n && same; i++) {
		lull_checkpoint_done(&f->jobs[i]->checkpoint);
		f->jobs[i]->checkpoint = of[i];
		of[i] = (struct lull_checkpoint){ 0 };
	}
	lull_checkpoint_free(of, n);
	if (!same)
		return lull_fail(&f->asked, LULL_STAGE_CHECKPOINT,
				 LULL_CAUSE_CHECKPOINT_FOREIGN, 0, dest->checkpoint_path);
	if (n > 1 && lull_set_record_init(&f->shared, f->jobs, n) < 0)
		return record_failed(&f->asked, -ENOMEM);
	return LULL_OK;
}

/* Returns true if the lock file was made only to take the lock; then removes it. */
static bool remove_lock(struct lull_job *job)
{
	const struct lull_checkpoint *c = &job->checkpoint;
	struct stat st;

	if (!job->dest.lock_was_empty || c->frozen || fstat(job->dest.lock, &st) < 0 ||
	    (st.st_ino == c->dest_inode && c->has_reference))
		return false;
	(void)lull_dest_remove(&job->dest);
	return c->temporary != NULL;
}

/*
 * Opens the sources to lock them, so that the thaw does not end the freeze of another
 * run. Leaves out a source that is gone, or is another file now.
 */
static void open_sources(struct found *f)
{
	for (unsigned int i = 0; i < f->n; i++) {
		const struct lull_checkpoint *c = &f->jobs[i]->checkpoint;
		struct stat st;
		int fd = open(c->source, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

		if (fd >= 0 && (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) ||
				(c->has_reference && st.st_ino != c->reference.inode)))
			(void)close(lull_steal_fd(&fd));
		f->jobs[i]->src = fd;
	}
}

static enum lull_outcome lock_and_thaw(struct found *f, const char *path,
				       struct lull_report *ret_report)
{
	struct lull_job *first = f->jobs[0];
	enum lull_outcome outcome = lock_all(f, path);
	unsigned int gone = 0;

	if (outcome == LULL_OK)
		outcome = read_again(f);
	if (outcome == LULL_OK) {
		report(f, false, ret_report);
		memcpy(f->result.run_id, first->checkpoint.run_id,
		       sizeof(f->result.run_id));
		if (first->checkpoint.frozen) {
			open_sources(f);
			outcome = lull_freeze_undo(first);
		}
	}
	if (outcome == LULL_OK && first->checkpoint.snapshot)
		outcome = lull_snapshot_undo(first);
	if (outcome != LULL_OK && outcome != LULL_THAW_FAILED)
		return outcome;
	for (unsigned int i = 0; i < f->n; i++)
		gone += remove_lock(f->jobs[i]);
	/* If a run had left only a failed thaw, the checkpoint is not needed any more. */
	if (gone == f->n && f->n > 1)
		lull_set_record_remove(f->jobs, f->n);
	else if (gone == f->n)
		lull_record_remove(first);
	return outcome;
}

enum lull_outcome lull_recover(const struct lull_options *options, const char *dest,
			       const struct lull_observer *observer,
			       struct lull_report *ret_report)
{
	struct found *f = malloc(sizeof(*f));
	enum lull_outcome outcome;

	*ret_report = (struct lull_report){ 0 };
	if (!f)
		return LULL_FAILED;
	open_found(f, options, observer);
	outcome = open_record(f, dest);
	if (outcome == LULL_OK)
		outcome = lock_and_thaw(f, dest, ret_report);
	close_found(f, ret_report);
	return outcome;
}
