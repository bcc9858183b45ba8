/* SPDX-License-Identifier: MIT */
/* One regular file, or what is to become one. */
#pragma once

#include "engine/file/file_state.h"

/*
 * Opens both of its ends, which are what was looked at: the source, and for writing what
 * dest is now (-1: nothing). False after a word about it.
 */
bool lull_file_open(struct lull_file *file, int *ret_src, int *ret_old);

/* Copies it; may run on any thread. It may be due then, and wants lull_settle(). */
void lull_file_copy(struct lull_file *file);

/* Names a file that is due, and takes back what was said of it if that fails. */
void lull_file_name(struct lull_file *file);

/* The rest, on the walk's thread: tells the observer, adds up, remembers or undoes. */
bool lull_file_finish(struct lull_file *file);
