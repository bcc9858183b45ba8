// SPDX-License-Identifier: MIT
/* Chooses the hook of a freeze, and what is recorded of it: see freeze_hook.h. */
#include "engine/clone/freeze_hook.h"

#include "sys/identity.h"
#include "sys/trusted.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/*
 * Returns true if the command in the checkpoint is the caller's own, so that it may run.
 *
 * In a sticky directory, others may add files. They may even rename a file of the
 * caller's into it: a clone that the caller made elsewhere of a SOURCE of theirs, so its
 * contents are theirs. A checkpoint contains its own inode number and generation, but
 * they can foretell both: name_to_handle_at(2) tells them while the file is cloned. So a
 * command in such a checkpoint is not trusted.
 *
 * Nor is one on a file system that was made elsewhere, because its maker chose the inode
 * numbers. It is recognized by the machine in the checkpoint. If the checkpoint has none,
 * the mount option nosuid says that the file system holds no programs of root.
 */
static bool may_run_recorded(const struct lull_job *job)
{
	const char *machine = job->checkpoint.machine;
	int dir = job->dest.checkpoint_dir;
	enum lull_trusted_kind kind;
	char here[LULL_MACHINE_SIZE];

	lull_identity_machine(here);
	if (machine[0] ? strcmp(machine, here) != 0 : lull_trusted_is_nosuid(dir))
		return false;
	return lull_trusted_judge(dir, &kind) == 0 && kind == LULL_TRUSTED_OWN;
}

static enum lull_outcome parse(struct lull_job *job, const char *text,
			       const char *directory, struct lull_hook **ret_hook)
{
	int r = lull_hook_parse(text, directory, ret_hook);

	return r < 0 ? lull_fail(job, LULL_STAGE_HOOK,
				 r == -EINVAL ? LULL_CAUSE_HOOK_SYNTAX : LULL_CAUSE_ERRNO,
				 r, text)
		     : LULL_OK;
}

static enum lull_outcome find(struct lull_job *job, const char *text,
			      const struct lull_hook *hook)
{
	int r = lull_hook_find(hook);

	return r < 0 ? lull_end(job, LULL_FREEZE_FAILED, LULL_STAGE_HOOK,
				r == -ENODATA ? LULL_CAUSE_HOOK_EMPTY : LULL_CAUSE_ERRNO,
				r, text)
		     : LULL_OK;
}

enum lull_outcome lull_freeze_hook_parse(struct lull_job *job, const char *text,
					 struct lull_hook **ret_hook)
{
	enum lull_outcome outcome = parse(job, text, NULL, ret_hook);

	return outcome == LULL_OK ? find(job, text, *ret_hook) : outcome;
}

/* Expects the files of a directory of hooks that the freeze has called to thaw as well,
   whether the command is given or recorded. If another command is given, they may be
   missing. */
static int expect_recorded(const struct lull_job *job, struct lull_hook *hook)
{
	const struct lull_checkpoint *c = &job->checkpoint;
	int r = 0;

	if (!c->frozen || !c->hook_files || !may_run_recorded(job))
		return 0;
	if (job->options->hook)
		r = lull_hook_resolve(hook);
	return r == 0 && lull_hook_is_recorded(hook, c->hook)
		       ? lull_hook_expect(hook, c->hook_files)
		       : r;
}

enum lull_outcome lull_freeze_hook_open(struct lull_job *job, struct lull_hook **ret_hook)
{
	const struct lull_checkpoint *c = &job->checkpoint;
	const char *given = job->options->hook;
	enum lull_outcome outcome;
	int r;

	/* The hook that is given now may be a repaired one. */
	if (!given && !may_run_recorded(job))
		return lull_fail(job, LULL_STAGE_CHECKPOINT, LULL_CAUSE_CHECKPOINT_HOOK,
				 0, job->dest.checkpoint_path);
	outcome = given ? parse(job, given, NULL, ret_hook)
			: parse(job, c->hook, c->hook_directory, ret_hook);
	if (outcome != LULL_OK)
		return outcome;
	r = expect_recorded(job, *ret_hook);
	return r < 0 ? lull_fail(job, LULL_STAGE_HOOK, LULL_CAUSE_ERRNO, r,
				 lull_hook_text(*ret_hook))
		     : LULL_OK;
}

uint64_t lull_freeze_hook_timeout(const struct lull_job *job)
{
	return job->options->hook ? job->options->hook_timeout_ns
				  : job->checkpoint.hook_timeout_ns;
}

enum lull_outcome lull_freeze_hook_prepare(struct lull_job *job)
{
	struct lull_freeze *freeze = job->freeze;
	enum lull_outcome outcome;
	int r;

	/* This run must end a freeze that was left in force, with the hook that began
	   it. */
	if (!job->options->hook && !job->checkpoint.kept_frozen)
		return LULL_OK;
	outcome = lull_freeze_hook_open(job, &freeze->hook);
	if (outcome != LULL_OK)
		return outcome;
	freeze->hook_text = lull_hook_text(freeze->hook);
	freeze->hook_timeout_ns = lull_freeze_hook_timeout(job);
	/* If the hook cannot even be started, no thaw would end the freeze. */
	outcome = find(job, freeze->hook_text, freeze->hook);
	if (outcome != LULL_OK || !job->options->hook)
		return outcome;
	r = lull_hook_resolve(freeze->hook);
	return r < 0 ? lull_fail_errno(job, LULL_STAGE_HOOK, r, freeze->hook_text)
		     : LULL_OK;
}

struct lull_hook_facts lull_freeze_hook_facts(const struct lull_job *job)
{
	return (struct lull_hook_facts){
		.sources = job->freeze->sources,
		.n_sources = job->freeze->n_jobs,
		.run_id = job->result->run_id,
		.dest = job->dest.path,
		.checkpoint = job->dest.checkpoint_path,
		.max_freeze_ns = job->options->max_freeze_ns,
		.resumed = job->resumed,
	};
}

bool lull_freeze_hook_sources(struct lull_freeze *freeze, bool recorded)
{
	free(freeze->sources);
	freeze->sources = calloc(freeze->n_jobs, sizeof(*freeze->sources));
	for (unsigned int i = 0; freeze->sources && i < freeze->n_jobs; i++) {
		const struct lull_job *job = freeze->jobs[i];

		freeze->sources[i] = recorded ? job->checkpoint.source : job->source_path;
	}
	return freeze->sources != NULL;
}

enum lull_cause lull_freeze_hook_cause(const struct lull_hook_status *status)
{
	switch (status->end) {
	case LULL_HOOK_EXITED:
		return LULL_CAUSE_HOOK_STATUS;
	case LULL_HOOK_KILLED:
		return LULL_CAUSE_HOOK_SIGNAL;
	case LULL_HOOK_TIMEOUT:
		return LULL_CAUSE_HOOK_TIMEOUT;
	case LULL_HOOK_ERROR:
		return status->code == ENODATA ? LULL_CAUSE_HOOK_EMPTY : LULL_CAUSE_ERRNO;
	case LULL_HOOK_ABORTED:
	case LULL_HOOK_OK:
		break;
	}
	return LULL_CAUSE_ERRNO;
}

enum lull_outcome lull_freeze_hook_failed(struct lull_job *job, enum lull_outcome outcome,
					  const char *text,
					  const struct lull_hook_status *status)
{
	int err = status->end == LULL_HOOK_ERROR ? status->code : 0;

	(void)lull_end(job, outcome, LULL_STAGE_HOOK, lull_freeze_hook_cause(status), err,
		       text);
	if (err == 0)
		job->result->failure.detail = status->code;
	return outcome;
}
