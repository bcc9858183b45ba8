/* SPDX-License-Identifier: MIT */
/* One clone while it is made: the struct that the files of the engine share. */
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

/* Where the state of a destination is kept if there is no --checkpoint: see
   statehome.h. */
struct lull_statehome {
	/* DEST's directory, or the private one of the caller; -1: there is none */
	int dir;
	int err;    /* if dir is -1: why, as a positive errno */
	char *path; /* of dir, with a slash at the end; NULL: not known */
	/* how names in the private directory begin; NULL: the names of files beside
	   DEST */
	char *stem;
};

/* The destination of a clone: see dest.h. */
struct lull_dest {
	char *path;       /* absolute, links resolved */
	const char *name; /* the last part of path */
	char *temporary;  /* name of the temporary file, which is also the lock */
	struct lull_statehome home; /* of state */
	/* absolute; NULL: there is no place for a checkpoint */
	char *checkpoint_path;
	char *checkpoint; /* the last part of it */
	int dir;          /* of path */
	int checkpoint_dir;
	/* the temporary file, locked, which becomes the clone unless in_place */
	int lock;
	int fd;      /* the file that is written: lock, or DEST itself */
	int scratch; /* an unnamed file for drains */
	bool exists;
	/* name of the directory for a snapshot, beside DEST */
	char *snapshot;
	int snapshot_dir; /* open on it if this run has made it, else -1 */
	bool in_place;
	/* DEST itself, open for reading and writing, if it exchanges its contents with
	   the temporary file at the end (swap.h); else -1 */
	int target;
	struct lull_freshness fresh;  /* of target, when the clone began */
	struct lull_reference before; /* the same, if the kernel cannot tell that */
	bool partial;        /* the temporary file holds only what differs from target */
	int no_target;       /* why DEST is written in place, as an errno; 0: not known */
	bool created;        /* this run has made the temporary file */
	bool lock_was_empty; /* it was empty when it was opened */
	struct stat old;     /* of path, if it exists */
	struct lull_fs fs;
};

/* A freeze of the writers of one job or of all jobs of a set: see freeze.h. */
struct lull_freeze {
	struct lull_job **jobs;
	unsigned int n_jobs;
	/* the jobs' sources, as the hook gets them; must outlive the keeper */
	const char **sources;
	struct lull_hook *hook; /* NULL: there is none */
	const char *hook_text;  /* of hook, for messages */
	uint64_t hook_timeout_ns;
	struct lull_keeper *keeper;
	bool kept;        /* an earlier run began the freeze and left it in force */
	uint64_t started; /* CLOCK_MONOTONIC, 0: not frozen */
	bool thaw_failed;
	pthread_mutex_t lock; /* for the keeper, which jobs in threads use */
};

/*
 * The state of the checkpoint and of the file that the job writes: what this run may do
 * with them, and what the file contains. conduct.c has the transitions. From
 * LULL_JOB_DISCARDING on, this run may change and remove both.
 */
enum lull_job_state {
	LULL_JOB_LOOKING,    /* this run has taken over neither */
	LULL_JOB_DISCARDING, /* the file still holds a clone that is given up */
	LULL_JOB_EMPTY,      /* no clone has begun in the file */
	LULL_JOB_BEGUN,      /* this run has begun a clone in the file */
	LULL_JOB_ADOPTED,    /* the file is an older clone, taken over by this run */
	LULL_JOB_FOUND,      /* the file holds a clone that an earlier run began */
	/* the file holds a clone that an earlier run completed: only the rename is
	   left */
	LULL_JOB_WHOLE,
	LULL_JOB_NAMED, /* the same, and it has been renamed */
};

struct lull_job {
	const struct lull_options *options;
	const struct lull_observer *observer;
	struct lull_result *result;
	struct lull_progress *progress; /* of the result */
	uint64_t started;               /* CLOCK_MONOTONIC */

	/* the files, if the caller has opened them; or NULL */
	const struct lull_place *place;
	bool copies;        /* bytes are copied, and nothing is cloned */
	const char *source; /* as the user gave it */
	char *source_path;  /* absolute, links resolved */
	int src;            /* the source, or a snapshot of it */
	int live;           /* the source, if src is a snapshot of it; else -1 */
	struct lull_fs src_fs;

	struct lull_dest dest;
	/* if DEST is one of several generations; or NULL */
	struct lull_rotation *rotation;

	struct lull_checkpoint checkpoint; /* as it is on disk, or will be next */
	/* the checkpoint that a set shares; NULL: the job has its own */
	struct lull_set_record *shared;
	unsigned int index; /* the job's place in the set */
	bool recorded;      /* the checkpoint is on disk */
	bool unrecorded;    /* it cannot be written, and the user has been warned */
	enum lull_job_state state;
	/* the clone of a checkpoint continues */
	bool resumed;
	bool emptied; /* DEST itself, written in place, has been emptied */
	/* offset up to which the file was recorded as complete, if that is no longer
	   trusted: untouched.h */
	uint64_t claimed;
	/* an older clone that will become the temporary file; -1: there is none, or it
	   has become that */
	int base;
	int base_dir;          /* its directory */
	const char *base_name; /* part of base_path */
	char *base_path;
	/* the base is gone: it was used up for a clone that was given up, or is
	   published */
	bool base_used_up;
	/* place->old is open only with O_PATH at the moment: refresh.c */
	bool let_go;
	/* DEST itself is the older clone, and is refreshed in place */
	bool refresh_in_place;

	struct lull_reference reference; /* the source when the current pass began */
	/* extents of a file that fits one call, in bytes */
	uint64_t mapped_bytes;
	enum lull_plan_mode mode;
	/* end a pass as soon as the source is written to */
	bool stop_if_written;
	/* one call over the whole file is as short as any other way to stop the source's
	   writers */
	bool whole_is_short;
	/* why no snapshot can be taken, once that has been checked */
	struct lull_obstacle no_snapshot;
	uint64_t last_pass_ns; /* duration of the last pass */
	uint64_t last_call_ns; /* the part of it that was spent in calls */

	/* belongs to the conductor; NULL if nothing is frozen */
	struct lull_freeze *freeze;

	uint64_t synced_extents; /* how many were cloned when DEST was last synced */
};

/*
 * Stores what failed, unless a failure is stored already. Returns LULL_FAILED. err is an
 * errno of either sign, or 0. Copies the paths.
 */
enum lull_outcome lull_fail(struct lull_job *job, enum lull_stage stage,
			    enum lull_cause cause, int err, const char *path);

/* As lull_fail(), with LULL_CAUSE_ERRNO. */
static inline enum lull_outcome lull_fail_errno(struct lull_job *job,
						enum lull_stage stage, int err,
						const char *path)
{
	return lull_fail(job, stage, LULL_CAUSE_ERRNO, err, path);
}

/* As lull_fail(), with a second path. */
enum lull_outcome lull_fail_between(struct lull_job *job, enum lull_stage stage,
				    enum lull_cause cause, int err, const char *path,
				    const char *path2);

/* As lull_fail(), but returns another outcome. */
enum lull_outcome lull_end(struct lull_job *job, enum lull_outcome outcome,
			   enum lull_stage stage, enum lull_cause cause, int err,
			   const char *path);

/* Frees the paths of a failure. */
void lull_failure_done(struct lull_failure *failure);

/* Updates the clock fields of the progress and passes it to the observer. */
void lull_tell(struct lull_job *job);

/* Tells the observer that a call begins, or with LULL_CALL_NONE that it has returned. */
void lull_tell_call(const struct lull_job *job, enum lull_call call);

/* Writes the source's dirty pages to disk, like lull_tripwire_flush(). Returns 0 or
   -errno. */
int lull_flush_source(const struct lull_job *job) _must_check_;

/* Returns true if the observer requests a stop. */
bool lull_should_stop(struct lull_job *job);

/* Returns true if this run has frozen the writers, or may have. */
bool lull_is_frozen(const struct lull_job *job);

/* Announces that writers will wait for about ns nanoseconds because of method. */
void lull_announce(struct lull_job *job, enum lull_method method, uint64_t ns);

/* Reports a warning. err: an errno of either sign, or 0. path may be NULL. */
void lull_warn(struct lull_job *job, enum lull_warning warning, int err,
	       const char *path);
