/* SPDX-License-Identifier: MIT */
/*
 * A new file is whole before it is named. Where the name could reach the disk before the
 * contents do (see sys/traits.h), the file waits without a name until they are there:
 * settle.h syncs many files at a time, and queue.h names them in order.
 */
#pragma once

#include "engine/file/file_state.h"

/*
 * Takes over fd, open on the unnamed, whole file, whose file->traits is set, and dir, the
 * directory of dest if that is not the entry's own (-1: it is). replaces: the name
 * belongs to an older file, which this one takes the place of. Names the file, or leaves
 * it with file->due set. Returns outcome, or how the naming ended; then file->made is
 * unset.
 */
enum lull_outcome lull_naming_offer(struct lull_file *file, int fd, int dir,
				    bool replaces, enum lull_outcome outcome);

/*
 * After lull_settle(), on any thread: names a new file that takes nobody's place. Where
 * that fails nothing has happened, and lull_naming_give() tries again and tells.
 */
void lull_naming_early(struct lull_file *file);

/* Names a file that is due, after lull_settle(), unless it has its name already. LULL_OK,
   or LULL_FAILED after a word about it. */
enum lull_outcome lull_naming_give(struct lull_file *file);

/* Says that dest's name is taken, as cp does, which depends on what is there. */
enum lull_outcome lull_naming_taken(struct lull_file *file, int dir, const char *name);
