/* SPDX-License-Identifier: MIT */
/*
 * The one checkpoint that the jobs of a set share. Jobs may be at work in threads: what
 * is written down of each is what it had written down last itself, for only that is
 * durable.
 *
 * It lies where the first destination would have its own. Where the others would have
 * theirs there is a pointer to it, so that nobody takes their temporary files for their
 * own, and so that each destination leads to the set. A pointer whose checkpoint is gone,
 * or does not speak of its destination, means nothing.
 */
#pragma once

#include "engine/base/job.h"

struct lull_set_record {
	pthread_mutex_t lock;
	int dir; /* of the checkpoint; these two are the first job's */
	const char *name;
	/* copies: a job may have its own anew */
	struct lull_checkpoint of[LULL_CHECKPOINT_MOST];
	unsigned int n;
};

/* The set's jobs, of which the first says where the checkpoint lies, share one from now
   on. *shared is all zeroes, or was made for them before. 0 or -ENOMEM. */
int lull_set_record_init(struct lull_set_record *shared, struct lull_job **jobs,
			 unsigned int n) _must_check_;

/* Frees what it owns. All zeroes are fine. */
void lull_set_record_done(struct lull_set_record *shared);

/*
 * Takes over what n of the jobs say now, and writes the whole, durably or as
 * lull_checkpoint_save_set() does without. 0 or -errno.
 */
int lull_set_record_save(struct lull_set_record *shared, struct lull_job **jobs,
			 unsigned int n, bool durable) _must_check_;

/*
 * Takes over the checkpoint that is there. 0 if it speaks of just these destinations:
 * then each job has its part. -ENOENT if there is none; -ENOTUNIQ if *ret_job belongs to
 * another clone, or to a set of other files; or any error of lull_checkpoint_load().
 * Where the first destination has a pointer that is followed. The destinations must be
 * locked.
 */
int lull_set_record_load(struct lull_job **jobs, unsigned int n,
			 struct lull_job **ret_job) _must_check_;

/* Pointers for all destinations whose own name is not the checkpoint's, durably. 0, or
   -errno with *ret_job set. */
int lull_set_record_point(struct lull_job **jobs, unsigned int n,
			  struct lull_job **ret_job) _must_check_;

/* Removes checkpoint and pointers; failures are warnings. The set must have been
   published, or its temporary files must be empty or gone. */
void lull_set_record_remove(struct lull_job **jobs, unsigned int n);

/*
 * What a pointer in the place of job's checkpoint means to a clone by itself: -ENOTUNIQ
 * if it leads to a set that job's destination belongs to. One that means nothing is
 * removed, which returns -ENOENT. Else r, if it is no pointer. The destination must be
 * locked.
 */
int lull_set_record_judge_pointer(const struct lull_job *job, int r) _must_check_;

/*
 * The checkpoint of dest, alone or in a set, wherever dest's own name for it leads: dir
 * and name are replaced. Errors as of lull_checkpoint_load().
 */
int lull_set_record_find(struct lull_dest *dest, struct lull_checkpoint **ret_of,
			 unsigned int *ret_n) _must_check_;
