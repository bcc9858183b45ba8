/* SPDX-License-Identifier: MIT */
/* A regular file, or what will become one. */
#pragma once

#include "engine/file/file_state.h"

/*
 * Opens the source, and the present dest for writing (-1: there is none). Both must be
 * what was examined. Returns false after a message.
 */
bool lull_file_open(struct lull_file *file, int *ret_src, int *ret_old);

/* Copies the file. May run on any thread. Afterwards the file may be due, and then needs
   lull_settle(). */
void lull_file_copy(struct lull_file *file);

/* Names a file that is due. If that fails, changes its outcome. */
void lull_file_name(struct lull_file *file);

/* Finishes a file on the walk's thread: reports it, adds it to the totals, and remembers
   or undoes it. */
bool lull_file_finish(struct lull_file *file);
