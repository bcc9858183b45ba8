// SPDX-License-Identifier: MIT
/* Starts keepers for the engine: see freeze_keeper.h. */
#include "engine/clone/freeze_keeper.h"

#include "engine/clone/freeze_hook.h"
#include "store/checkpoint_file.h"
#include "sys/clock.h"
#include "sys/snapshot.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FDS_A_JOB 7

/* Returns the descriptors that a keeper needs of each job, to be freed, or NULL without
   memory. With them it can reach the checkpoint and a snapshot. It also holds the locks,
   so that no other run works on DEST as long as the keeper may. */
static int *fds_of(const struct lull_freeze *freeze, size_t *ret_n)
{
	int *fds = calloc(freeze->n_jobs, FDS_A_JOB * sizeof(*fds)), *next = fds;

	for (unsigned int i = 0; fds && i < freeze->n_jobs; i++) {
		const struct lull_job *job = freeze->jobs[i];
		const struct lull_dest *dest = &job->dest;

		*next++ = dest->dir;
		*next++ = dest->checkpoint_dir;
		*next++ = dest->snapshot_dir;
		*next++ = dest->lock;
		*next++ = dest->fd;  /* locked if it is written in place */
		*next++ = job->base; /* locked */
		*next++ = job->src;
	}
	*ret_n = (size_t)freeze->n_jobs * FDS_A_JOB;
	return fds;
}

/* Runs in the keeper when the main process is gone: nobody else would record the thaw. */
static void on_orphan_thawed(void *ctx, bool thawed)
{
	struct lull_job *job = ctx;
	const struct lull_dest *dest = &job->dest;
	struct lull_checkpoint *now = NULL;
	unsigned int n = 0;

	/* The main process may have recorded more since the fork. If it has finished,
	   there is nothing to record. */
	if (!thawed || lull_checkpoint_load_set(dest->checkpoint_dir, dest->checkpoint,
						&now, &n) < 0)
		return;
	if (strcmp(now[0].run_id, job->checkpoint.run_id) == 0) {
		for (unsigned int i = 0; i < n; i++)
			now[i].frozen = now[i].kept_frozen = false;
		/* If this fails, a later run thaws again, which is harmless. */
		(void)!lull_checkpoint_save_set(dest->checkpoint_dir, dest->checkpoint,
						now, n, true);
	}
	lull_checkpoint_free(now, n);
}

/* As on_orphan_thawed(), for a run that has no hook and takes a snapshot. */
static void on_orphaned_snapshot(void *ctx, bool thawed)
{
	struct lull_job *job = ctx;
	struct lull_checkpoint now = { 0 };

	(void)thawed;
	if (lull_snapshot_delete(job->dest.dir, job->dest.snapshot,
				 job->dest.snapshot_dir, job->src) < 0 ||
	    lull_checkpoint_load(job->dest.checkpoint_dir, job->dest.checkpoint, &now) <
		    0)
		return;
	if (strcmp(now.run_id, job->checkpoint.run_id) == 0 && now.snapshot) {
		free(now.snapshot);
		now.snapshot = NULL;
		/* If this fails, a later run looks for the snapshot in vain, which is
		   harmless. */
		if (lull_checkpoint_save(job->dest.checkpoint_dir, job->dest.checkpoint,
					 &now) < 0)
			lull_checkpoint_done(&now);
	}
	lull_checkpoint_done(&now);
}

static bool on_waiting(void *ctx)
{
	struct lull_job *job = ctx;

	lull_tell(job);
	return lull_should_stop(job);
}

int lull_freeze_keeper_start(struct lull_job *job)
{
	struct lull_freeze *freeze = job->freeze;
	size_t n_fds;
	_cleanup_free_ int *fds = fds_of(freeze, &n_fds);
	const struct lull_keeper_setup setup = {
		.hook = freeze->hook,
		.facts = lull_freeze_hook_facts(job),
		.hook_timeout_ns = freeze->hook_timeout_ns,
		.max_freeze_ns = job->options->max_freeze_ns,
		.frozen_already = freeze->kept,
		.fds = fds,
		.n_fds = n_fds,
		.orphaned = on_orphan_thawed,
		.waiting = on_waiting,
		.ctx = job,
	};

	return fds ? lull_keeper_start(&setup, &freeze->keeper) : -ENOMEM;
}

enum lull_outcome lull_freeze_keeper_guard(struct lull_job *job)
{
	size_t n_fds;
	_cleanup_free_ int *fds = fds_of(job->freeze, &n_fds);
	const struct lull_keeper_setup setup = {
		.hook_timeout_ns = NSEC_PER_SEC,
		.fds = fds,
		.n_fds = n_fds,
		.orphaned = on_orphaned_snapshot,
		.waiting = on_waiting,
		.ctx = job,
	};
	int r = fds ? lull_keeper_start(&setup, &job->freeze->keeper) : -ENOMEM;

	if (r < 0)
		return lull_fail_errno(job, LULL_STAGE_SNAPSHOT, r, job->source);
	(void)lull_keeper_freeze(job->freeze->keeper);
	return LULL_OK;
}
