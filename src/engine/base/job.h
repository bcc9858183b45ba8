/* SPDX-License-Identifier: MIT */
/* One clone at work: what the files of the engine share. */
#pragma once

#include "guard/hook.h"
#include "guard/keeper.h"
#include "lullcp.h"
#include "plan/hist.h"
#include "plan/plan.h"
#include "store/checkpoint.h"
#include "sys/exchange.h"
#include "sys/identity.h"
#include "sys/tripwire.h"
#include "util/macros.h"

#include <pthread.h>
#include <sys/stat.h>

struct lull_place;      /* place.h */
struct lull_rotation;   /* rotation.h */
struct lull_set_record; /* set_record.h */
struct lull_job;

/* Where the state of a destination is kept unless --checkpoint says so: see
   statehome.h. */
struct lull_statehome {
	/* that of the destination, or the caller's private one; -1: there is none */
	int dir;
	int err;    /* then: why not, a positive errno */
	char *path; /* of dir, with a slash at the end; NULL: not known */
	/* how names in the private directory begin; NULL: names beside DEST */
	char *stem;
};

/* Where a clone goes: see dest.h. */
struct lull_dest {
	char *path;       /* absolute, links resolved */
	const char *name; /* the last part of path */
	char *temporary;  /* name of the temporary file, which is also the lock */
	struct lull_statehome home; /* of state */
	char *checkpoint_path;      /* absolute; NULL: there is no place for it */
	char *checkpoint;           /* the last part of it */
	int dir;                    /* of path */
	int checkpoint_dir;
	/* the temporary file, locked; it becomes the clone unless in_place */
	int lock;
	int fd;      /* the file that is written: lock, or path itself */
	int scratch; /* an unnamed file for drains */
	bool exists;
	/* name beside path, of the directory that a snapshot is in */
	char *snapshot;
	int snapshot_dir; /* that, if this run has made it; else -1 */
	bool in_place;
	/* DEST itself, open for both, which exchanges its contents with the temporary
	   file in the end: swap.h. -1: it does not */
	int target;
	struct lull_freshness fresh;  /* of target, when the clone began */
	struct lull_reference before; /* the same, where the kernel has none */
	bool partial;        /* the temporary file holds only what differs from target */
	int no_target;       /* errno: why it is written in place instead, 0: not known */
	bool created;        /* by this run: the temporary file, as it is now */
	bool lock_was_empty; /* it held nothing when it was opened */
	struct stat old;     /* of path, if it exists */
	struct lull_fs fs;
};

/* One freeze, of the writers of one job or of all jobs of a set: see freeze.h. */
struct lull_freeze {
	struct lull_job **jobs;
	unsigned int n_jobs;
	const char **sources;   /* theirs, as the hook is told; outlive the keeper */
	struct lull_hook *hook; /* NULL: there is none */
	const char *hook_text;  /* of hook, for messages */
	uint64_t hook_timeout_ns;
	struct lull_keeper *keeper;
	bool kept;        /* an earlier run began it, and left it in force */
	uint64_t started; /* CLOCK_MONOTONIC, 0: not frozen */
	bool thaw_failed;
	pthread_mutex_t lock; /* of the keeper, which jobs in threads ask */
};

/*
 * What this run may do with the checkpoint and with the file that it writes, and what is
 * in that file. conduct.c has the transitions; from DISCARDING on both are this run's to
 * change and to remove.
 */
enum lull_job_state {
	LULL_JOB_LOOKING,    /* neither is this run's */
	LULL_JOB_DISCARDING, /* the file still holds what is given up */
	LULL_JOB_EMPTY,      /* no clone has begun in it */
	LULL_JOB_BEGUN,      /* one has, in this run */
	LULL_JOB_ADOPTED,    /* the older clone has become it, in this run */
	LULL_JOB_FOUND,      /* it holds a clone that an earlier run began */
	LULL_JOB_WHOLE,      /* and one that it completed: only the name is missing */
	LULL_JOB_NAMED,      /* and that one has its name */
};

struct lull_job {
	const struct lull_options *options;
	const struct lull_observer *observer;
	struct lull_result *result;
	struct lull_progress *progress; /* of the result */
	uint64_t started;               /* CLOCK_MONOTONIC */

	const struct lull_place *place; /* by whom the files were opened; or NULL */
	bool copies;                    /* bytes are copied: passes clone nothing */
	const char *source;             /* as the user named it */
	char *source_path;              /* absolute, links resolved */
	int src;  /* what is cloned from: the source, or a snapshot of it */
	int live; /* the source, if src is a snapshot of it; else -1 */
	struct lull_fs src_fs;

	struct lull_dest dest;
	/* DEST is one of several generations; or NULL */
	struct lull_rotation *rotation;

	struct lull_checkpoint checkpoint; /* as it is on disk, or will be next */
	/* where it is recorded with others; NULL: alone */
	struct lull_set_record *shared;
	unsigned int index; /* its place among them */
	bool recorded;      /* it is on disk */
	bool unrecorded;    /* it cannot be recorded, and the user has been told */
	enum lull_job_state state;
	/* the checkpoint was found there, and goes on */
	bool resumed;
	bool emptied; /* DEST itself, which is written in place */
	/* how far the file was said to be whole, when that is no longer believed:
	   untouched.h */
	uint64_t claimed;
	/* an older clone that is to become the temporary file; -1: none, or it is that
	   already */
	int base;
	int base_dir;          /* where it has its name */
	const char *base_name; /* part of base_path */
	char *base_path;
	/* it is gone: it became the clone that was given up, or published */
	bool base_used_up;
	/* place->old opens nothing at the moment: refresh.c */
	bool let_go;
	/* DEST itself is the older clone, and stays so */
	bool refresh_in_place;

	struct lull_reference reference; /* the source when this pass began */
	uint64_t mapped_bytes;           /* of a file that fits one call */
	enum lull_plan_mode mode;
	/* end a pass as soon as the source is written to */
	bool stop_if_written;
	/* one call over the whole file is as short as any other way to stop its
	   writers */
	bool whole_is_short;
	/* why none can be taken, once that was asked */
	struct lull_obstacle no_snapshot;
	uint64_t last_pass_ns; /* how long the last pass took */
	uint64_t last_call_ns; /* how much of it in calls */

	/* the conductor's; NULL where nothing is frozen */
	struct lull_freeze *freeze;

	uint64_t synced_extents; /* cloned when DEST was synced last */
};

/*
 * Notes what failed, the first time only, and returns LULL_FAILED. err is a negative or
 * positive errno or 0; the paths are copied.
 */
enum lull_outcome lull_fail(struct lull_job *job, enum lull_stage stage,
			    enum lull_cause cause, int err, const char *path);

/* The same where the errno says why. */
static inline enum lull_outcome lull_fail_errno(struct lull_job *job,
						enum lull_stage stage, int err,
						const char *path)
{
	return lull_fail(job, stage, LULL_CAUSE_ERRNO, err, path);
}

/* The same with a second path. */
enum lull_outcome lull_fail_between(struct lull_job *job, enum lull_stage stage,
				    enum lull_cause cause, int err, const char *path,
				    const char *path2);

/* The same as lull_fail() for another outcome, which it returns. */
enum lull_outcome lull_end(struct lull_job *job, enum lull_outcome outcome,
			   enum lull_stage stage, enum lull_cause cause, int err,
			   const char *path);

/* Frees the paths. */
void lull_failure_done(struct lull_failure *failure);

/* Brings the clock fields of the progress up to date and shows it. */
void lull_tell(struct lull_job *job);

/* Tells the observer that such a call begins; LULL_CALL_NONE: that it is over. */
void lull_tell_call(const struct lull_job *job, enum lull_call call);

/* Writes the source's dirty pages to disk: lull_tripwire_flush(). 0 or -errno. */
int lull_flush_source(const struct lull_job *job) _must_check_;

/* The observer wants to stop. */
bool lull_should_stop(struct lull_job *job);

/* The writers are, or may be, frozen by this run. */
bool lull_is_frozen(const struct lull_job *job);

/* Tells that writers are about to wait for about ns nanoseconds, by that method. */
void lull_announce(struct lull_job *job, enum lull_method method, uint64_t ns);

/* err: an errno of either sign, or 0; path may be NULL. */
void lull_warn(struct lull_job *job, enum lull_warning warning, int err,
	       const char *path);
