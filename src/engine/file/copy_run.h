/* SPDX-License-Identifier: MIT */
/*
 * What the files of a run of lull_copy() share. The rooms set/ and tree/ are above this
 * one.
 *
 *     tree/operands.c  the sources one by one, and where each goes
 *     tree/entry.c     one entry: what is there already, what it becomes
 *     tree/clash.c     may what is there be replaced
 *     tree/walk.c      a directory and all below it
 *     tree/node.c      links, fifos, devices
 *     set/set.c        regular files that are frozen together
 *     file/file.c      a regular file; data.c its data, preserve.c its attributes
 *     file/naming.c    the name of a new one, once it is on disk: settle.c
 *     file/temporary.c the names that new things have before that
 *     file/lone.c      a single small file
 *     file/queue.c     files side by side, reported in order
 *
 * Entries are accessed by the descriptor of their directory and a name in it, so that a
 * directory that is renamed or replaced in the meantime does not mislead the run. The
 * paths are for messages. A file that was opened is compared with what was examined
 * before.
 */
#pragma once

#include "lullcp.h"
#include "util/idmap.h"
#include "util/macros.h"
#include "util/path.h"

#include <pthread.h>
#include <sys/stat.h>

/* An open directory that entries share. The last to release it closes it. */
struct lull_dirref {
	int fd; /* AT_FDCWD is never closed */
	int refs;
	uint32_t traits; /* lull_dirref_traits() */
};

struct lull_queue;
struct lull_set;

/* How many files are synced one by one. If there are more, the whole file system is
   synced. */
#define LULL_DURABLE_FILES 16

/* What must be on disk at the end of the run: see durable.h. */
struct lull_durable {
	int fd[LULL_DURABLE_FILES];
	uint64_t dev[LULL_DURABLE_FILES];
	unsigned int n;
	bool many; /* fd has one for each file system */
	int err;   /* of a sync that could not be postponed to the end, or 0 */
};

struct lull_copy_run {
	const struct lull_options *options;
	const struct lull_cp *cp;
	const struct lull_observer *observer; /* gets what is reported at once */
	/* gets what the walk reports in order: the observer, or queue.c, which passes it
	   on after the reports of the files before */
	struct lull_observer walk;
	struct lull_totals *totals;
	struct lull_queue *queue;  /* NULL: a set is cloned */
	unsigned int open_levels;  /* directories of the walk that stay open */
	unsigned int single_syncs; /* files that are synced one by one at the end */
	/* the set in which files wait for each other; NULL: there is none */
	struct lull_set *set;
	/* directory to which the names in links and made are relative */
	struct lull_dirref *dest_root;
	/* sources that are operands, to notice one that occurs twice; NULL with only
	   one */
	struct lull_idmap *operands;
	/* what was made for operands; NULL with only one */
	struct lull_idmap *made;
	struct lull_idmap *links; /* source inode -> the name of its copy */
	char run_id[37];
	/* the only operand, which is not a directory */
	bool sole;
	bool dated; /* DEST is only the beginning of the names: options->keep has rules */
	enum lull_outcome worst;
	/* number of lullcp's own files in the sources: leftover.h */
	uint64_t left_out;
	char *first_left_out; /* path of the first */
	bool ended_alike;     /* all failures had the outcome worst */
	/* by a signal, or because going on makes no sense */
	bool stopped;
	pthread_mutex_t refused_lock; /* for the next three, which the jobs share */
	/* pair of st_dev between which no clone is possible, so that it is not tried for
	   each file */
	uint64_t refused_from;
	uint64_t refused_to; /* the second of the pair */
	int refused_err;
	struct lull_durable durable;
};

/* A source and its destination. The strings and directories belong to the caller. */
struct lull_entry {
	struct lull_copy_run *tree;
	struct lull_dirref *src_dir;
	const char *src_name; /* in src_dir */
	const char *src_last; /* the last part of src_name, trailing slashes included */
	const char *src_path; /* for messages */
	struct lull_dirref *dst_dir;
	const char *dst_name; /* in dst_dir */
	/* the last part of dst_name, and what is before it, or "." */
	const char *dst_last;
	const char *dst_head;
	const char *dst_path; /* for messages */
	const char *dst_rel;  /* the same, relative to dest_root */
	bool operand;         /* named by the user */
	/* nothing has the name of dest, except perhaps a dangling link */
	bool fresh;
	bool absent; /* nothing had it at all when it was examined */
	bool follow; /* follow a source that is a link */
	struct stat src;
	struct stat dst;    /* unless fresh; of the link if dst_is_itself */
	bool dst_is_itself; /* dst was found without following it */
	/* name in dst_dir that dest has got, or will get; or NULL */
	char *backup;
	bool backup_due; /* dest gets it when the new file takes its name */
	/* dest counts as fresh, but the old file goes only when the new one takes its
	   name */
	bool removal_due;
	char *backup_path;        /* for messages */
	struct lull_named *named; /* this entry in links, or NULL */
};

/* A directory of the walk, linked to those above it up to an operand. It must not be met
   again below. */
struct lull_level {
	struct lull_level *up;
	struct lull_dirref *src; /* NULL: parked, see walk.c */
	struct lull_dirref *dst;
	uint64_t dev, inode; /* of the source */
	uint64_t dst_dev, dst_inode;
	bool made; /* dst is new */
};

/* What belongs to a whole operand. */
struct lull_operand {
	const char *src_path;
	const char *dst_path;
	bool into_itself; /* dest was met in the source */
	/* called for each entry of a directory: lull_entry_copy() */
	bool (*visit)(struct lull_entry *entry, struct lull_level *level,
		      struct lull_operand *operand);
};

/*
 * lull_dirref_new() returns a reference to the open directory fd, which it takes over, or
 * NULL without memory, with fd still the caller's. lull_dirref_hold() adds a holder.
 * lull_dirref_drop() removes one; the last one closes the directory. Any thread may call
 * them.
 */
struct lull_dirref *lull_dirref_new(int fd);
struct lull_dirref *lull_dirref_hold(struct lull_dirref *ref);
void lull_dirref_drop(struct lull_dirref *ref);

/* Returns lull_traits_at() the directory, which it determines only once. Any thread may
   call it. */
uint32_t lull_dirref_traits(struct lull_dirref *ref);

/* Reports a note, after those of the files that were begun before. From
   LULL_NOTE_FAILURES on, kinds make the run a failure. */
void lull_run_note(struct lull_copy_run *tree, enum lull_note_kind kind, int err,
		   const char *path, const char *path2);

/* Adds the outcome of an entry to that of the run. */
void lull_run_ended(struct lull_copy_run *tree, enum lull_outcome outcome);

/* Returns true if no further entry may begin. */
bool lull_run_should_stop(struct lull_copy_run *tree);
