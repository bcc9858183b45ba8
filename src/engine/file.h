/* SPDX-License-Identifier: MIT */
/* One regular file, or what is to become one. */
#pragma once

#include "engine/tree.h"

struct lull_file {
	struct lull_entry entry;
	struct lull_voice voice;  /* the tree's, or a task's */
	mode_t mode;              /* permissions for a new file, before the umask */
	mode_t omitted;           /* those that are left out until the owner is right */

	bool judged;              /* small is known: lull_data_is_small() */
	bool small;

	/* what came of it */
	enum lull_outcome outcome;
	struct lull_result result;
	struct stat made;         /* the file that bears the name now; st_ino 0: none */
	int src_fd;               /* of a big file, for lull_big_dress() */
	int old_fd;
	bool kept;                /* all attributes that must be */
	int done_fd;              /* open on it, to be synced at the end; -1: no need */
	bool reported;            /* result says what failed; else a note has */
	const char *offload;      /* for --debug: words of cp */
	const char *reflink;
	const char *holes;
};

/* Copies it; may run on any thread. */
void lull_file_copy(struct lull_file *file);

/* The rest, on the walk's thread: tells the observer, adds up, remembers or undoes. */
bool lull_file_finish(struct lull_file *file);
