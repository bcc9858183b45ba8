/* SPDX-License-Identifier: MIT */
/* A file of a run on its way: what is known of it, what came of it. */
#pragma once

#include "engine/file/copy_run.h"

struct lull_file {
	struct lull_entry entry;
	const struct lull_observer *observer; /* the tree's, or a task's own */
	mode_t mode;    /* permissions for a new file, before the umask */
	mode_t omitted; /* those that are left out until the owner is right */

	bool judged; /* small is known: lull_data_is_small() */
	bool small;
	bool lone;       /* a try: see lone.h */
	uint64_t mapped; /* bytes of the extents, if it is lone */

	/* what came of it */
	enum lull_outcome outcome;
	struct lull_result result;
	/* the file that has the name, or is due; st_ino 0: none */
	struct stat made;
	int src_fd; /* of a big file, for lull_big_dress() */
	int old_fd;
	bool kept;      /* all attributes that must be */
	bool unbacked;  /* the older dest could not get its other name */
	int done_fd;    /* open on it, to be synced at the end; -1: no need */
	bool link;      /* no copy: another name of what was copied already */
	bool linked;    /* it is: outcome says how that ended */
	bool unwritten; /* bytes of it may be in the page cache only */

	/* a new file on its way to its name: naming.h, settle.h */
	uint32_t traits; /* lull_traits_at() the new file; 0: not asked */
	bool due;        /* whole, and open at done_fd, but without its name */
	bool replaces;   /* the name belongs to an older file */
	int name_dir;    /* where the name goes; -1: the entry's directory */
	bool settled;    /* on disk, or settle_err says why not */
	int settle_err;
	bool named;          /* lull_naming_early() has given it its name */
	bool reported;       /* result says what failed; else a note has */
	char *text[5];       /* of the entry, if the file owns them */
	const char *offload; /* for --debug: words of cp */
	const char *reflink;
	const char *holes;
};

/*
 * Gives the file strings and directories of its own, for one that is worked on later.
 * False without memory; lull_file_disown() lets go of them then as well.
 */
bool lull_file_own(struct lull_file *file);
void lull_file_disown(struct lull_file *file);

/* Says so, unless it is only a try; returns LULL_FAILED. err: errno or -errno. */
enum lull_outcome lull_file_fail(const struct lull_file *file, enum lull_note_kind kind,
				 int err, const char *path);

/* Fills in what a result has to say of itself before anything is done. */
void lull_file_begin(struct lull_file *file);

/* Forgets a copy that has failed, so that it can be tried again. */
void lull_file_again(struct lull_file *file);
