/* SPDX-License-Identifier: MIT */
/*
 * One freeze of a file at a time: the thaw of one would end the other. The lock is
 * flock(2) on the file itself, and so of its inode, whatever its path and whatever DEST
 * is; it is held until it is given back, or nobody has the descriptor open any more, in a
 * keeper either.
 */
#pragma once

#include "util/macros.h"

#include <stdbool.h>

/*
 * Never waits. 0; -EWOULDBLOCK if another lullcp has it. What another program has locked,
 * or cannot be locked, is taken for free.
 */
int lull_source_lock(int fd) _must_check_;

/*
 * True if a keeper has the file open whose lullcp was killed: what it holds is free as
 * soon as it has thawed, or removed a snapshot. False where /proc does not tell.
 */
bool lull_source_lock_is_left(int fd);

/*
 * True if a program that is no lullcp has the file open for writing. fd is open for
 * reading alone. Where there is one it takes 20 ms to be sure that it is not a lullcp
 * that has just closed it.
 */
bool lull_source_is_written(int fd);

/* Lets go of it. Nothing happens if it was not held. */
void lull_source_unlock(int fd);
