// SPDX-License-Identifier: MIT
/* Clones files of a set at one point in time: see set.h. conduct.c has the steps. */
#include "engine/set/set.h"

#include "engine/clone/conduct.h"
#include "engine/clone/dest.h"
#include "engine/clone/freeze.h"
#include "engine/clone/job_init.h"
#include "engine/clone/statehome.h"
#include "engine/file/big.h"
#include "engine/file/file.h"
#include "engine/set/set_open.h"
#include "sys/clock.h"
#include "util/text.h"

#include <errno.h>
#include <string.h>

static void finish(struct lull_set *set, enum lull_outcome outcome)
{
	const struct lull_clones *clones = &set->clones;
	uint64_t now = lull_clock_now();

	for (unsigned int i = 0; i < set->n; i++) {
		struct lull_member *m = set->member[i];
		struct lull_result *result = &m->file.result;

		result->elsewhere = outcome != LULL_OK && clones->culprit != &m->job;
		if (m->begun)
			result->progress.elapsed_ns = now - clones->jobs[0]->started;
		lull_big_done(&m->file, outcome);
	}
	for (unsigned int i = 0; i < set->n; i++)
		(void)lull_file_finish(&set->member[i]->file);
}

void lull_set_run(struct lull_set *set)
{
	struct lull_clones *clones = &set->clones;
	enum lull_outcome outcome;

	if (set->n == 0)
		return;
	outcome = lull_set_open(set);
	/* If a file could not be opened, the others have not been examined, and no file
	   is made yet. */
	if (clones->n > 0)
		outcome = lull_conduct(clones, outcome);
	finish(set, outcome);
	lull_freeze_done(&clones->freeze);
	for (unsigned int i = 0; i < clones->n; i++)
		lull_job_done(clones->jobs[i]);
}

/* Returns true if the options are possible for a set. Options that choose among files, or
   remove older ones, are not. The command line refuses them with a hook. */
static bool suits(const struct lull_options *options)
{
	const struct lull_cp *cp = &options->cp;

	return !cp->attributes_only && cp->backup == LULL_BACKUP_NONE && !cp->force &&
	       !cp->hard_link && !cp->symbolic_link && !cp->remove_destination &&
	       cp->overwrite == LULL_OVERWRITE_YES && cp->update == LULL_UPDATE_ALL &&
	       !options->in_place && !options->no_sync && !options->refresh &&
	       !lull_keep_any(&options->keep);
}

bool lull_set_is_wanted(const struct lull_options *options, const char *const *sources,
			unsigned int n_sources, const char *target)
{
	_cleanup_free_ char *name = NULL, *path = NULL;
	struct lull_checkpoint *of = NULL;
	const struct lull_state_wish wish = {
		.checkpoint = options->checkpoint,
		.directory = options->state_directory,
	};
	struct lull_dest dest;
	enum lull_stage stage;
	enum lull_cause cause;
	unsigned int n = 0;

	if (n_sources < 2 || !target || !suits(options))
		return false;
	if (options->hook || options->checkpoint ||
	    !(options->resume || options->restart))
		return options->hook || options->checkpoint;
	name = strdup(options->cp.parents ? sources[0] : lull_path_last(sources[0]));
	if (!name)
		return false;
	(void)lull_path_strip(name);
	path = lull_text("%s/%s", target, name);
	if (!path)
		return false;
	lull_dest_init(&dest);
	if (lull_dest_resolve(&dest, path, &wish, &stage, &cause) < 0 ||
	    lull_set_record_find(&dest, &of, &n) < 0)
		n = 0;
	lull_checkpoint_free(of, n);
	lull_dest_done(&dest);
	return n > 1;
}

struct lull_set *lull_set_new(struct lull_copy_run *tree)
{
	struct lull_set *set = calloc(1, sizeof(*set));

	if (!set)
		return NULL;
	set->tree = tree;
	set->observer = *tree->observer;
	lull_clones_init(&set->clones, tree->options);
	return set;
}

void lull_set_free(struct lull_set *set)
{
	if (!set)
		return;
	for (unsigned int i = 0; i < set->n; i++) {
		struct lull_member *m = set->member[i];

		lull_close(&m->src);
		lull_close(&m->old);
		lull_result_done(&m->file.result);
		lull_file_disown(&m->file);
		free(m);
	}
	lull_clones_done(&set->clones);
	free(set);
}

bool lull_set_add(struct lull_set *set, const struct lull_file *file)
{
	struct lull_member *m;

	if (set->n == LULL_CHECKPOINT_MOST) {
		lull_run_note(set->tree, LULL_NOTE_SET_FULL, 0, file->entry.src_path,
			      NULL);
		return false;
	}
	m = calloc(1, sizeof(*m));
	if (m) {
		*m = (struct lull_member){ .file = *file, .src = -1, .old = -1 };
		set->member[set->n++] = m;
	}
	if (!m || !lull_file_own(&m->file)) {
		lull_run_note(set->tree, LULL_NOTE_MEMORY, ENOMEM, file->entry.src_path,
			      NULL);
		return false;
	}
	lull_file_begin(&m->file);
	return true;
}
