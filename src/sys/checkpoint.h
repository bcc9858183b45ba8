/* SPDX-License-Identifier: MIT */
/*
 * The checkpoint of a clone: a small JSON file beside the destination. Of several files that
 * are cloned as one set there is one checkpoint, and where the others would have theirs a
 * pointer: a state file of its own that holds the path of it.
 *
 * RULES
 *  1. It is never ahead of what is durable: the engine syncs the destination first and
 *     records then. One that lags is harmless, for cloning a range again is always right.
 *  2. It is replaced as a whole: temporary file, fsync, rename, fsync of the directory.
 *     At any moment the old or the new one is there, never a part.
 *  3. Whatever is not exactly what this version writes, or may have been planted (see
 *     state.h), is refused, and nothing is deleted.
 */
#pragma once

#include "sys/tripwire.h"
#include "util/macros.h"

#include <stdbool.h>
#include <stdint.h>

#define LULL_CHECKPOINT_SCHEMA 2
/* So many files make a set, at the most: each has half a dozen descriptors open. */
#define LULL_CHECKPOINT_MOST 64
/* Longer than a block: see checkpoint.c. */
#define LULL_CHECKPOINT_MIN_SIZE 4097u
/* A path or a hook may take 4 KiB and up to 6 times that as JSON escapes. */
#define LULL_CHECKPOINT_MAX_SIZE (LULL_CHECKPOINT_MOST * (64u << 10))

enum lull_phase {
	LULL_PHASE_CLONING,
	LULL_PHASE_COMPLETE, /* the temporary file is the whole copy, durable; those of a set
	                        may bear their names already */
};

/* Of one file. What is said of the run is the same for all of a set: run_id, frozen and
   what belongs to it, hook, hook_timeout_ns, updated. */
struct lull_checkpoint {
	char run_id[37];
	char *source;             /* absolute path */
	char *dest;               /* absolute path */
	char *temporary;          /* file name beside dest; NULL: dest is written in place */
	char *snapshot;           /* of the source, a name beside dest; NULL: none */
	char source_fs[37];       /* UUIDs of the file systems, "" if not known */
	char dest_fs[37];
	struct lull_reference reference; /* the source when the pass began */
	bool has_reference;       /* false before it was taken: nothing is cloned yet */
	uint64_t dest_inode;      /* of the file that is written */
	uint64_t dest_generation;
	uint64_t dest_size;       /* what it was made, 0 before that */
	int64_t dest_ctime_ns;    /* of that file, when this was recorded */
	uint64_t offset;          /* durable up to here */
	unsigned int pass;
	int method;               /* enum lull_method */
	int phase;                /* enum lull_phase */
	bool frozen;              /* the writers are, or may be, frozen */
	bool kept_frozen;         /* they were left so on purpose, for a resume */
	uint64_t frozen_since;    /* ns since the epoch */
	char *hook;               /* NULL: none */
	char *hook_directory;     /* where it was called; NULL: not known */
	uint64_t hook_timeout_ns;
	bool replaces;            /* options that matter when it is continued */
	bool refresh;             /* the file was an older clone, which is brought up to date */
	bool used_up;             /* and it was another file than dest: nothing but its blocks is
	                             for the new one */
	uint32_t mode;            /* permissions and owner to give it at the end, if refresh */
	uint32_t owner;
	uint32_t group;
	bool dated;               /* dest is a name with a date: one of several generations */
	uint64_t updated;         /* ns since the epoch */
};

/* Frees what it owns and leaves it empty. */
void lull_checkpoint_done(struct lull_checkpoint *checkpoint);

/* A copy that owns what it has, in *ret_copy. 0 or -ENOMEM. */
int lull_checkpoint_copy(const struct lull_checkpoint *checkpoint,
			 struct lull_checkpoint *ret_copy) _must_check_;

/* Frees what n of them in an array own, and the array. NULL is fine. */
void lull_checkpoint_free(struct lull_checkpoint *of, unsigned int n);

/*
 * Reads name in directory dir. 0, or
 *   -ENOENT           there is none
 *   -EBADMSG          damaged: no checkpoint, a part of one, a value out of range
 *   -EPROTONOSUPPORT  written by another version
 *   -ENOTUNIQ         that of a set, or a pointer to it
 *   a refusal         (lull_state_is_refusal()) it may have been planted, and its hook would
 *                     run with our rights
 *   or any other -errno of reading.
 */
int lull_checkpoint_load(int dir, const char *name,
			 struct lull_checkpoint *ret_checkpoint) _must_check_;

/* The same, also for sets: an array of n files, to be freed; n is 1 for one file alone. */
int lull_checkpoint_load_set(int dir, const char *name, struct lull_checkpoint **ret_of,
			     unsigned int *ret_n) _must_check_;

/* The same from memory, for tests and the fuzzer. */
int lull_checkpoint_parse_set(const char *text, size_t len, struct lull_checkpoint **ret_of,
			      unsigned int *ret_n) _must_check_;
int lull_checkpoint_parse(const char *text, size_t len,
			  struct lull_checkpoint *ret_checkpoint) _must_check_;

/* Replaces name in directory dir, durably, mode 0600. 0 or -errno. */
int lull_checkpoint_save(int dir, const char *name,
			 const struct lull_checkpoint *checkpoint) _must_check_;

/* The same for n files: from two on, as a set. */
int lull_checkpoint_save_set(int dir, const char *name, const struct lull_checkpoint *of,
			     unsigned int n) _must_check_;

/* Makes name a pointer to the checkpoint at an absolute path: 0, also if it is that; -EEXIST if
   something else has the name; or any other -errno. */
int lull_checkpoint_point(int dir, const char *name, const char *path) _must_check_;

/* Where name points to, to be freed. 0; -ENOENT if it is not there or no pointer; -EBADMSG if it
   is a damaged one; or any other error of lull_checkpoint_load(). */
int lull_checkpoint_pointed(int dir, const char *name, char **ret_path) _must_check_;

/*
 * Removes it, and syncs the directory if durable. 0, also if there is none, or -errno. One
 * that comes back after a crash is recognised as that of a clone that was published.
 */
int lull_checkpoint_remove(int dir, const char *name, bool durable) _must_check_;
