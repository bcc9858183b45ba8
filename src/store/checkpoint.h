/* SPDX-License-Identifier: MIT */
/*
 * The checkpoint of a clone: a small JSON file beside the destination. Of several files
 * that are cloned as one set there is one checkpoint, and where the others would have
 * theirs a pointer: a state file of its own that holds the path of it.
 */
#pragma once

#include "lullcp.h"
#include "sys/identity.h"
#include "sys/tripwire.h"
#include "util/macros.h"

#include <stdbool.h>
#include <stdint.h>

#define LULL_CHECKPOINT_SCHEMA 2
/* The most files in a set: each has half a dozen descriptors open. */
#define LULL_CHECKPOINT_MOST 64
/* Longer than a block: see checkpoint.c. */
#define LULL_CHECKPOINT_MIN_SIZE 4097u
/* A path or a hook may take 4 KiB and up to 6 times that as JSON escapes. */
#define LULL_CHECKPOINT_MAX_SIZE (LULL_CHECKPOINT_MOST * (64u << 10))

/* Of all names in a directory of hooks: a hundred times what anybody has there. */
#define LULL_CHECKPOINT_LONGEST_FILES (16u << 10)

enum lull_phase {
	LULL_PHASE_CLONING,
	/* the temporary file is the whole copy, durable; those of a set may already have
	   their names */
	LULL_PHASE_COMPLETE,
};

/* Of one file. What is said of the run is the same for all of a set: run_id, updated, and
   what lull_checkpoint_move_freeze() moves. */
struct lull_checkpoint {
	char run_id[37];
	char *source; /* absolute path */
	char *dest;   /* absolute path */
	/* file name beside dest; NULL: dest is written in place */
	char *temporary;
	char *snapshot;     /* of the source, a name beside dest; NULL: none */
	char source_fs[37]; /* UUIDs of the file systems, "" if not known */
	char dest_fs[37];
	struct lull_reference reference; /* the source when the pass began */
	bool has_reference;  /* false before it was taken: nothing is cloned yet */
	uint64_t dest_inode; /* of the file that is written */
	uint64_t dest_generation;
	uint64_t dest_size;    /* what it was made, 0 before that */
	int64_t dest_ctime_ns; /* of that file, when this was recorded */
	uint64_t offset;       /* durable up to here */
	unsigned int pass;
	enum lull_method method;
	enum lull_phase phase;
	bool frozen;                     /* the writers are, or may be, frozen */
	bool kept_frozen;                /* they were left so on purpose, for a resume */
	uint64_t frozen_since;           /* ns since the epoch */
	char *hook;                      /* NULL: none */
	char *hook_directory;            /* where it was called; NULL: not known */
	char *hook_files;                /* as lull_hook_record() gives them, or NULL */
	char machine[LULL_MACHINE_SIZE]; /* on which it was recorded; "": not known */
	uint64_t hook_timeout_ns;
	bool replaces; /* options that matter when it is continued */
	/* the file was an older clone, which is brought up to date */
	bool refresh;
	/* and it was another file than dest: nothing but its blocks is for the new one.
	   Without refresh: it was given up, with the clone that was made of it */
	bool used_up;
	/* permissions and owner to give it at the end, if refresh */
	uint32_t mode;
	uint32_t owner;
	uint32_t group;
	/* dest is a name with a date: one of several generations */
	bool dated;
	uint64_t updated; /* ns since the epoch */
};

/* Frees what it owns and leaves it empty. */
void lull_checkpoint_done(struct lull_checkpoint *checkpoint);

/* A copy that owns what it has, in *ret_copy. 0 or -ENOMEM. */
int lull_checkpoint_copy(const struct lull_checkpoint *checkpoint,
			 struct lull_checkpoint *ret_copy) _must_check_;

/* Puts what is said of the freeze and its hook in place of what *to says; from keeps
   nothing of the hook. */
void lull_checkpoint_move_freeze(struct lull_checkpoint *from,
				 struct lull_checkpoint *to);

/* The same with a copy. 0, or -ENOMEM and *to is as it was. */
int lull_checkpoint_copy_freeze(const struct lull_checkpoint *from,
				struct lull_checkpoint *to) _must_check_;

/* The only one of n, an array that is freed, in *ret_only. 0, or -ENOTUNIQ if there are
   more. */
int lull_checkpoint_take_only(struct lull_checkpoint *of, unsigned int n,
			      struct lull_checkpoint *ret_only) _must_check_;

/* Frees what n of them in an array own, and the array. NULL is fine. */
void lull_checkpoint_free(struct lull_checkpoint *of, unsigned int n);
