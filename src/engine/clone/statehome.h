/* SPDX-License-Identifier: MIT */
/*
 * Where the state of a destination is kept: the checkpoint and the record of generations.
 *
 * It is beside DEST if nobody but the caller can replace it there. Otherwise, or if it is
 * from a time when others could, it is in a private directory of the caller. Its name
 * there does not depend on the path to DEST. It consists of the file system's UUID, the
 * subvolume, inode number and generation of DEST's directory, and a hash of DEST's name.
 * So it is found again through another path or mount.
 */
#pragma once

#include "engine/base/job.h"

/* What the user requested: see struct lull_options. */
struct lull_state_wish {
	const char *checkpoint; /* the file that --checkpoint names; or NULL */
	const char *directory;  /* the private directory; NULL: there is none */
	bool make;              /* make the private directory if it does not exist */
};

/* The ends of the names of state files: for the checkpoint, and for the record of
   generations. */
#define LULL_STATEHOME_SUFFIXES 2
extern const char *const lull_statehome_suffixes[LULL_STATEHOME_SUFFIXES];

/* lull_statehome_init() makes *home empty, with no descriptor open. lull_statehome_done()
   closes and frees what it holds, and makes it empty again. */
void lull_statehome_init(struct lull_statehome *home);
void lull_statehome_done(struct lull_statehome *home);

/*
 * Finds the place for the state of dest, whose path, name, directory and file system must
 * be set. A private directory that cannot be used is no error yet: then home.dir is -1
 * and home.err says why. Returns 0 or -errno.
 */
int lull_statehome_open(struct lull_dest *dest,
			const struct lull_state_wish *wish) _must_check_;

/*
 * Returns the name in home for the file that would be called .NAME and suffix beside a
 * file called name. To be freed; NULL without memory.
 */
char *lull_statehome_name(const struct lull_statehome *home, const char *name,
			  const char *suffix);

/* Returns the absolute path of name in home, to be freed; NULL without memory or without
   a directory. */
char *lull_statehome_path(const struct lull_statehome *home, const char *name);

/* Returns true if a file beside dest has the name of dest's state, although the state is
   elsewhere. */
bool lull_statehome_is_passed_over(const struct lull_dest *dest, const char *suffix);
