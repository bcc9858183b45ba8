/* SPDX-License-Identifier: MIT */
/*
 * A new file is complete before it is named. If the name could reach the disk before the
 * contents (see sys/traits.h), the file has no name until they are there: settle.h syncs
 * many files at a time, and queue.h names them in order.
 */
#pragma once

#include "engine/file/file_state.h"

/*
 * Takes ownership of fd, which is open on the complete, unnamed file, with file->traits
 * set, and of dir, which is the directory of dest if that is not the entry's (-1: it is).
 * replaces: an older file has the name, which this one replaces. Names the file, or
 * leaves it with file->due set. Returns outcome, or LULL_FAILED if the naming failed;
 * then file->made is unset.
 */
enum lull_outcome lull_naming_offer(struct lull_file *file, int fd, int dir,
				    bool replaces, enum lull_outcome outcome);

/*
 * Names a new file that replaces nothing, after lull_settle(). Any thread may call it. If
 * it fails, nothing has happened, and lull_naming_give() tries again and reports.
 */
void lull_naming_early(struct lull_file *file);

/* Names a file that is due, after lull_settle(), unless it has its name already. Returns
   LULL_OK, or LULL_FAILED after a message. */
enum lull_outcome lull_naming_give(struct lull_file *file);

/* Reports that dest's name is taken. As in cp, the message depends on what has it. */
enum lull_outcome lull_naming_taken(struct lull_file *file, int dir, const char *name);
