// SPDX-License-Identifier: MIT
/* Opens the files of a set and makes jobs: see set_open.h. */
#include "engine/set/set_open.h"

#include "engine/clone/claim.h"
#include "engine/clone/job_init.h"
#include "engine/file/big.h"
#include "engine/file/file.h"
#include "sys/inode.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void note(const struct lull_set *set, enum lull_note_kind kind, const char *path,
		 const char *path2)
{
	lull_run_note(set->tree, kind, 0, path, path2);
}

/* Refuses a file that can only be written in place, because a set is published by
   renames. */
static enum lull_outcome judge_old(struct lull_member *m)
{
	const struct lull_entry *e = &m->file.entry;
	struct stat st;

	if (m->options.in_place ||
	    (m->old >= 0 && fstat(m->old, &st) == 0 && st.st_nlink > 1) ||
	    (!e->fresh && lull_inode_is_mounted_on(e->dst_dir->fd, e->dst_name)))
		return lull_fail(&m->job, LULL_STAGE_STAT_DEST, LULL_CAUSE_ONLY_IN_PLACE,
				 0, m->file.entry.dst_path);
	return LULL_OK;
}

/* Compares a file with those before it. Returns false after a message. */
static bool judge_beside(const struct lull_set *set, unsigned int at)
{
	const struct lull_member *m = set->member[at];

	for (unsigned int i = 0; i < at; i++) {
		const struct lull_member *other = set->member[i];

		if (strcmp(m->job.dest.path, other->job.dest.path) == 0) {
			note(set, LULL_NOTE_JUST_CREATED, m->file.entry.dst_path,
			     m->file.entry.src_path);
			return false;
		}
		if (m->job.dest.exists &&
		    SAME_INODE(&m->job.dest.old, &other->file.entry.src)) {
			note(set, LULL_NOTE_SAME_FILE, other->file.entry.src_path,
			     m->file.entry.dst_path);
			return false;
		}
		if (other->job.dest.exists &&
		    SAME_INODE(&other->job.dest.old, &m->file.entry.src)) {
			note(set, LULL_NOTE_SAME_FILE, m->file.entry.src_path,
			     other->file.entry.dst_path);
			return false;
		}
	}
	return true;
}

static bool is_temporary_of(const struct lull_dest *a, const struct lull_dest *b)
{
	struct stat one, other;

	return strcmp(a->name, b->temporary) == 0 && fstat(a->dir, &one) == 0 &&
	       fstat(b->dir, &other) == 0 && SAME_INODE(&one, &other);
}

/* Refuses a destination that has the name of another one's temporary file: it would be
   lost. */
static enum lull_outcome judge_names(struct lull_set *set, unsigned int at)
{
	struct lull_member *m = set->member[at];

	for (unsigned int i = 0; i < at; i++) {
		struct lull_member *other = set->member[i];
		bool first = is_temporary_of(&m->job.dest, &other->job.dest);

		if (!first && !is_temporary_of(&other->job.dest, &m->job.dest))
			continue;
		return lull_fail_between(&m->job, LULL_STAGE_STAT_DEST,
					 LULL_CAUSE_TEMPORARY_IS_FILE, 0,
					 (first ? m : other)->file.entry.dst_path,
					 (first ? other : m)->file.entry.dst_path);
	}
	return LULL_OK;
}

static enum lull_outcome open_member(struct lull_set *set, unsigned int at)
{
	struct lull_member *m = set->member[at];
	struct lull_entry *e = &m->file.entry;
	enum lull_outcome outcome;

	if (!lull_file_open(&m->file, &m->src, &m->old))
		return LULL_FAILED;
	m->options = *set->tree->options;
	/* All files are recorded where the first one's checkpoint is. */
	if (at > 0)
		m->options.checkpoint = set->clones.jobs[0]->dest.checkpoint_path;
	lull_big_place(&m->file, m->src, m->old, &m->options, &m->place);
	m->begun = lull_job_init(&m->job, &m->options, &set->observer, e->src_path,
				 e->dst_path, &m->file.result);
	m->job.place = &m->place;
	if (!m->begun) {
		lull_run_note(set->tree, LULL_NOTE_MEMORY, ENOMEM, e->dst_path, NULL);
		return LULL_FAILED;
	}
	set->clones.jobs[set->clones.n++] = &m->job;
	m->job.freeze = &set->clones.freeze;
	memcpy(m->job.result->run_id, set->tree->run_id, sizeof(m->job.result->run_id));
	outcome = judge_old(m);
	if (outcome == LULL_OK)
		outcome = lull_claim_open(&m->job, e->dst_path);
	m->options.checkpoint = NULL;
	if (outcome == LULL_OK)
		outcome = judge_names(set, at);
	if (outcome != LULL_OK)
		return lull_clones_blame(&set->clones, &m->job, outcome);
	return judge_beside(set, at) ? LULL_OK : LULL_FAILED;
}

enum lull_outcome lull_set_open(struct lull_set *set)
{
	for (unsigned int i = 0; i < set->n; i++) {
		enum lull_outcome outcome = open_member(set, i);

		if (outcome != LULL_OK)
			return outcome;
	}
	return LULL_OK;
}
