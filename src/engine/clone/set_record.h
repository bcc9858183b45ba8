/* SPDX-License-Identifier: MIT */
/*
 * The checkpoint that the jobs of a set share. The jobs may run in threads. What is
 * written about each is what it recorded last itself, because only that is durable.
 *
 * It is where the first destination would have its own. Where the others would have
 * theirs there is a pointer to it. So no other run takes their temporary files for its
 * own, and each destination leads to the set. A pointer means nothing if its checkpoint
 * is gone, or is not about its destination.
 */
#pragma once

#include "engine/base/job.h"

struct lull_set_record {
	pthread_mutex_t lock;
	int dir; /* of the checkpoint; dir and name belong to the first job */
	const char *name;
	/* copies, because a job may change its own */
	struct lull_checkpoint of[LULL_CHECKPOINT_MOST];
	unsigned int n;
};

/* Makes the jobs share a checkpoint, which lies where the first job says. *shared must be
   all zeroes, or initialized for these jobs before. Returns 0 or -ENOMEM. */
int lull_set_record_init(struct lull_set_record *shared, struct lull_job **jobs,
			 unsigned int n) _must_check_;

/* Frees what it owns. A struct of zeroes is fine. */
void lull_set_record_done(struct lull_set_record *shared);

/*
 * Copies the checkpoints of n of the jobs, and writes the whole. For durable see
 * lull_checkpoint_save_set(). Returns 0 or -errno.
 */
int lull_set_record_save(struct lull_set_record *shared, struct lull_job **jobs,
			 unsigned int n, bool durable) _must_check_;

/*
 * Loads the checkpoint of the set, following a pointer of the first destination. The
 * destinations must be locked. Returns 0 if it is about exactly these destinations; then
 * each job has its part. Returns -ENOENT if there is none; -ENOTUNIQ if *ret_job belongs
 * to another clone, or to a set of other files; or an error of lull_checkpoint_load().
 */
int lull_set_record_load(struct lull_job **jobs, unsigned int n,
			 struct lull_job **ret_job) _must_check_;

/* Writes durable pointers for all destinations whose own name is not that of the
   checkpoint. Returns 0, or -errno with *ret_job set. */
int lull_set_record_point(struct lull_job **jobs, unsigned int n,
			  struct lull_job **ret_job) _must_check_;

/* Removes the checkpoint and the pointers. Failures are only warnings. The set must have
   been published, or its temporary files must be empty or gone. */
void lull_set_record_remove(struct lull_job **jobs, unsigned int n);

/*
 * Decides what a pointer in the place of the job's checkpoint means to a clone by itself.
 * Returns -ENOTUNIQ if it leads to a set to which the job's destination belongs. Removes
 * a pointer that means nothing, and returns -ENOENT. Returns r if it is no pointer. The
 * destination must be locked.
 */
int lull_set_record_judge_pointer(const struct lull_job *job, int r) _must_check_;

/*
 * Loads the checkpoint of dest, whether alone or in a set, following a pointer. Sets the
 * checkpoint's directory and name in *dest. Errors are those of lull_checkpoint_load().
 */
int lull_set_record_find(struct lull_dest *dest, struct lull_checkpoint **ret_of,
			 unsigned int *ret_n) _must_check_;
