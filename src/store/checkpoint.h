/* SPDX-License-Identifier: MIT */
/*
 * The checkpoint of a clone: a small JSON file beside the destination. A set of files
 * that are cloned together has one checkpoint. Where the other files would have theirs,
 * there is a pointer: a state file with the path of the checkpoint.
 */
#pragma once

#include "lullcp.h"
#include "sys/identity.h"
#include "sys/tripwire.h"
#include "util/macros.h"

#include <stdbool.h>
#include <stdint.h>

#define LULL_CHECKPOINT_SCHEMA 2
/* The most files in a set. Each has half a dozen descriptors open. */
#define LULL_CHECKPOINT_MOST 64
/* More than a block: see checkpoint_file.c. */
#define LULL_CHECKPOINT_MIN_SIZE 4097u
/* A path or a hook may have 4 KiB, and up to 6 times that as JSON escapes. */
#define LULL_CHECKPOINT_MAX_SIZE (LULL_CHECKPOINT_MOST * (64u << 10))

/* For all names in a directory of hooks: a hundred times what is usual. */
#define LULL_CHECKPOINT_LONGEST_FILES (16u << 10)

enum lull_phase {
	LULL_PHASE_CLONING,
	/* the temporary file is complete and durable; in a set, it may have its final
	   name already */
	LULL_PHASE_COMPLETE,
};

/* The checkpoint of one file. In a set, all files have the same values about the run:
   run_id, updated, and what lull_checkpoint_move_freeze() moves. */
struct lull_checkpoint {
	char run_id[37];
	char *source; /* absolute path */
	char *dest;   /* absolute path */
	/* name beside dest; NULL: dest is written in place */
	char *temporary;
	char *snapshot;     /* name beside dest of the source's snapshot; NULL: none */
	char source_fs[37]; /* UUIDs of the file systems, "" if not known */
	char dest_fs[37];
	struct lull_reference reference; /* the source when the pass began */
	bool has_reference;  /* false: no reference was taken, so nothing is cloned yet */
	uint64_t dest_inode; /* of the file that is written */
	uint64_t dest_generation;
	uint64_t dest_size;    /* the size that it was given, or 0 */
	int64_t dest_ctime_ns; /* of the file that is written, when this was recorded */
	uint64_t offset;       /* durable up to here */
	unsigned int pass;
	enum lull_method method;
	enum lull_phase phase;
	bool frozen; /* the writers are, or may be, frozen */
	/* they were left frozen on purpose, for a resume */
	bool kept_frozen;
	uint64_t frozen_since;           /* ns since the epoch */
	char *hook;                      /* NULL: none */
	char *hook_directory;            /* in which it was called; NULL: not known */
	char *hook_files;                /* as from lull_hook_record(), or NULL */
	char machine[LULL_MACHINE_SIZE]; /* the machine that recorded it; "": not known */
	uint64_t hook_timeout_ns;
	bool replaces; /* options that matter for a resume */
	/* the file is an older clone, which is being refreshed */
	bool refresh;
	/* with refresh: the older clone was another file than dest, so the new one gets
	   only its blocks. Without refresh: it was used up for a clone that was given
	   up */
	bool used_up;
	/* with refresh: permissions and owner that it must get at the end */
	uint32_t mode;
	uint32_t owner;
	uint32_t group;
	/* dest has a date: it is one of several generations */
	bool dated;
	uint64_t updated; /* ns since the epoch */
};

/* Frees what it owns and leaves it empty. */
void lull_checkpoint_done(struct lull_checkpoint *checkpoint);

/* Makes a copy in *ret_copy, which owns its texts. Returns 0 or -ENOMEM. */
int lull_checkpoint_copy(const struct lull_checkpoint *checkpoint,
			 struct lull_checkpoint *ret_copy) _must_check_;

/* Moves what from says about the freeze and its hook to *to. from keeps nothing of the
   hook. */
void lull_checkpoint_move_freeze(struct lull_checkpoint *from,
				 struct lull_checkpoint *to);

/* As lull_checkpoint_move_freeze(), but copies. Returns 0, or -ENOMEM with *to
   unchanged. */
int lull_checkpoint_copy_freeze(const struct lull_checkpoint *from,
				struct lull_checkpoint *to) _must_check_;

/* Moves the only element of an array of n to *ret_only, and frees the array. Returns 0,
   or -ENOTUNIQ if there are more; then it frees them all. */
int lull_checkpoint_take_only(struct lull_checkpoint *of, unsigned int n,
			      struct lull_checkpoint *ret_only) _must_check_;

/* Frees an array of n checkpoints and what they own. NULL is fine. */
void lull_checkpoint_free(struct lull_checkpoint *of, unsigned int n);
