/* SPDX-License-Identifier: MIT */
/*
 * Where the state of a destination is kept: the checkpoint and the record of generations.
 *
 * Beside DEST, where nobody but the caller can put a file in their place. Else, and where
 * it is from a time when others could, in a private directory of the caller, under a name
 * that comes from what DEST is and not from the path to it: the file system's UUID, the
 * subvolume, inode number and generation of DEST's directory, and a hash of DEST's name.
 * So they are found again through another path or mount.
 */
#pragma once

#include "engine/base/job.h"

/* What the user wants: see struct lull_options. */
struct lull_state_wish {
	const char *checkpoint; /* the file that --checkpoint names; or NULL */
	const char *directory;  /* the private directory; NULL: there is none */
	bool make;              /* it is made if it is not there */
};

/* What the names of state end with: the checkpoint's, and that of the record of
   generations. */
#define LULL_STATEHOME_SUFFIXES 2
extern const char *const lull_statehome_suffixes[LULL_STATEHOME_SUFFIXES];

/* Empty, with no descriptor open; and closes and frees what it holds, and leaves it
   so. */
void lull_statehome_init(struct lull_statehome *home);
void lull_statehome_done(struct lull_statehome *home);

/*
 * Finds the place for the state of dest, whose path, name, directory and file system are
 * known. A private directory that cannot be used is no error yet: home.dir is -1 then and
 * home.err says why. 0 or -errno.
 */
int lull_statehome_open(struct lull_dest *dest,
			const struct lull_state_wish *wish) _must_check_;

/*
 * The name there of what is called .NAME and suffix beside a file called name; to be
 * freed, NULL without memory.
 */
char *lull_statehome_name(const struct lull_statehome *home, const char *name,
			  const char *suffix);

/* The absolute path of name there; to be freed, NULL without memory or without a
   directory. */
char *lull_statehome_path(const struct lull_statehome *home, const char *name);

/* True if something has a name of dest's state beside dest although it is kept
   elsewhere. */
bool lull_statehome_is_passed_over(const struct lull_dest *dest, const char *suffix);
