/* SPDX-License-Identifier: MIT */
/*
 * lullcp: clone big files by reflink without stalling the programs that use them.
 *
 * This is the only interface to the engine. The engine never prints, never reads the
 * environment for options and installs no signal handler. It tells an observer what
 * happens, and asks it whether to stop.
 *
 * Units: sizes and offsets in bytes, times in nanoseconds. Ranges are half-open.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* How a call ended. The command line maps each outcome to its exit status. */
enum lull_outcome {
	LULL_OK = 0,
	LULL_FAILED,        /* see struct lull_failure; nothing was published */
	LULL_STOPPED,       /* before the end, resumable: see lull_failure.cause */
	LULL_FREEZE_FAILED, /* the freeze hook failed or timed out; thawed */
	LULL_THAW_FAILED,   /* the thaw hook failed: writers may still be frozen */
	/* the source was written to, although the hook said that it was frozen */
	LULL_WRITTEN,
	LULL_DIFFERENT,   /* lull_verify(), lull_diff(): the files differ */
	LULL_BUSY,        /* another lullcp holds this destination */
	LULL_SKIPPED,     /* the freeze hook ended with status 75 */
	LULL_INTERRUPTED, /* the observer asked to stop; resumable */
};

/* What the engine was doing when something failed. */
enum lull_stage {
	LULL_STAGE_NONE,
	LULL_STAGE_OPEN_SOURCE,
	LULL_STAGE_STAT_SOURCE,
	LULL_STAGE_STAT_DEST,
	LULL_STAGE_OPEN_DIR, /* the destination's directory */
	LULL_STAGE_CREATE,   /* the temporary file, or DEST itself in place */
	LULL_STAGE_LOCK,
	LULL_STAGE_CHECKPOINT, /* read, write or remove it */
	LULL_STAGE_RECORD,     /* the same, for the record of generations */
	LULL_STAGE_ATTRIBUTES, /* NOCOW flag, copy-on-write extent size hint, mode */
	LULL_STAGE_RESIZE,     /* ftruncate of the destination */
	/* the clone of one block that shows whether cloning works here */
	LULL_STAGE_PROBE,
	LULL_STAGE_FLUSH,      /* writing out dirty pages of the source */
	LULL_STAGE_WALK,       /* reading the extent map */
	LULL_STAGE_CLONE,      /* FICLONERANGE; off and len name the range */
	LULL_STAGE_PUNCH,      /* punching a hole into the destination */
	LULL_STAGE_HOOK,       /* running or understanding the hook */
	LULL_STAGE_SYNC,       /* fdatasync of the destination */
	LULL_STAGE_BACKUP,     /* renaming an older dest to its backup name */
	LULL_STAGE_PUBLISH,    /* rename, fsync of the directory */
	LULL_STAGE_SNAPSHOT,   /* taking one, or removing it */
	LULL_STAGE_BASE,       /* the older clone that a refresh consumes */
	LULL_STAGE_RESTORE,    /* a restore was refused before it began */
	LULL_STAGE_READ,       /* reading data to compare it */
	LULL_STAGE_COPY_READ,  /* reading data to copy it */
	LULL_STAGE_COPY_WRITE, /* writing it */
	LULL_STAGE_COPY,       /* copy_file_range(2) */
	LULL_STAGE_REMOVE,     /* discarding a file */
	LULL_STAGE_STREAM_IN,  /* reading a stream of changes */
	LULL_STAGE_STREAM_OUT, /* writing one */
};

/*
 * Why something failed, if the errno alone would not tell a user what to do. With
 * LULL_CAUSE_ERRNO the errno says it all.
 */
enum lull_cause {
	LULL_CAUSE_ERRNO,
	/* a clone call was refused: see lull_clone_classify() in sys/ficlone.h */
	LULL_CAUSE_OTHER_FILE_SYSTEM,
	LULL_CAUSE_NO_REFLINK,
	LULL_CAUSE_NOCOW_MISMATCH,
	LULL_CAUSE_SWAP_FILE,
	LULL_CAUSE_IMMUTABLE,
	/* a filter or a security policy forbids clone calls to this program */
	LULL_CAUSE_FORBIDDEN,
	LULL_CAUSE_ONLY_GROWS,        /* dest's directory is append-only */
	LULL_CAUSE_REALTIME_MISMATCH, /* XFS: one of the two is on the realtime device */
	/* one of the two bypasses the page cache (DAX), the other does not */
	LULL_CAUSE_DAX_MISMATCH,
	/* Btrfs: perhaps only one of the two has checksums */
	LULL_CAUSE_DATASUM_MISMATCH,
	LULL_CAUSE_SUBVOLUME_QUOTA, /* Btrfs: the quota of a subvolume */
	LULL_CAUSE_QUOTA,
	LULL_CAUSE_FULL,
	LULL_CAUSE_FILE_SIZE_LIMIT,
	LULL_CAUSE_READ_ONLY,
	LULL_CAUSE_SIZE_CHANGED,
	/* source and destination */
	LULL_CAUSE_IS_DIRECTORY,
	LULL_CAUSE_NOT_REGULAR,
	LULL_CAUSE_SAME_FILE,
	LULL_CAUSE_DANGLING_LINK,
	/* the absolute path of what was opened leads to another file */
	LULL_CAUSE_PATH_ELSEWHERE,
	/* the absolute path, which the checkpoint records, is longer than PATH_MAX */
	LULL_CAUSE_LONG_PATH,
	/* the file path has the name of the temporary file, and would be lost */
	LULL_CAUSE_TEMPORARY_IS_FILE,
	/* the checkpoint */
	LULL_CAUSE_CHECKPOINT_EXISTS, /* neither resume nor restart was requested */
	LULL_CAUSE_CHECKPOINT_DAMAGED,
	LULL_CAUSE_CHECKPOINT_SCHEMA,  /* written by another version */
	LULL_CAUSE_CHECKPOINT_FOREIGN, /* of another source or destination */
	/* the checkpoint belongs to a set of files, which are cloned together */
	LULL_CAUSE_CHECKPOINT_SET,
	/* somebody else may have planted it: see lull_failure.err */
	LULL_CAUSE_CHECKPOINT_OWNER,
	LULL_CAUSE_CHECKPOINT_DIRECTORY, /* others may write to the directory for it */
	/* others may write to its directory, so its hook is not run */
	LULL_CAUSE_CHECKPOINT_HOOK,
	LULL_CAUSE_CHECKPOINT_IN_THE_WAY, /* a file that is not trusted has its name */
	/* --checkpoint is the file path2, which must not be lost */
	LULL_CAUSE_CHECKPOINT_IS_FILE,
	/* others may write to DEST's directory, and the private directory, path, cannot
	   be used: see err */
	LULL_CAUSE_STATE_DIRECTORY,
	LULL_CAUSE_GENERATIONS_DIRECTORY, /* the same, for the record of generations */
	LULL_CAUSE_NO_CHECKPOINT,
	LULL_CAUSE_TEMPORARY_IN_THE_WAY,
	LULL_CAUSE_TEMPORARY_GONE, /* the file that the checkpoint names does not exist */
	/* the record of generations */
	LULL_CAUSE_RECORD_DAMAGED,
	LULL_CAUSE_RECORD_SCHEMA,
	LULL_CAUSE_RECORD_OWNER, /* as LULL_CAUSE_CHECKPOINT_OWNER */
	LULL_CAUSE_NO_ROW,       /* path has no generations */
	/* the hook and the writers */
	LULL_CAUSE_HOOK_SYNTAX,
	LULL_CAUSE_HOOK_STATUS, /* detail is its exit status */
	LULL_CAUSE_HOOK_SIGNAL, /* detail is the signal that ended it */
	LULL_CAUSE_HOOK_TIMEOUT,
	LULL_CAUSE_HOOK_EMPTY, /* it is a directory without executables */
	/* the hook of an interrupted run is still running; detail is its process ID */
	LULL_CAUSE_HOOK_RUNNING,
	LULL_CAUSE_HOOK_MISSING, /* a set is to be resumed, but no hook is known */
	/* the hook froze the file system on which the clone is made */
	LULL_CAUSE_HOST_FROZEN,
	/* with LULL_BUSY: another lullcp has frozen the source */
	LULL_CAUSE_SOURCE_FROZEN,
	LULL_CAUSE_KEEPER_LOST, /* the keeper process died; lullcp thawed itself */
	/* the source was written to, and no method is left that is safe with writers */
	LULL_CAUSE_WRITERS,
	/* the same, because no snapshot can be taken: detail is an enum lull_no_snapshot,
	   which says what err and path2 are */
	LULL_CAUSE_NO_SNAPSHOT,
	/* the same, because this kernel does not block stores through mmap during a
	   clone */
	LULL_CAUSE_STORES,
	LULL_CAUSE_MAX_FREEZE,
	/* the freeze would exceed max_freeze: detail is its length in ms */
	LULL_CAUSE_FREEZE_TOO_LONG,
	/* several files at one point in time */
	LULL_CAUSE_ONLY_IN_PLACE, /* dest cannot be replaced by a rename */
	/* with LULL_STOPPED: dest was changed while its new contents were being made */
	LULL_CAUSE_DEST_CHANGED,
	LULL_CAUSE_NAME_UNSYNCED, /* dest is published, but its name may not be on disk */
	/* some files are published; --resume publishes the others */
	LULL_CAUSE_PARTLY_PUBLISHED,
	/* refresh and verify */
	LULL_CAUSE_HARD_LINKS, /* a base with several names */
	/* another program has the DEST of a refresh open for writing */
	LULL_CAUSE_OPEN_FOR_WRITING,
	LULL_CAUSE_IN_USE, /* a base that another lullcp works on */
	/* a program has it open, and would lose its contents */
	LULL_CAUSE_OPEN,
	/* the extent maps alone do not show whether the files are equal; off is the first
	   such offset */
	LULL_CAUSE_UNPROVEN,
	/* restore: path is the generation, path2 the target, unless noted otherwise */
	LULL_CAUSE_NO_GENERATION,        /* path names no generation of target */
	LULL_CAUSE_GENERATION_AMBIGUOUS, /* path names several: path2 lists them */
	LULL_CAUSE_GENERATION_OTHER,     /* the file of that name is not the generation */
	LULL_CAUSE_GENERATION_INCOMPLETE,
	/* path is the target, which a program has open; with err EPERM this cannot be
	   determined */
	LULL_CAUSE_TARGET_OPEN,
	/* path still holds what the target was before an earlier restore */
	LULL_CAUSE_UNDO_EXISTS,
	/* the same, but the target differs from it only by zeroes at its end, as after a
	   crash */
	LULL_CAUSE_UNDO_SHORTER,
	/* path holds what was written to the target, path2, during the restore; it could
	   not become the undo file */
	LULL_CAUSE_UNDO_LATE,
	/* path is the target, which is a generation of the row path2, or could be taken
	   for one */
	LULL_CAUSE_TARGET_GENERATION,
	/* path is a file that may hold newer writes of the target, path2 */
	LULL_CAUSE_TARGET_SIDECAR,
	/* a stream of changes: detail is an enum lull_stream_fault, off the approximate
	   offset, path2 what the stream says about its base */
	LULL_CAUSE_STREAM,
};

/*
 * What failed. path is the file that it failed on; path2 is the other file of a clone, or
 * NULL. Both belong to the result and live until lull_result_done().
 */
struct lull_failure {
	enum lull_stage stage;
	enum lull_cause cause;
	/* Positive errno, 0 if none. Of a state file that may have been planted: EPERM
	   (wrong owner or permissions), ELOOP (reached by a link), EMLINK (several
	   names), ESTALE (written elsewhere), EUSERS (others may write to its
	   directory). */
	int err;
	int detail;
	uint64_t off;
	uint64_t len;
	char *path;
	char *path2;
	/* For a failed thaw: whether something had failed before it, and what. */
	bool had_failed;
	enum lull_cause had_cause;
	int had_err;
	int had_detail;
};

/* What is wrong with a stream of lull_export(), or with the file to which it is
   applied. */
enum lull_stream_fault {
	LULL_STREAM_WHOLE,     /* nothing */
	LULL_STREAM_FOREIGN,   /* it is not a stream */
	LULL_STREAM_VERSION,   /* another version of RBD's incremental diff */
	LULL_STREAM_FIRST,     /* version 1, which was not requested */
	LULL_STREAM_CUT,       /* it ends early */
	LULL_STREAM_DAMAGED,   /* a record that makes no sense */
	LULL_STREAM_CHECKSUM,  /* its checksum does not match its bytes */
	LULL_STREAM_UNCHECKED, /* it has none */
	LULL_STREAM_LONGER,    /* something follows its end */
	LULL_STREAM_NEEDS_BASE,
	LULL_STREAM_IS_FULL,    /* it is a full one, and takes no base */
	LULL_STREAM_OTHER_NAME, /* the base is another generation */
	LULL_STREAM_OTHER_SIZE, /* the base has another size */
	LULL_STREAM_OTHER_DATA, /* the base holds other data */
};

/* Why no snapshot of the source's subvolume can be taken. */
enum lull_no_snapshot {
	LULL_NO_SNAPSHOT_NONE,        /* one can be taken */
	LULL_NO_SNAPSHOT_FILE_SYSTEM, /* path, where it is mounted, is not Btrfs */
	LULL_NO_SNAPSHOT_IN_PLACE,    /* DEST is written in place */
	/* a mount hides the source from the subvolume's root: path is that mount */
	LULL_NO_SNAPSHOT_PATH,
	LULL_NO_SNAPSHOT_OWNER, /* the subvolume path belongs to somebody else */
	LULL_NO_SNAPSHOT_SWAP,  /* a swap file in the subvolume path is active */
	/* the mount path does not allow deleting it again */
	LULL_NO_SNAPSHOT_DELETE,
	/* the directory path for snapshots could not be made: err */
	LULL_NO_SNAPSHOT_DIRECTORY,
	LULL_NO_SNAPSHOT_BUSY,  /* every attempt collided with something else */
	LULL_NO_SNAPSHOT_ERRNO, /* taking one of the subvolume path failed: err */
};

/* What prevents a snapshot. The path belongs to the owner of the struct; it may be
   NULL. */
struct lull_obstacle {
	enum lull_no_snapshot why;
	int err; /* positive errno, 0 if none */
	char *path;
};

enum lull_method {
	LULL_METHOD_NONE,
	LULL_METHOD_SINGLE,   /* one call over the whole file */
	LULL_METHOD_QUIET,    /* a pass in which nobody wrote */
	LULL_METHOD_FROZEN,   /* a pass between freeze and thaw */
	LULL_METHOD_SNAPSHOT, /* a pass over a snapshot of the source's subvolume */
	LULL_METHOD_ATOMIC,   /* passes, then one call over the whole file */
	LULL_METHOD_TRUST,    /* a pass while writers run, whatever they wrote */
	LULL_METHOD_COPY,     /* the bytes were copied */
	LULL_METHODS,
};

/* Name of a method as in the JSON output; never NULL. */
const char *lull_method_name(enum lull_method method);

/* Percentiles of the measured durations of clone calls. */
struct lull_hold {
	uint64_t p50;
	uint64_t p99;
	uint64_t p999;
	uint64_t max;
};

/* One bar of the histogram of call times: calls that took [from_ns, to_ns). */
struct lull_bar {
	uint64_t from_ns;
	uint64_t to_ns;
	uint64_t calls;
};

struct lull_hist; /* plan/hist.h */

/*
 * Bars of the histogram, from the shortest call to the longest, one for each power
 * of two. Returns how many were written to ret_bars (at most max).
 */
unsigned int lull_hist_bars(const struct lull_hist *hist, struct lull_bar *ret_bars,
			    unsigned int max);

/* The progress of a clone; passed to the observer after each call. */
struct lull_progress {
	const char *source;
	const char *dest;
	enum lull_method method;
	uint64_t size;   /* of the source */
	uint64_t offset; /* this pass has done everything before it */
	/* lull_apply(): bytes in addition to size, because it walks first the base, then
	   DEST */
	uint64_t walked;
	uint64_t to_walk;
	uint64_t resumed_at; /* offset at which this run began */
	uint64_t extents;    /* of the source, walked so far */
	uint64_t extents_cloned;
	uint64_t bytes_cloned;
	uint64_t bytes_copied; /* by read and write, or by copy_file_range(2) */
	/* lull_apply(): data from the stream; lull_export(): the whole stream */
	uint64_t bytes_written;
	uint64_t bytes_zeroed; /* the same, of ranges that became zeroes */
	uint64_t calls;        /* FICLONERANGE calls that clone into DEST */
	uint64_t over_budget_calls;
	unsigned int passes;
	uint64_t budget_ns;
	struct lull_hold hold; /* valid only if hist is NULL; see lull_progress_hold() */
	const struct lull_hist *hist;
	/* bytes of an abandoned clone that are still to be freed */
	uint64_t discarding;
	uint64_t elapsed_ns;
	uint64_t frozen_ns; /* since before the freeze hook's start; 0: not frozen */
	uint64_t freeze_ns; /* the whole freeze, once thawed */
};

/* Returns the percentiles of the calls so far. Walks over the histogram. */
struct lull_hold lull_progress_hold(const struct lull_progress *progress);

/* What a user should know although the run continues. */
enum lull_warning {
	/* the source has changed since: this pass starts again */
	LULL_WARNING_RESUME_REDO,
	/* the temporary file is gone: the clone starts again */
	LULL_WARNING_FILL_LOST,
	LULL_WARNING_SOURCE_REPLACED, /* by another file: the clone starts again */
	/* the temporary file has changed: the clone starts again */
	LULL_WARNING_FILL_CHANGED,
	/* the bytes copied so far may have changed since: the copy starts again */
	LULL_WARNING_COPY_REDO,
	LULL_WARNING_OWNER_LOST,  /* the new file cannot get the owner of the old one */
	LULL_WARNING_LEFT_FROZEN, /* --keep-frozen: the writers stay redirected */
	/* a file or link may hold writes that SOURCE, or the DEST that is replaced,
	   lacks */
	LULL_WARNING_SIDECAR,
	LULL_WARNING_SIDECAR_OLD,
	/* more than one older generation of the row is gone for good: err is how many,
	   path the row */
	LULL_WARNING_GENERATIONS_REMOVED,
	/* the writers were left frozen, but the source was written to: that freeze has
	   ended, and a new one begins */
	LULL_WARNING_KEPT_WRITTEN,
	/* the writers are thawed, but the checkpoint says otherwise */
	LULL_WARNING_THAW_UNRECORDED,
	/* DEST was written in place and is incomplete; err says why it could not be
	   changed in one step, or is 0 */
	LULL_WARNING_IN_PLACE,
	LULL_WARNING_HARD_LINKS, /* DEST has several names: written in place */
	LULL_WARNING_RETHAW,     /* a killed run may have left writers frozen */
	LULL_WARNING_CLEANUP,    /* something could not be removed: path, err */
	/* the source was written to during the pass, and the clone is published anyway */
	LULL_WARNING_TRUSTED,
	/* the file to refresh shares nothing with the source */
	LULL_WARNING_NOT_A_CLONE,
	/* DEST, half refreshed, has the name of its temporary file */
	LULL_WARNING_AWAY,
	/* there was nothing to refresh, so a full clone was made */
	LULL_WARNING_NO_BASE,
	/* the base could not be used up, so a full clone was made; see err */
	LULL_WARNING_BASE_SPARED,
	LULL_WARNING_GENERATION_GONE, /* it is no longer in the row */
	/* another file has its name, so it is no longer in the row */
	LULL_WARNING_GENERATION_OTHER,
	/* it could not be used up, so a full clone was made; see err */
	LULL_WARNING_GENERATION_SPARED,
	/* it could not be removed, and stays in the row; see err */
	LULL_WARNING_GENERATION_KEPT,
	/* the record of generations could not be updated; see err */
	LULL_WARNING_RECORD,
	LULL_WARNING_TORN, /* written to while its bytes were copied */
	/* the state beside DEST is ignored, because others may have put it there */
	LULL_WARNING_STATE_PASSED_OVER,
	/* there is no private directory for a checkpoint, so the clone cannot be
	   resumed */
	LULL_WARNING_UNRECORDED,
	/* XFS, and the kernel lacks the fix of CVE-2026-64600 */
	LULL_WARNING_WRITER_RACE,
	/* the source was written to, and this kernel does not block stores through mmap
	   during the requested method */
	LULL_WARNING_STORES,
	LULL_WARNING_OPEN, /* a program has the old DEST open, and continues to use it */
	/* a file is only partly discarded: path is what is left of it */
	LULL_WARNING_DISCARD_REST,
};

/* What lull_copy() reports about an entry. */
enum lull_note_kind {
	/* done: only if options->cp.verbose */
	LULL_NOTE_COPIED,   /* path -> path2; path3: the backup, or NULL */
	LULL_NOTE_REMOVED,  /* path */
	LULL_NOTE_USED_UP,  /* path, an older clone, became path2 */
	LULL_NOTE_RESTORED, /* the backup path is path2 again */
	LULL_NOTE_PARENT,   /* path -> path2, made for --parents */
	/* begins: path2 will become the generation path, by an exchange or a rename */
	LULL_NOTE_ROLL_EXCHANGE,
	LULL_NOTE_ROLL_RENAME,
	/* begins: path and its clone will exchange their contents, which takes about
	   count ns */
	LULL_NOTE_EXCHANGE,
	LULL_NOTE_SKIPPED, /* path; only if options->cp.debug */
	LULL_NOTE_HOW,     /* offload, reflink, holes; only if options->cp.debug */
	/* begins: writers will wait for about count ns, because of method: one call over
	   the whole file (LULL_METHOD_ATOMIC), or a freeze (LULL_METHOD_FROZEN) */
	LULL_NOTE_WAIT,
	LULL_NOTE_WARNING, /* see the member warning; about path, which may be NULL */
	/* warnings: no failure */
	LULL_NOTE_TWICE_FILE,
	LULL_NOTE_TWICE_DIRECTORY,
	/* count files of lullcp itself were skipped; path is the first of them */
	LULL_NOTE_LEFT_OUT,
	LULL_NOTE_ROLL_IN_PLACE, /* as LULL_NOTE_ROLL_EXCHANGE, but in steps */
	/* failures; err is a positive errno or 0 */
	LULL_NOTE_FAILURES,
	LULL_NOTE_STAT = LULL_NOTE_FAILURES,
	LULL_NOTE_ACCESS, /* opening or reading a directory */
	LULL_NOTE_OMITTED_DIRECTORY,
	LULL_NOTE_SAME_FILE, /* path, path2 */
	LULL_NOTE_NOT_REPLACING,
	LULL_NOTE_DIRECTORY_OVER,   /* non-directory path by directory path2 */
	LULL_NOTE_OVER_DIRECTORY,   /* directory path by non-directory */
	LULL_NOTE_JUST_CREATED,     /* path by path2 */
	LULL_NOTE_THROUGH_CREATED,  /* path through the link path2 */
	LULL_NOTE_BACKUP_IS_SOURCE, /* backing up path would destroy path2 */
	LULL_NOTE_BACKUP,
	LULL_NOTE_UNBACKUP,
	LULL_NOTE_REMOVE,
	LULL_NOTE_INTO_ITSELF,    /* path, into path2 */
	LULL_NOTE_DIRECTORY_LINK, /* no hard link path to the directory path2 */
	LULL_NOTE_CYCLE,
	LULL_NOTE_MAKE_DIRECTORY,
	LULL_NOTE_NOT_DIRECTORY,     /* --parents: exists but is no directory */
	LULL_NOTE_PARENT_ATTRIBUTES, /* --parents: cannot be read */
	LULL_NOTE_PARENT_MAKE,       /* --parents: cannot be made */
	LULL_NOTE_RELATIVE_LINK,     /* -s into another directory */
	LULL_NOTE_SYMLINK,           /* path to path2 */
	LULL_NOTE_SYMLINK_ITSELF,    /* path */
	LULL_NOTE_HARD_LINK,         /* path to path2 */
	LULL_NOTE_READ_LINK,
	LULL_NOTE_FIFO,
	LULL_NOTE_SPECIAL,
	LULL_NOTE_UNKNOWN_TYPE,
	LULL_NOTE_OPEN,
	LULL_NOTE_REPLACED, /* while it was being opened */
	LULL_NOTE_DANGLING,
	LULL_NOTE_CREATE,
	LULL_NOTE_TIMES,
	LULL_NOTE_OWNER,
	LULL_NOTE_CLEAR_MODE,
	LULL_NOTE_MODE,
	LULL_NOTE_SET_MODE, /* of a directory, while it is being filled */
	LULL_NOTE_ACL,      /* path: reading it */
	LULL_NOTE_XATTR_LIST,
	LULL_NOTE_XATTR_GET, /* path2: the attribute */
	LULL_NOTE_XATTR_SET,
	LULL_NOTE_XATTRS_SET,    /* all of them: the file system does not support them */
	LULL_NOTE_CANNOT_FREEZE, /* path is not a regular file, and there is a hook */
	/* and an option requires a lock and a checkpoint */
	LULL_NOTE_SOURCE_NOT_REGULAR,
	LULL_NOTE_DEST_NOT_REGULAR, /* the same; path is dest */
	LULL_NOTE_DEST_MOUNTED,
	/* DEST is written in place, and another program has it open for writing */
	LULL_NOTE_DEST_WRITTEN,
	LULL_NOTE_DEST_DANGLING,
	/* path would be a hard link to path2, not a clone */
	LULL_NOTE_LINK_IN_SET,
	LULL_NOTE_SET_FULL, /* path is one file too many for one freeze */
	LULL_NOTE_SYNC,
	LULL_NOTE_MEMORY,
};

/* The strings are valid only during the callback. */
struct lull_note {
	enum lull_note_kind kind;
	int err;
	const char *path;
	const char *path2;
	const char *path3;
	uint64_t count;
	enum lull_warning warning;
	enum lull_method method;
};

/* Whether dest may be replaced. */
struct lull_question {
	const char *dest;
	unsigned int mode; /* its permissions */
	bool unwritable;   /* the caller may not write to it */
	bool replaces;     /* it will be replaced, not overwritten */
};

/* A step of lull_check_hook(). */
enum lull_check {
	LULL_CHECK_FREEZE,
	LULL_CHECK_STILL, /* after a freeze, the sources do not change */
	LULL_CHECK_FREEZE_AGAIN,
	LULL_CHECK_STILL_AGAIN,
	LULL_CHECK_THAW,
	LULL_CHECK_THAW_AGAIN,
	LULL_CHECK_THAW_ALONE, /* of a run that has frozen nothing */
	LULL_CHECK_THAW_LAST,  /* because no thaw before has succeeded */
};

/* The strings are valid only during the callback. */
struct lull_step {
	enum lull_check what;
	bool kept;   /* no fault was found */
	bool failed; /* cause says why */
	/* LULL_CAUSE_HOOK_STATUS, _SIGNAL, _TIMEOUT; for LULL_CHECK_STILL and
	   _STILL_AGAIN LULL_CAUSE_WRITERS, _HOST_FROZEN; or LULL_CAUSE_ERRNO */
	enum lull_cause cause;
	int err;          /* positive errno */
	int detail;       /* status or signal */
	const char *path; /* the source that was written to, or NULL */
	uint64_t elapsed_ns;
	uint64_t written;   /* bytes to standard output and error */
	const char *output; /* the beginning of them */
	bool output_held;   /* a process that is still running has it open */
	unsigned int left;  /* processes left in the hook's process group */
	int left_pid;       /* one of them, and its name */
	const char *left_name;
};

/* A range in which one file may differ from another. */
struct lull_change {
	uint64_t off;
	uint64_t len;
	bool zero; /* all of it reads as zeroes in the newer file */
};

struct lull_result;

/* What the kernel is doing for a file. Such a call cannot be interrupted. */
enum lull_call {
	LULL_CALL_NONE,     /* nothing: a call has returned */
	LULL_CALL_CLONE,    /* FICLONERANGE, FICLONE */
	LULL_CALL_PUNCH,    /* fallocate(2) */
	LULL_CALL_FLUSH,    /* fsync(2), fdatasync(2), syncfs(2) */
	LULL_CALL_SNAPSHOT, /* BTRFS_IOC_SNAP_CREATE_V2 */
	LULL_CALL_EXCHANGE, /* XFS_IOC_EXCHANGE_RANGE, XFS_IOC_COMMIT_RANGE */
};

/*
 * The engine reports only through these callbacks. All of them run on the caller's
 * thread. None may be NULL.
 */
struct lull_observer {
	void *ctx;
	/* Called after each clone call, and while waiting. Must be quick. */
	void (*progress)(void *ctx, const struct lull_progress *progress);
	/* A report, for example about an entry of lull_copy(), or a warning. */
	void (*note)(void *ctx, const struct lull_note *note);
	/* Return true to stop after the current call. */
	bool (*should_stop)(void *ctx);
	/* A call begins, or has returned. Notes about anything that happens in between
	   come after its return. Must be quick. */
	void (*call)(void *ctx, enum lull_call call);
	/* The next two are only for lull_copy(). Return true to replace dest. */
	bool (*ask)(void *ctx, const struct lull_question *question);
	/* A regular file has been cloned or copied, or could not be. */
	void (*file)(void *ctx, enum lull_outcome outcome,
		     const struct lull_result *result);
	/* Only for lull_check_hook(): a step is over. */
	void (*step)(void *ctx, const struct lull_step *step);
	/* Only for lull_diff(): the next range, in ascending order. */
	void (*change)(void *ctx, const struct lull_change *change);
};

/* What to do about writers that never pause, without a hook. */
enum lull_on_writers {
	LULL_ON_WRITERS_AUTO, /* a snapshot on Btrfs, one call over all on XFS */
	LULL_ON_WRITERS_SNAPSHOT,
	LULL_ON_WRITERS_ATOMIC,
	LULL_ON_WRITERS_FAIL,
	LULL_ON_WRITERS_TRUST, /* publish the result of one pass */
};

/* What lull_verify() compares. */
enum lull_verify_by {
	LULL_VERIFY_AUTO, /* the extent maps, and the data where they prove nothing */
	LULL_VERIFY_MAPS, /* only the maps: never reads */
	LULL_VERIFY_DATA, /* only the data: reads everything */
};

/* What lull_diff() compares. */
enum lull_diff_by {
	LULL_DIFF_MAPS,  /* the extent maps: never reads */
	LULL_DIFF_EXACT, /* the maps, and the data that they do not prove equal */
};

/* Whether the data is shared or copied. */
enum lull_reflink {
	LULL_REFLINK_ALWAYS, /* shared, or the file fails */
	LULL_REFLINK_AUTO,   /* shared if possible, else copied */
	LULL_REFLINK_NEVER,  /* copied */
};

/* How zeroes are handled when data is copied. */
enum lull_sparse {
	LULL_SPARSE_AUTO,   /* holes stay holes */
	LULL_SPARSE_ALWAYS, /* runs of zeroes become holes */
	LULL_SPARSE_NEVER,  /* holes become zeroes */
};

/* Which symbolic links are followed in sources. */
enum lull_follow {
	/* cli replaces it by one of the others; lull_copy() does not accept it */
	LULL_FOLLOW_DEFAULT,
	LULL_FOLLOW_NEVER,
	LULL_FOLLOW_OPERANDS,
	LULL_FOLLOW_ALWAYS,
};

/* Which existing destinations are replaced. */
enum lull_update {
	LULL_UPDATE_ALL,
	LULL_UPDATE_NONE,      /* none, silently */
	LULL_UPDATE_NONE_FAIL, /* none, and that is a failure */
	LULL_UPDATE_OLDER,
};

enum lull_overwrite {
	LULL_OVERWRITE_YES,
	LULL_OVERWRITE_ASK, /* lull_observer.ask */
	LULL_OVERWRITE_NO,
};

enum lull_backup {
	LULL_BACKUP_NONE,
	LULL_BACKUP_SIMPLE,   /* NAME and the suffix */
	LULL_BACKUP_EXISTING, /* numbered if there are numbered ones, else simple */
	LULL_BACKUP_NUMBERED, /* NAME.~N~ */
};

/* The options of cp. Zero is the default of lullcp, which is that of cp except for
   reflink. */
struct lull_cp {
	enum lull_reflink reflink; /* --reflink */
	/* --sparse; must be auto unless reflink is not always */
	enum lull_sparse sparse;
	enum lull_follow follow;       /* -P, -H, -L, -d, -a */
	enum lull_update update;       /* -u, --update */
	enum lull_overwrite overwrite; /* -i, -n */
	enum lull_backup backup;       /* -b, --backup */
	const char *suffix;            /* -S, of simple backups; not empty */
	bool recursive;                /* -r */
	/* read fifos and devices: without -r, --copy-contents */
	bool special_as_regular;
	bool attributes_only;    /* --attributes-only */
	bool force;              /* -f */
	bool hard_link;          /* -l */
	bool symbolic_link;      /* -s */
	bool parents;            /* --parents */
	bool remove_destination; /* --remove-destination, -f with -l or -s */
	bool strip_slashes;      /* --strip-trailing-slashes */
	bool one_file_system;    /* -x */
	bool through_dangling;   /* POSIXLY_CORRECT: write through dangling links */
	bool verbose;            /* -v, --debug: report what is done */
	bool debug;              /* --debug: also report how it was done */
	bool keep_mode;          /* --preserve=mode, ACLs with it */
	bool keep_owner;
	bool keep_times;
	bool keep_links;
	bool keep_xattrs;
	bool must_keep; /* it is a failure if something cannot be preserved: -p, -a */
	bool must_keep_xattrs; /* --preserve=xattr */
	/* -a: do not report them, unless must_keep_xattrs */
	bool quiet_xattrs;
	bool default_mode; /* --no-preserve=mode */
};

/* Why a generation is kept: it is one of the newest, or the latest of its hour, day,
   week, month or year. */
enum lull_keep_kind {
	LULL_KEEP_LAST, /* one of the newest */
	LULL_KEEP_HOURLY,
	LULL_KEEP_DAILY,
	LULL_KEEP_WEEKLY,
	LULL_KEEP_MONTHLY,
	LULL_KEEP_YEARLY,
	LULL_KEEP_KINDS,
};

/* How many of each kind stay, at most LULL_KEEP_MOST in all. */
struct lull_keep_rules {
	unsigned int n[LULL_KEEP_KINDS];
};

#define LULL_KEEP_MOST 1000u

/* "last", "hourly", ... */
const char *lull_keep_name(enum lull_keep_kind kind);

/* False if no rule keeps anything: there is no row. */
bool lull_keep_any(const struct lull_keep_rules *rules);

/* All options of a clone. Zero means off. */
struct lull_options {
	struct lull_cp cp;
	unsigned int jobs;          /* --jobs, files at a time; 0 is 1 */
	uint64_t latency_budget_ns; /* --latency-budget, at least 1 */
	unsigned int duty_cycle;    /* --duty-cycle, 1..100 */
	const char *hook;           /* --hook, or NULL */
	uint64_t hook_timeout_ns;   /* --hook-timeout, at least 1 */
	uint64_t max_freeze_ns;     /* --max-freeze, 0: none */
	bool keep_frozen;           /* --keep-frozen */
	const char *checkpoint;     /* --checkpoint, or NULL: beside DEST */
	/* a directory that is private to the caller, for the state of a DEST whose
	   directory others may write to; NULL: none */
	const char *state_directory;
	uint64_t checkpoint_interval_ns; /* --checkpoint-interval */
	bool resume;                     /* --resume */
	bool restart;                    /* --restart */
	uint64_t lock_wait_ns;           /* --lock-wait */
	bool live;                       /* --live */
	unsigned int passes;             /* --passes, at least 1 */
	enum lull_on_writers on_writers; /* --on-writers */
	/* --refresh: DEST is an older clone to bring up to date */
	bool refresh;
	/* --base: refresh this file instead of DEST, or NULL. With --export and --apply:
	   the file that the changes are relative to */
	const char *base;
	enum lull_verify_by verify_by; /* --verify */
	enum lull_diff_by diff_by;     /* --diff */
	uint64_t rate;                 /* --rate, bytes per second; 0: no limit */
	/* --format=1: lull_export() writes that version of the format, which has no
	   checksum; lull_apply() accepts it as well */
	bool first_format;
	/* --keep: make DEST with a date, and keep these; empty: make just DEST */
	struct lull_keep_rules keep;
	/* with keep: the date, ns since the epoch; 0: that of the run */
	uint64_t generation_time;
	bool in_place; /* --inplace */
	bool no_undo;  /* --no-undo: lull_restore() keeps nothing of target */
	/* write in place even if a program has DEST open for writing */
	bool over_writers;
	bool no_sync; /* --no-sync */
	mode_t umask; /* the caller's, for the mode of a new DEST */
};

struct lull_result {
	struct lull_failure failure; /* meaningful unless the outcome is LULL_OK */
	struct lull_progress progress;
	char run_id[37]; /* a UUID */
	char *dest;      /* the file that was written, links resolved */
	/* with options->keep: DEST with the date, which is then progress.dest */
	char *generation;
	unsigned int generations; /* in the row now, including that one */
	bool published;           /* DEST is the new file */
	bool kept;                /* an interrupted clone is kept for --resume */
	/* the failure is reported with another file of the set, or has been reported by a
	   note */
	bool elsewhere;
	struct lull_hist *hist; /* NULL: the file was done without measuring */
	/* errno of the refused clone because of which the bytes were copied; else 0 */
	int not_cloned;
	enum lull_cause not_cloned_cause;
};

/* The totals of a run of lull_copy(). */
struct lull_totals {
	char run_id[37]; /* a UUID */
	uint64_t files;  /* regular files that are done */
	uint64_t bytes_cloned;
	uint64_t bytes_copied;
	uint64_t files_not_cloned; /* copied because a clone was refused */
	uint64_t bytes_not_cloned;
	enum lull_cause cause; /* of the first such file, and its errno */
	int err;
	char not_cloned[512]; /* its name, shortened */
};

/*
 * cp: copies the sources to dest, or each into the directory target with its own name
 * (dest is then NULL, and target_fd is open on the directory).
 *
 * A regular file that one call can clone within the budget is cloned by that call,
 * without a lock and a checkpoint. If it is larger, or an option requires it, it is
 * cloned in bounded calls, with a lock and a checkpoint, and published only as a complete
 * point-in-time copy. On any other outcome an older dest stays as it was, unless the
 * options request writing in place. With options->jobs above 1, threads work on the
 * files, and the observer is called in the order of one job.
 *
 * Several sources with options->hook are one set: one freeze for all, one checkpoint,
 * and all are published or none. The checkpoint lies beside the first dest, or where
 * options->checkpoint says. The sources must be at most 64 regular files. Each is a clone
 * by itself if options
 *  - choose among them (update, overwrite),
 *  - remove older files (backup, force, remove_destination, refresh, in_place),
 *  - make something else (hard_link, symbolic_link, attributes_only), or
 *  - request no_sync.
 * options->resume continues such a set without a hook if its writers are still frozen, or
 * if only names are missing. All files of a set end with the same outcome.
 *
 * LULL_OK: all is done. LULL_THAW_FAILED if a thaw failed. Else, if all failures have the
 * same outcome, that one; otherwise LULL_FAILED. The observer was told why.
 */
enum lull_outcome lull_copy(const struct lull_options *options,
			    const char *const *sources, unsigned int n_sources,
			    const char *dest, const char *target, int target_fd,
			    const struct lull_observer *observer,
			    struct lull_totals *ret_totals);

/*
 * Gives target the contents of generation. generation names one of the row that --keep
 * made of target ("latest", a full name, or a date with which exactly one begins), or
 * else is a path. The old contents of target are kept in a file with ".before-restore"
 * after its name, unless options->no_undo.
 *
 * With XFS's exchange of contents, target keeps inode, names and owner, and changes in
 * one step. Else a new file takes its name; but if target has several names or is not the
 * caller's, it is written in place where it differs. options->refresh and in_place are
 * ignored. options->cp.force allows a target that is open.
 *
 * The outcome and the calls of the observer are those of lull_copy() with two files:
 * target and its undo, generation and target. A refusal is reported as a file that
 * failed.
 */
enum lull_outcome lull_restore(const struct lull_options *options, const char *generation,
			       const char *target, const struct lull_observer *observer,
			       struct lull_totals *ret_totals);

/* What lull_verify() found. */
struct lull_comparison {
	struct lull_failure failure;
	uint64_t size; /* of the source */
	uint64_t dest_size;
	uint64_t extents;          /* of the source */
	uint64_t proven_bytes;     /* equal by the extent maps */
	uint64_t read_bytes;       /* read and compared, of each file */
	uint64_t first_difference; /* offset, if any */
	uint64_t different_bytes;
	uint64_t different_ranges; /* of bytes that differ, less than a block apart */
	uint64_t unproven_bytes;   /* LULL_VERIFY_MAPS: not known whether equal */
	uint64_t elapsed_ns;
};

/*
 * Compares two regular files. Plain extents that lie in the same place of one XFS or
 * Btrfs are equal without a read. Holes and preallocated ranges are zeroes. Everything
 * else is read in pieces.
 *
 * LULL_OK: identical. LULL_DIFFERENT: see the counts; a file that is shorter differs in
 * all bytes that it lacks. LULL_FAILED: cannot tell, for instance because one of the
 * files was written to during the comparison. LULL_INTERRUPTED.
 */
enum lull_outcome lull_verify(const struct lull_options *options, const char *source,
			      const char *dest, const struct lull_observer *observer,
			      struct lull_comparison *ret_comparison);

/* Frees what it owns and leaves it empty. An empty one is fine. */
void lull_comparison_done(struct lull_comparison *comparison);

/* What lull_diff() found. */
struct lull_difference {
	struct lull_failure failure;
	uint64_t old_size;
	uint64_t new_size;
	uint64_t extents; /* of the newer file, those that were examined */
	uint64_t ranges;
	uint64_t data_bytes; /* in ranges that are not zero */
	uint64_t zero_bytes;
	uint64_t read_bytes; /* read and compared, of each file */
	uint64_t elapsed_ns;
};

/*
 * Reports to the observer the ranges in which a newer file may differ from an older one.
 * Outside of them the older file, cut or extended by a hole to the size of the newer one,
 * equals the newer one. Ranges ascend, do not touch those of the same kind, and begin and
 * end with a block or at the end of a file. With the maps alone, everything counts as
 * different that they do not prove equal by the rules of lull_verify(). Between two file
 * systems they prove only holes.
 *
 * LULL_OK: the files are equal. LULL_DIFFERENT: there were ranges, or the sizes differ.
 * LULL_FAILED: cannot tell, for instance because one of the files was written to during
 * the comparison; the reported ranges are then meaningless. LULL_INTERRUPTED: the same.
 */
enum lull_outcome lull_diff(const struct lull_options *options, const char *old_file,
			    const char *new_file, const struct lull_observer *observer,
			    struct lull_difference *ret_difference);

/* Frees what it owns and leaves it empty. An empty one is fine. */
void lull_difference_done(struct lull_difference *difference);

/* What lull_export() wrote. */
struct lull_exported {
	struct lull_failure failure;
	uint64_t size; /* of the file */
	uint64_t ranges;
	uint64_t data_bytes;
	uint64_t zero_bytes;
	uint64_t stream_bytes;
	uint64_t elapsed_ns;
};

/*
 * Writes what changed in file since options->base as a stream to the descriptor out, by
 * the rules of lull_diff() with LULL_DIFF_MAPS. Without a base it writes all data of
 * file. On any outcome but LULL_OK the stream has no end, and lull_apply() refuses it.
 * The caller must ignore SIGPIPE.
 */
enum lull_outcome lull_export(const struct lull_options *options, const char *file,
			      int out, const struct lull_observer *observer,
			      struct lull_exported *ret_exported);

/* Frees what it owns and leaves it empty. An empty one is fine. */
void lull_exported_done(struct lull_exported *exported);

/*
 * Reads a stream of lull_export() from the descriptor in, and makes the file dest: a
 * clone of options->base, or with options->cp.reflink a copy, with the changes of the
 * stream. Without a base all of dest comes from the stream. dest is published when the
 * stream is proven complete and everything is on disk. On any other outcome an older dest
 * stays as it was and nothing is left behind. *ret_result is always filled in; the caller
 * frees it with lull_result_done().
 */
enum lull_outcome lull_apply(const struct lull_options *options, const char *dest, int in,
			     const struct lull_observer *observer,
			     struct lull_result *ret_result);

/* Whether the kernel has the fix of a bug. */
enum lull_fix {
	LULL_FIX_UNKNOWN, /* its version is not conclusive */
	LULL_FIX_PRESENT, /* or it never had the bug */
	LULL_FIX_MISSING,
};

/* What lull_probe() recommends. */
enum lull_advice {
	LULL_ADVICE_COWEXTSIZE = 1 << 0, /* XFS: fragmented, and without that hint */
	/* Btrfs: no snapshot is possible where the file is */
	LULL_ADVICE_SUBVOLUME = 1 << 1,
	/* the file is written to, and only a freeze would be safe */
	LULL_ADVICE_HOOK = 1 << 2,
	/* XFS: the log is small for the number of extents */
	LULL_ADVICE_LOG = 1 << 3,
	LULL_ADVICE_QUOTAS = 1 << 4, /* Btrfs: quotas are on */
};

/* What a clone of a source would be like, determined without publishing anything. */
struct lull_forecast {
	struct lull_failure failure;
	char type[32]; /* of the file system */
	char mount_point[256];
	char kernel[65];
	uint64_t block;   /* bytes, the unit of clone ranges */
	bool reverse_map; /* XFS with rmapbt=1: clones cost more */
	bool reads_wait;  /* reads wait for a clone call on this kernel */
	/* reads_wait was measured with a reader; else it is derived from the kernel
	   version */
	bool reads_measured;
	bool quotas;               /* Btrfs quotas are on */
	enum lull_fix writer_race; /* of CVE-2026-64600, which concerns XFS */
	/* reads wait behind a writer that waits for the call */
	bool reads_wait_for_writers;
	uint64_t size;
	uint64_t extents;
	/* if false, they were counted up to a limit, and the rest was estimated */
	bool extents_exact;
	bool written;       /* somebody wrote during the probe */
	uint64_t extent_ns; /* measured: the time of a clone for each extent */
	/* the same for an extent that is already shared, or compared by the maps */
	uint64_t again_ns;
	uint64_t cp_ns;    /* predicted: cp --reflink; writers wait that long */
	uint64_t clone_ns; /* predicted: lullcp, including pauses */
	/* predicted: the longest wait of writers, except with snapshot and atomic */
	uint64_t budget_ns;
	/* predicted stall of method snapshot; 0: not possible here */
	uint64_t snapshot_ns;
	struct lull_obstacle no_snapshot; /* why snapshot_ns is 0 */
	uint64_t atomic_ns;               /* predicted stall of method atomic */
	/* the method that would be chosen; LULL_METHOD_NONE: the run would stop */
	enum lull_method method;
	enum lull_method if_written; /* the same, if writers never pause */
	unsigned int advice;         /* enum lull_advice */
};

/*
 * Tries a clone of source into directory (NULL: that of source) with a real block and a
 * sample of extents, in an unnamed file, and predicts the rest. LULL_FAILED if cloning
 * does not work there: see failure.
 */
enum lull_outcome lull_probe(const struct lull_options *options, const char *source,
			     const char *directory, const struct lull_observer *observer,
			     struct lull_forecast *ret_forecast);

/* Frees what it owns and leaves it empty. An empty one is fine. */
void lull_forecast_done(struct lull_forecast *forecast);

/* Frees what the result owns. */
void lull_result_done(struct lull_result *result);

/* What lull_check_hook() found. */
struct lull_verdict {
	struct lull_failure failure; /* of the outcome, unless a step has reported it */
	char run_id[37];
	unsigned int steps;
	unsigned int broken; /* how many of them were not kept */
	uint64_t elapsed_ns;
};

/*
 * Calls options->hook as a run would: freeze, freeze, thaw, thaw, and a thaw of another
 * run. Examines the sources after each freeze. A thaw follows whatever happens, as in a
 * run.
 *
 * LULL_OK: all steps were kept. LULL_FREEZE_FAILED, LULL_THAW_FAILED: the first such call
 * failed. LULL_SKIPPED: the first freeze ended with status 75. LULL_FAILED: another step
 * was not kept, or the check could not begin (failure.stage). LULL_INTERRUPTED.
 */
enum lull_outcome lull_check_hook(const struct lull_options *options,
				  const char *const *sources, unsigned int n_sources,
				  const struct lull_observer *observer,
				  struct lull_verdict *ret_verdict);

/* Frees what it owns and leaves it empty. An empty one is fine. */
void lull_verdict_done(struct lull_verdict *verdict);

/* What the next run does with a generation. */
enum lull_fate {
	LULL_FATE_STAYS,
	LULL_FATE_MADE,    /* it would be new */
	LULL_FATE_USED_UP, /* the new one would be made from it */
	LULL_FATE_REMOVED,
};

/* kept_by of the newest, which stays whatever the rules say. */
#define LULL_KEPT_NEWEST (1u << LULL_KEEP_KINDS)

/* A generation of a row. Unknown byte counts are UINT64_MAX. */
struct lull_row_entry {
	char *path;    /* as DEST was given, with the date */
	uint64_t time; /* ns since the epoch */
	uint64_t size;
	uint64_t bytes_own;     /* of extents that it shares with no other file */
	uint64_t bytes_changed; /* that may differ from the one before, by the maps */
	unsigned int kept_by;   /* 1 << enum lull_keep_kind, LULL_KEPT_NEWEST */
	enum lull_fate fate;
	bool unreadable; /* it cannot be opened: only name and time are known */
};

/* The generations of a destination, oldest first. */
struct lull_row {
	struct lull_failure failure;
	struct lull_keep_rules rules; /* that kept_by is based on; none: not known */
	struct lull_row_entry *entry;
	size_t n;
};

/*
 * Lists the generations of dest. Changes nothing. kept_by is based on options->keep, or
 * else on the rules of the run that wrote the record. quick leaves out bytes_own and
 * bytes_changed. Without quick, the extent maps are read for them (FS_IOC_FIEMAP), a
 * window at a time.
 *
 * LULL_OK, also if the row has no generation. LULL_FAILED: no record, or one that is not
 * trusted. LULL_INTERRUPTED.
 */
enum lull_outcome lull_list(const struct lull_options *options, const char *dest,
			    bool quick, const struct lull_observer *observer,
			    struct lull_row *ret_row);

/*
 * Lists what lull_copy() of source to dest with options->keep would make, use up and
 * remove if it began now. Changes nothing, and needs no record.
 */
enum lull_outcome lull_foresee(const struct lull_options *options, const char *source,
			       const char *dest, const struct lull_observer *observer,
			       struct lull_row *ret_row);

/* Frees what it owns and leaves it empty. */
void lull_row_done(struct lull_row *row);

/*
 * Removes files in bounded steps (ftruncate(2), the last extents first), paced like a
 * clone. During this, a file has the name .NAME.lullcp-discard. After an interruption,
 * that file is the rest of it. If a file has other names, only its name is removed. A
 * file that a program has open is refused, because the program would lose its contents.
 * With options->cp.force a missing file is no failure. The observer is told about each
 * file. LULL_OK if all are gone.
 */
enum lull_outcome lull_discard(const struct lull_options *options,
			       const char *const *files, unsigned int n_files,
			       const struct lull_observer *observer);

/* What the checkpoint of an interrupted clone says. */
struct lull_report {
	struct lull_failure failure;
	char *source;
	char *dest;
	char *checkpoint;
	char *temporary; /* NULL: written in place */
	char *hook;      /* NULL: none */
	char run_id[37];
	enum lull_method method;
	uint64_t size;
	uint64_t offset; /* the destination is durable up to here */
	unsigned int pass;
	bool complete; /* the clone is complete: only publishing is left */
	/* dest is the clone already; other files of its set may still wait */
	bool published;
	bool frozen;              /* the writers were frozen when it was written */
	bool kept_frozen;         /* and were left so on purpose */
	uint64_t frozen_since;    /* nanoseconds since the epoch */
	uint64_t updated;         /* nanoseconds since the epoch */
	bool running;             /* a lullcp is working on it now */
	struct lull_report *next; /* that of the next file of the set, or NULL */
};

/* Reads the checkpoint of dest. Changes nothing. For a set, give any dest; the report is
   then a list of all its files. LULL_FAILED if there is no checkpoint. */
enum lull_outcome lull_status(const struct lull_options *options, const char *dest,
			      struct lull_report *ret_report);

/*
 * Thaws the writers if the checkpoint of dest says that they are frozen, with the hook
 * that it names. For a set it thaws all of them. LULL_OK also if nothing is frozen
 * (ret_report->frozen says what it found). The interrupted clone itself stays.
 */
enum lull_outcome lull_recover(const struct lull_options *options, const char *dest,
			       const struct lull_observer *observer,
			       struct lull_report *ret_report);

/* Frees what it owns, including the reports that follow it, and leaves it empty. */
void lull_report_done(struct lull_report *report);

/*
 * Sends state to a service manager, like sd_notify(3). path is that of its socket, with
 * "@" for an abstract one. Failures are ignored, and it never waits.
 */
void lull_notify(const char *path, const char *state);

struct json_t;

/*
 * Sets key of a JSON object (jansson) to a file name, null for NULL. JSON is UTF-8, and
 * file names are bytes. A name that is not UTF-8 is written with U+FFFD in place of
 * invalid bytes, and complete under key with "_base64" appended. 0 or -ENOMEM.
 */
int lull_json_set_name(struct json_t *object, const char *key, const char *name);
