/* SPDX-License-Identifier: MIT */
/* The state of a file while it is copied, and its result. */
#pragma once

#include "engine/file/copy_run.h"

struct lull_file {
	struct lull_entry entry;
	const struct lull_observer *observer; /* the run's, or that of a task */
	mode_t mode;    /* permissions for a new file, before the umask */
	mode_t omitted; /* permissions left out until the owner is right */

	bool judged; /* small is set: lull_data_is_small() */
	bool small;
	bool lone;       /* tried without a lock: see lone.h */
	uint64_t mapped; /* bytes in extents, if lone is set */

	/* the result */
	enum lull_outcome outcome;
	struct lull_result result;
	/* the file that has the name, or is due; st_ino 0: there is none */
	struct stat made;
	int src_fd; /* of a big file, for lull_big_dress() */
	int old_fd;
	bool kept;     /* all attributes that must be preserved are */
	bool unbacked; /* the older dest could not get its backup name */
	/* open on the file, to be synced at the end; -1: nothing to sync */
	int done_fd;
	bool link;      /* do not copy: it becomes a link to what was copied before */
	bool linked;    /* it has become a link, or failed to: outcome says which */
	bool unwritten; /* some data may be only in the page cache */

	/* a new file without its name: naming.h, settle.h */
	uint32_t traits; /* lull_traits_at() the new file; 0: not asked */
	bool due;        /* complete, and open as done_fd, but without its name */
	bool replaces;   /* an older file has the name */
	int name_dir;    /* directory for the name; -1: the entry's */
	bool settled;    /* on disk, or settle_err says why not */
	int settle_err;
	bool named;          /* lull_naming_early() has given it its name */
	bool reported;       /* result has the failure; otherwise a note had it */
	char *text[5];       /* strings of the entry, if the file owns them */
	const char *offload; /* for --debug: cp's words */
	const char *reflink;
	const char *holes;
};

/*
 * lull_file_own() gives the file its own strings and directories, for one that is worked
 * on later. Returns false without memory. lull_file_disown() releases them, also then.
 */
bool lull_file_own(struct lull_file *file);
void lull_file_disown(struct lull_file *file);

/* Reports a failure, unless the file is only tried (lone). Returns LULL_FAILED. err is an
   errno of either sign. */
enum lull_outcome lull_file_fail(const struct lull_file *file, enum lull_note_kind kind,
				 int err, const char *path);

/* Fills in what a result contains before anything is done. */
void lull_file_begin(struct lull_file *file);

/* Resets a copy that has failed, so that it can be tried again. */
void lull_file_again(struct lull_file *file);
