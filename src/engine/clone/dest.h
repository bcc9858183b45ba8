/* SPDX-License-Identifier: MIT */
/*
 * The destination: a temporary file beside it that becomes it.
 *
 * For DEST in directory DIR the names are DIR/.DEST.lullcp for the checkpoint and
 * DIR/.DEST.lullcp-part for the temporary file. The latter is also the lock: whoever
 * holds flock(2) on the inode of this name works on DEST. The lock needs no file
 * of its own, is released by the kernel however its holder dies, and goes with the keeper
 * as long as that one has writers to thaw.
 */
#pragma once

#include "engine/base/job.h"

struct lull_state_wish; /* statehome.h */

/* Empty, with no descriptor open; and closes and frees what it holds, and leaves it
   so. */
void lull_dest_init(struct lull_dest *dest);
void lull_dest_done(struct lull_dest *dest);

/*
 * Makes the names for path, which is only a name: a file of that name does not matter.
 * Else as lull_dest_resolve().
 */
int lull_dest_resolve_name(struct lull_dest *dest, const char *path,
			   const struct lull_state_wish *wish, enum lull_stage *ret_stage,
			   enum lull_cause *ret_cause) _must_check_;

/*
 * Gives the clone another name than that of path, in the same directory, and looks what
 * has that name. The lock and the checkpoint keep theirs. 0 or -errno.
 */
int lull_dest_call(struct lull_dest *dest, const char *name) _must_check_;

/*
 * Looks again what has the name, now that the lock is held: another lullcp may have put
 * DEST there, or taken it away, while this one waited. What the caller has not judged
 * yet, another type or a second name, does not count.
 */
void lull_dest_look_again(struct lull_dest *dest);

/*
 * Finds out what path is, opens its directory and makes the names. checkpoint may be
 * NULL. Nothing is created. 0, or -errno with *ret_stage and *ret_cause set.
 */
int lull_dest_resolve(struct lull_dest *dest, const char *path,
		      const struct lull_state_wish *wish, enum lull_stage *ret_stage,
		      enum lull_cause *ret_cause) _must_check_;

/*
 * Opens or creates the temporary file and locks it: 0, -EWOULDBLOCK if another holds it
 * or takes the name from it again and again, -EEXIST if what has the name is not a file
 * of ours, or any other -errno.
 */
int lull_dest_lock(struct lull_dest *dest) _must_check_;

/* True if somebody holds the lock now; creates nothing. */
bool lull_dest_is_locked(const struct lull_dest *dest);

/*
 * Opens the file to be written in place; else the temporary file is it. 0, -EWOULDBLOCK
 * if another lullcp writes to it under another name, or any other -errno.
 */
int lull_dest_open(struct lull_dest *dest) _must_check_;

/*
 * Makes the unnamed file for drains, fit for clones from src (-errno). Does nothing if
 * there is one.
 */
int lull_dest_scratch(struct lull_dest *dest, int src) _must_check_;

/*
 * Writes to disk what is cloned so far. Btrfs logs for fdatasync(2) each extent that is
 * younger than the last commit of the file system, with its checksums, and that took more
 * than its clone did (10 million extents, 6.18): where there are many it commits first. 0
 * or -errno of fdatasync(2).
 */
int lull_dest_sync(struct lull_job *job) _must_check_;

/*
 * Makes the clone what DEST will be (mode, owner, attributes: those of a new file, or of
 * the DEST that it replaces, whatever inode it was built in) and writes it to disk. 0 or
 * -errno.
 */
int lull_dest_finish(struct lull_job *job) _must_check_;

/*
 * Renames it to its name, durably unless no_sync. 0; -EEXIST if it may replace nothing (a
 * generation, cp -n) and the name is taken; -ESTALE if somebody else has put another file
 * in its place; or another -errno.
 */
int lull_dest_publish(struct lull_job *job) _must_check_;

/* The first half of that: the name, and no more. 0 or -errno. */
int lull_dest_rename(struct lull_job *job) _must_check_;

/* What would keep it from getting its name, as far as can be seen: 0 or -errno. */
int lull_dest_may_rename(const struct lull_job *job) _must_check_;

/* True if DEST's name is that of the file which is written: in place, another program may
   have removed or replaced it. */
bool lull_dest_has_name(const struct lull_dest *dest);

/* True if the temporary file is open and still has its name. */
bool lull_dest_is_there(const struct lull_dest *dest);

/* Removes the temporary file, unless another now has its name. 0 or -errno. */
int lull_dest_remove(struct lull_dest *dest);
