// SPDX-License-Identifier: MIT
/*
 * INVARIANTS
 *  1. What is written about a job is what that job itself wrote last. So no thread
 *     records the work of another job before that is synced.
 *  2. The file exists before the pointers, and is removed after them. A pointer to
 *     nothing says that there is nothing to find.
 */
#include "engine/clone/set_record.h"

#include "engine/clone/statehome.h"
#include "store/checkpoint_file.h"
#include "store/state.h"
#include "sys/opening.h"
#include "util/path.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Copies the checkpoint of the job. */
static int take_over(struct lull_set_record *shared, const struct lull_job *job)
{
	struct lull_checkpoint copy;
	int r = lull_checkpoint_copy(&job->checkpoint, &copy);

	if (r < 0)
		return r;
	lull_checkpoint_done(&shared->of[job->index]);
	shared->of[job->index] = copy;
	return 0;
}

void lull_set_record_done(struct lull_set_record *shared)
{
	for (unsigned int i = 0; i < shared->n; i++)
		lull_checkpoint_done(&shared->of[i]);
	shared->n = 0;
}

int lull_set_record_init(struct lull_set_record *shared, struct lull_job **jobs,
			 unsigned int n)
{
	int r = 0;

	lull_set_record_done(shared);
	*shared = (struct lull_set_record){
		.lock = PTHREAD_MUTEX_INITIALIZER,
		.dir = jobs[0]->dest.checkpoint_dir,
		.name = jobs[0]->dest.checkpoint,
		.n = n,
	};
	for (unsigned int i = 0; i < n && r == 0; i++) {
		jobs[i]->shared = shared;
		jobs[i]->index = i;
		r = take_over(shared, jobs[i]);
	}
	return r;
}

int lull_set_record_save(struct lull_set_record *shared, struct lull_job **jobs,
			 unsigned int n, bool durable)
{
	int r = 0;

	(void)pthread_mutex_lock(&shared->lock);
	for (unsigned int i = 0; i < n && r == 0; i++)
		r = take_over(shared, jobs[i]);
	if (r == 0)
		r = lull_checkpoint_save_set(shared->dir, shared->name, shared->of,
					     shared->n, durable);
	(void)pthread_mutex_unlock(&shared->lock);
	return r;
}

static const struct lull_checkpoint *part_of(const struct lull_checkpoint *of,
					     unsigned int n, const char *dest)
{
	for (unsigned int i = 0; i < n; i++) {
		if (strcmp(of[i].dest, dest) == 0)
			return &of[i];
	}
	return NULL;
}

/* Loads the checkpoint to which a pointer leads. Returns -ENOENT if the pointer means
   nothing to dest. */
static int follow(const char *dest, char *path, int *ret_dir,
		  struct lull_checkpoint **ret_of, unsigned int *ret_n)
{
	_cleanup_close_ int dir = lull_open_parent(path, O_RDONLY);
	struct lull_checkpoint *of;
	unsigned int n;
	int r;

	if (dir < 0)
		return dir;
	r = lull_checkpoint_load_set(dir, lull_path_last(path), &of, &n);
	if (r < 0)
		return r;
	if (!part_of(of, n, dest)) {
		lull_checkpoint_free(of, n);
		return -ENOENT;
	}
	*ret_dir = lull_steal_fd(&dir);
	*ret_of = of;
	*ret_n = n;
	return 0;
}

int lull_set_record_find(struct lull_dest *dest, struct lull_checkpoint **ret_of,
			 unsigned int *ret_n)
{
	char *path = NULL;
	int dir = -1, r;

	if (dest->checkpoint_dir < 0)
		return -ENOENT;
	r = lull_checkpoint_pointed(dest->checkpoint_dir, dest->checkpoint, &path);
	if (r < 0)
		return lull_checkpoint_load_set(dest->checkpoint_dir, dest->checkpoint,
						ret_of, ret_n);
	r = follow(dest->path, path, &dir, ret_of, ret_n);
	if (r == 0) {
		char *name = strdup(strrchr(path, '/') + 1);

		if (name) {
			(void)close(dest->checkpoint_dir);
			free(dest->checkpoint_path);
			free(dest->checkpoint);
			dest->checkpoint_dir = dir;
			dest->checkpoint_path = path;
			dest->checkpoint = name;
			return 0;
		}
		(void)close(dir);
		lull_checkpoint_free(*ret_of, *ret_n);
		r = -ENOMEM;
	}
	free(path);
	return r;
}

/* Returns the name that the checkpoint of the job's destination would have outside a
   set. */
static char *own_name(const struct lull_job *job)
{
	return lull_statehome_name(&job->dest.home, job->dest.name, ".lullcp");
}

/* Returns true if name is the checkpoint of the set. */
static bool is_the_record(const struct lull_job *job, const char *name,
			  const char *record)
{
	const char *head = job->dest.home.path;
	size_t len = head ? strlen(head) : 0;

	return head && strncmp(head, record, len) == 0 && strcmp(record + len, name) == 0;
}

/* Checks the name that the job's own checkpoint would have. Returns 0 if it is free or
   belongs to this set, -EEXIST if it belongs to another clone, or another -errno. */
static int judge_own_name(const struct lull_job *job, const char *record)
{
	_cleanup_free_ char *name = own_name(job);
	_cleanup_free_ char *path = NULL;
	struct lull_checkpoint *of = NULL;
	unsigned int n = 0;
	int home = job->dest.home.dir, dir = -1, r;

	if (!name)
		return -ENOMEM;
	if (is_the_record(job, name, record) || home < 0)
		return 0;
	r = lull_checkpoint_pointed(home, name, &path);
	if (r == -ENOENT)
		return faccessat(home, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0 ? -EEXIST
									     : 0;
	if (r < 0)
		return r == -ENOMEM || lull_state_is_refusal(r) ? r : -EEXIST;
	if (strcmp(path, record) == 0)
		return 0;
	r = follow(job->dest.path, path, &dir, &of, &n);
	if (r == 0) {
		(void)close(dir);
		lull_checkpoint_free(of, n);
		return -EEXIST;
	}
	if (r != -ENOENT)
		return -EEXIST;
	return lull_state_remove(home, name, false);
}

int lull_set_record_load(struct lull_job **jobs, unsigned int n,
			 struct lull_job **ret_job)
{
	struct lull_dest *first = &jobs[0]->dest;
	struct lull_checkpoint *of = NULL;
	unsigned int m = 0;
	int r = lull_set_record_find(first, &of, &m), found = r;

	*ret_job = jobs[0];
	if ((r < 0 && r != -ENOENT) || !first->checkpoint_path)
		return r;
	for (unsigned int i = 0; i < n; i++) {
		r = judge_own_name(jobs[i], first->checkpoint_path);
		if (r < 0 ||
		    (found == 0 && (m != n || !part_of(of, m, jobs[i]->dest.path)))) {
			lull_checkpoint_free(of, m);
			*ret_job = jobs[i];
			return r == 0 || r == -EEXIST ? -ENOTUNIQ : r;
		}
	}
	for (unsigned int i = 0; found == 0 && i < n; i++) {
		jobs[i]->checkpoint = *part_of(of, m, jobs[i]->dest.path);
		jobs[i]->recorded = true;
	}
	free(of);
	return found;
}

int lull_set_record_point(struct lull_job **jobs, unsigned int n,
			  struct lull_job **ret_job)
{
	const char *record = jobs[0]->dest.checkpoint_path;

	for (unsigned int i = 0; i < n; i++) {
		_cleanup_free_ char *name = own_name(jobs[i]);
		int r = -ENOMEM;

		*ret_job = jobs[i];
		if (name && is_the_record(jobs[i], name, record))
			continue;
		if (name)
			r = lull_checkpoint_point(jobs[i]->dest.home.dir, name, record);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Removes the checkpoint, unless another run has put its own there since. */
static int remove_record(const struct lull_job *first)
{
	const struct lull_dest *dest = &first->dest;
	struct lull_checkpoint *of;
	unsigned int n;
	int r = lull_checkpoint_load_set(dest->checkpoint_dir, dest->checkpoint, &of, &n);
	bool ours;

	if (r < 0)
		return r == -ENOENT ? 0 : r;
	ours = strcmp(of[0].run_id, first->checkpoint.run_id) == 0;
	lull_checkpoint_free(of, n);
	return ours ? lull_checkpoint_remove(dest->checkpoint_dir, dest->checkpoint, true)
		    : 0;
}

void lull_set_record_remove(struct lull_job **jobs, unsigned int n)
{
	const char *record = jobs[0]->dest.checkpoint_path;
	int r;

	for (unsigned int i = 0; i < n; i++) {
		_cleanup_free_ char *name = own_name(jobs[i]);
		_cleanup_free_ char *path = NULL;

		if (!name ||
		    lull_checkpoint_pointed(jobs[i]->dest.home.dir, name, &path) < 0 ||
		    strcmp(path, record) != 0)
			continue;
		r = lull_state_remove(jobs[i]->dest.home.dir, name, false);
		if (r < 0)
			lull_warn(jobs[i], LULL_WARNING_CLEANUP, r, name);
	}
	r = remove_record(jobs[0]);
	if (r < 0) {
		lull_warn(jobs[0], LULL_WARNING_CLEANUP, r, record);
		return;
	}
	for (unsigned int i = 0; i < n; i++)
		jobs[i]->recorded = false;
}

int lull_set_record_judge_pointer(const struct lull_job *job, int r)
{
	const struct lull_dest *dest = &job->dest;
	_cleanup_free_ char *path = NULL;
	struct lull_checkpoint *of = NULL;
	unsigned int n = 0;
	int dir = -1, found;

	if (lull_checkpoint_pointed(dest->checkpoint_dir, dest->checkpoint, &path) < 0)
		return r;
	found = follow(dest->path, path, &dir, &of, &n);
	if (found == 0) {
		(void)close(dir);
		lull_checkpoint_free(of, n);
		return -ENOTUNIQ;
	}
	if (found != -ENOENT)
		return found;
	r = lull_state_remove(dest->checkpoint_dir, dest->checkpoint, false);
	return r < 0 ? r : -ENOENT;
}
