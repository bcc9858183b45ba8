/* SPDX-License-Identifier: MIT */
/*
 * One run of lull_copy(): what its files share. The rooms set/ and tree/ are above this
 * one.
 *
 *     tree/operands.c  the sources one by one, and where each goes
 *     tree/entry.c     one entry: what is there already, what it becomes
 *     tree/clash.c     may what is there be replaced
 *     tree/walk.c      a directory and all below it
 *     tree/node.c      links, fifos, devices
 *     set/set.c        regular files that are frozen together
 *     file/file.c      a regular file; data.c its data, keep.c its attributes
 *     file/naming.c    the name of a new one, once it is on disk: settle.c
 *     file/temporary.c the names that new things have before that
 *     file/lone.c      a single small file
 *     file/queue.c     files side by side, reported in order
 *
 * Entries are reached by the descriptor of their directory and a name in it, so that
 * nothing that is exchanged meanwhile leads astray; the paths are for people. What was
 * looked at is compared again with what was opened.
 */
#pragma once

#include "lullcp.h"
#include "util/idmap.h"
#include "util/macros.h"
#include "util/path.h"

#include <pthread.h>
#include <sys/stat.h>

/* An open directory that entries share; the last to let go closes it. */
struct lull_dirref {
	int fd; /* AT_FDCWD is never closed */
	int refs;
	uint32_t traits; /* lull_dirref_traits() */
};

struct lull_queue;
struct lull_set;

/* How many files are synced one by one; of more the whole file system is. */
#define LULL_DURABLE_FILES 16

/* What must be on disk at the end: see durable.h. */
struct lull_durable {
	int fd[LULL_DURABLE_FILES];
	uint64_t dev[LULL_DURABLE_FILES];
	unsigned int n;
	bool many; /* fd has one for each file system */
	int err;   /* of a sync that could not wait for the end, or 0 */
};

struct lull_copy_run {
	const struct lull_options *options;
	const struct lull_cp *cp;
	const struct lull_observer *observer; /* hears what is told at once */
	/* hears what the walk says in its turn: the observer, or queue.c, which tells
	   it that after the files before */
	struct lull_observer walk;
	struct lull_totals *totals;
	struct lull_queue *queue;  /* NULL: there is a set */
	unsigned int open_levels;  /* directories of the walk that stay open */
	unsigned int single_syncs; /* files that are synced one by one at the end */
	/* files wait for each other in it; NULL: they do not */
	struct lull_set *set;
	struct lull_dirref *dest_root; /* what names in links and made start from */
	struct lull_idmap *operands;   /* sources, to see one twice; NULL with only one */
	/* what was made for operands; NULL with only one */
	struct lull_idmap *made;
	struct lull_idmap *links; /* source inode -> where it is now */
	char run_id[37];
	/* one operand, no directory: all that lullcp has */
	bool sole;
	bool dated; /* DEST is only the beginning of names: options->keep has rules */
	enum lull_outcome worst;
	/* files of lullcp's own in the sources: leftover.h */
	uint64_t left_out;
	char *first_left_out;         /* path of the first */
	bool ended_alike;             /* all that failed ended with worst */
	bool stopped;                 /* by a signal, or because more makes no sense */
	pthread_mutex_t refused_lock; /* of the next three, which the jobs share */
	/* st_dev pair between which no clone is possible, */
	uint64_t refused_from;
	uint64_t refused_to; /* so that it is not tried for each file */
	int refused_err;
	struct lull_durable durable;
};

/* A source and where it goes. The strings and directories are the caller's. */
struct lull_entry {
	struct lull_copy_run *tree;
	struct lull_dirref *src_dir;
	const char *src_name; /* in src_dir */
	const char *src_last; /* the last part of src_name, trailing slashes included */
	const char *src_path; /* for people */
	struct lull_dirref *dst_dir;
	const char *dst_name; /* in dst_dir */
	/* the same of dst_name; and what is before it, or "." if nothing is */
	const char *dst_last;
	const char *dst_head;
	const char *dst_path; /* for people */
	const char *dst_rel;  /* from dest_root */
	bool operand;         /* named by the user */
	/* nothing has the name of dest, but perhaps a link to nothing */
	bool fresh;
	bool absent; /* nor did that, when it was looked at */
	bool follow; /* a source that is a link */
	struct stat src;
	struct stat dst;    /* unless fresh; of the link if dst_is_itself */
	bool dst_is_itself; /* dst was found without following it */
	/* name in dst_dir that dest has got, or is to get; or NULL */
	char *backup;
	bool backup_due;          /* it gets it when the new one takes its place */
	bool removal_due;         /* dest is fresh, but what it was goes only then */
	char *backup_path;        /* for people */
	struct lull_named *named; /* this entry in links, or NULL */
};

/* One level of the walk up to an operand: what must not be met again below. */
struct lull_level {
	struct lull_level *up;
	struct lull_dirref *src; /* NULL: parked, see walk.c */
	struct lull_dirref *dst;
	uint64_t dev, inode; /* of the source */
	uint64_t dst_dev, dst_inode;
	bool made; /* dst is new */
};

/* What is said of a whole operand. */
struct lull_operand {
	const char *src_path;
	const char *dst_path;
	bool into_itself; /* set when dest was met in the source */
	/* What a directory's entries are given to: lull_entry_copy(). */
	bool (*visit)(struct lull_entry *entry, struct lull_level *level,
		      struct lull_operand *operand);
};

/*
 * A reference to the directory that is open at fd, which it takes over; NULL without
 * memory: then fd is still the caller's. Another holder of it, and one less: the last one
 * closes. Any thread.
 */
struct lull_dirref *lull_dirref_new(int fd);
struct lull_dirref *lull_dirref_hold(struct lull_dirref *ref);
void lull_dirref_drop(struct lull_dirref *ref);

/* lull_traits_at() the directory, and what is made in it: asked for once. Any thread. */
uint32_t lull_dirref_traits(struct lull_dirref *ref);

/* Says it, after what the files that were begun before have to say; kinds from
   LULL_NOTE_FAILURES on make the run a failure. */
void lull_run_note(struct lull_copy_run *tree, enum lull_note_kind kind, int err,
		   const char *path, const char *path2);

/* Notes how one entry ended. */
void lull_run_ended(struct lull_copy_run *tree, enum lull_outcome outcome);

/* True if no further entry may begin. */
bool lull_run_should_stop(struct lull_copy_run *tree);
