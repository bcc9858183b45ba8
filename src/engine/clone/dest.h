/* SPDX-License-Identifier: MIT */
/*
 * The destination. A temporary file beside DEST becomes DEST.
 *
 * For DEST in directory DIR, the checkpoint is DIR/.DEST.lullcp, and the temporary file
 * is DIR/.DEST.lullcp-part. The temporary file is also the lock: the holder of flock(2)
 * on the inode of that name works on DEST. So the lock needs no file of its own, and the
 * kernel releases it however its holder dies. The keeper shares the lock as long as it
 * has writers to thaw.
 */
#pragma once

#include "engine/base/job.h"

struct lull_state_wish; /* statehome.h */

/* lull_dest_init() makes *dest empty, with no descriptor open. lull_dest_done() closes
   and frees what it holds, and makes it empty again. */
void lull_dest_init(struct lull_dest *dest);
void lull_dest_done(struct lull_dest *dest);

/*
 * As lull_dest_resolve(), but takes path only as a name: it ignores a file that has it.
 */
int lull_dest_resolve_name(struct lull_dest *dest, const char *path,
			   const struct lull_state_wish *wish, enum lull_stage *ret_stage,
			   enum lull_cause *ret_cause) _must_check_;

/*
 * Changes the name of the clone to another one in the same directory, and examines the
 * file that has it. The names of the lock and the checkpoint do not change. Returns 0 or
 * -errno.
 */
int lull_dest_call(struct lull_dest *dest, const char *name) _must_check_;

/*
 * Examines the file with the name of DEST again, once the lock is held: another lullcp
 * may have made or removed it while this one waited. Ignores what the caller has not
 * allowed, which is another type or a second name.
 */
void lull_dest_look_again(struct lull_dest *dest);

/*
 * Determines what path is, opens its directory and makes the names. Creates no file.
 * Returns 0, or -errno with *ret_stage and *ret_cause set.
 */
int lull_dest_resolve(struct lull_dest *dest, const char *path,
		      const struct lull_state_wish *wish, enum lull_stage *ret_stage,
		      enum lull_cause *ret_cause) _must_check_;

/*
 * Opens or creates the temporary file and locks it. Returns 0; -EWOULDBLOCK if another
 * holds the lock, or keeps taking the name away; -EEXIST if the name is taken by
 * something that lullcp did not make; or another -errno.
 */
int lull_dest_lock(struct lull_dest *dest) _must_check_;

/* Returns true if somebody holds the lock now. Creates no file. */
bool lull_dest_is_locked(const struct lull_dest *dest);

/*
 * Opens the file to write: DEST itself if it is written in place, else the temporary
 * file. Returns 0, -EWOULDBLOCK if another lullcp writes to it under another name, or
 * another -errno.
 */
int lull_dest_open(struct lull_dest *dest) _must_check_;

/*
 * Makes the unnamed file for drains, into which blocks of src can be cloned. Does nothing
 * if there is one. Returns 0 or -errno.
 */
int lull_dest_scratch(struct lull_dest *dest, int src) _must_check_;

/*
 * Writes to disk what has been cloned. For fdatasync(2), Btrfs logs each extent that is
 * younger than the last commit of the file system, with its checksums. That took longer
 * than the clone (10 million extents, 6.18). So if there are many, this commits first.
 * Returns 0 or -errno of fdatasync(2).
 */
int lull_dest_sync(struct lull_job *job) _must_check_;

/*
 * Gives the clone the mode, owner and attributes of DEST, and writes it to disk. They are
 * those of a new file, or of the DEST that it replaces, whatever inode it was built in.
 * Returns 0 or -errno.
 */
int lull_dest_finish(struct lull_job *job) _must_check_;

/*
 * Renames the clone to its name, durably unless no_sync. Returns 0; -EEXIST if the name
 * is taken and may not be replaced (a generation, cp -n); -ESTALE if another file has
 * taken its place; or another -errno.
 */
int lull_dest_publish(struct lull_job *job) _must_check_;

/* Only renames, without a sync of the directory. Returns as lull_dest_publish(). */
int lull_dest_rename(struct lull_job *job) _must_check_;

/* Returns -errno if the rename would fail, as far as that can be seen before it, else
   0. */
int lull_dest_may_rename(const struct lull_job *job) _must_check_;

/* Returns true if DEST's name is that of the file which is written. Another program may
   remove or replace a DEST that is written in place. */
bool lull_dest_has_name(const struct lull_dest *dest);

/* Returns true if the temporary file is open and still has its name. */
bool lull_dest_is_there(const struct lull_dest *dest);

/* Removes the temporary file, unless another file has its name. Returns 0 or -errno. */
int lull_dest_remove(struct lull_dest *dest);
