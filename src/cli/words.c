// SPDX-License-Identifier: MIT
/* Sentences for failures. */
#include "words.h"

#include "obstacle.h"
#include "quote.h"
#include "words_hook.h"
#include "words_restore.h"
#include "words_stream.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *words_call(int call)
{
	switch ((enum lull_call)call) {
	case LULL_CALL_CLONE:
		return "a clone call";
	case LULL_CALL_PUNCH:
		return "a call that makes a hole";
	case LULL_CALL_FLUSH:
		return "a sync";
	case LULL_CALL_SNAPSHOT:
		return "the call that takes a snapshot";
	case LULL_CALL_EXCHANGE:
		return "the call that exchanges the contents of two files";
	default:
		return "a call";
	}
}

int words_exit_status(enum lull_outcome outcome)
{
	switch (outcome) {
	case LULL_OK:
		return 0;
	case LULL_STOPPED:
		return 3;
	case LULL_DIFFERENT:
		return 4;
	case LULL_FREEZE_FAILED:
		return 5;
	case LULL_THAW_FAILED:
		return 6;
	case LULL_WRITTEN:
		return 8;
	case LULL_BUSY:
		return 11;
	case LULL_SKIPPED:
		return 75;
	case LULL_INTERRUPTED: /* ends by the signal itself */
	case LULL_FAILED:
		break;
	}
	return 1;
}

const char *words_result(enum lull_outcome outcome)
{
	switch (outcome) {
	case LULL_OK:
		return "ok";
	case LULL_STOPPED:
		return "stopped";
	case LULL_DIFFERENT:
		return "different";
	case LULL_FREEZE_FAILED:
		return "freeze_failed";
	case LULL_THAW_FAILED:
		return "thaw_failed";
	case LULL_WRITTEN:
		return "written";
	case LULL_BUSY:
		return "busy";
	case LULL_SKIPPED:
		return "skipped";
	case LULL_INTERRUPTED:
		return "interrupted";
	case LULL_FAILED:
		break;
	}
	return "failed";
}

/* Why a clone does not work here; NULL where the errno says it all. */
static const char *clone_advice(enum lull_cause cause)
{
	switch (cause) {
	case LULL_CAUSE_OTHER_FILE_SYSTEM:
		return "SOURCE and DEST must lie on the same file system; "
		       "--reflink=auto copies here.";
	case LULL_CAUSE_NO_REFLINK:
		return "This file system cannot clone: it takes Btrfs, or XFS made with "
		       "reflink=1. --reflink=auto copies here.";
	case LULL_CAUSE_NOCOW_MISMATCH:
		return "One of the two files is NOCOW (chattr +C) and the other is not; "
		       "Btrfs clones only between files that agree. Remove DEST, or do "
		       "without --inplace: a new file takes the flag over.";
	case LULL_CAUSE_SWAP_FILE:
		return "An active swap file cannot be cloned.";
	case LULL_CAUSE_IMMUTABLE:
		return "The file is immutable or append-only (lsattr shows i or a; "
		       "chattr -i or chattr -a takes it away), or a security policy "
		       "forbids it.";
	case LULL_CAUSE_FORBIDDEN:
		return "This program may not clone here: the filter of a container "
		       "(seccomp), a security policy (SELinux, AppArmor) or a user "
		       "namespace forbids the call. Have FICLONERANGE allowed, or use "
		       "--reflink=auto, which copies then.";
	case LULL_CAUSE_ONLY_GROWS:
		return "The directory is append-only (chattr +a): what is made beside "
		       "DEST meanwhile could never be removed. chattr -a DIRECTORY takes "
		       "that away.";
	case LULL_CAUSE_REALTIME_MISMATCH:
		return "One of the two files is on the realtime device of this XFS and "
		       "the other is not. Remove DEST, or do without --inplace: a new "
		       "file goes where SOURCE is.";
	case LULL_CAUSE_DAX_MISMATCH:
		return "One of the two files is accessed directly in memory (DAX) and "
		       "the other is not: make them alike with xfs_io -c 'chattr +x' or "
		       "'chattr -x'.";
	case LULL_CAUSE_DATASUM_MISMATCH:
		return "On Btrfs this happens where one of the two files has no "
		       "checksums, being made under the mount option nodatasum or "
		       "nodatacow. Remove DEST, and make it under the same mount options "
		       "as SOURCE; or copy with --reflink=auto.";
	case LULL_CAUSE_SUBVOLUME_QUOTA:
		return "The subvolume of DEST is at its limit (btrfs qgroup show -r "
		       "shows it, btrfs "
		       "qgroup limit changes it).";
	case LULL_CAUSE_QUOTA:
		return "Each cloned block counts in full for the owner of DEST.";
	case LULL_CAUSE_FULL:
		return "A clone needs room for its metadata: make some, then run this "
		       "again.";
	case LULL_CAUSE_FILE_SIZE_LIMIT:
		return "DEST would be larger than the limit for files (ulimit -f), or "
		       "than the file system allows.";
	case LULL_CAUSE_SIZE_CHANGED:
		return "SOURCE changed its size meanwhile: freeze its writers with "
		       "--hook.";
	default:
		return NULL;
	}
}

/* Why state may have been planted. */
static const char *untrusted_words(int err)
{
	switch (err) {
	case ELOOP:
		return "it is a symbolic link";
	case EMLINK:
		return "it has several names (hard links)";
	case ESTALE:
		return "it is a copy, or was edited: lullcp did not write it into this "
		       "file";
	case EUSERS:
		return "others may write to its directory";
	default:
		return "it belongs to another user, or others may write to it";
	}
}

const char *words_private(int err)
{
	return err == EPERM ? "it belongs to another user, or others may write to it"
			    : strerror(err);
}

/* XDG_STATE_HOME is not looked at for root, and --checkpoint moves no record of
   generations. */
static char *homeless(const struct lull_failure *f, const char *name,
		      const char **ret_advice)
{
	bool dated = f->cause == LULL_CAUSE_GENERATIONS_DIRECTORY, root = geteuid() == 0;

	if (dated)
		*ret_advice = root ? "Name a directory that only you may write to with "
				     "STATE_DIRECTORY."
				   : "Name a directory that only you may write to with "
				     "XDG_STATE_HOME (or STATE_DIRECTORY).";
	else
		*ret_advice =
			root ? "Name a directory that only you may write to with "
			       "STATE_DIRECTORY, or a file in one with --checkpoint."
			     : "Name a directory that only you may write to with "
			       "XDG_STATE_HOME (or STATE_DIRECTORY), or a file in one "
			       "with --checkpoint.";
	if (!f->path)
		return format(
			"others may write to the directory of DEST, and there is no "
			"private one for the %s (HOME is not set)",
			dated ? "record of generations" : "checkpoint");
	return format(
		"others may write to the directory of DEST, and %s cannot be used for "
		"the %s: %s",
		name, dated ? "record of generations" : "checkpoint",
		words_private(f->err));
}

static char *checkpoint_words(const struct lull_failure *f, const char **ret_advice)
{
	const char *name = f->path ? quote(f->path) : "it";

	switch (f->cause) {
	case LULL_CAUSE_CHECKPOINT_EXISTS:
		*ret_advice =
			"Use --resume to continue, or --restart to discard it and start "
			"again.";
		return format("an interrupted clone is recorded in %s", name);
	case LULL_CAUSE_CHECKPOINT_DAMAGED:
		*ret_advice = "Nothing was changed. Remove it to start again.";
		return format("%s is damaged, or no checkpoint", name);
	case LULL_CAUSE_CHECKPOINT_SCHEMA:
		*ret_advice =
			"Nothing was changed. Continue with the version that wrote it; "
			"or remove it (rm), then start again with --restart.";
		return format("the checkpoint %s was written by another version", name);
	case LULL_CAUSE_CHECKPOINT_FOREIGN:
		*ret_advice =
			"Nothing was changed. Give the same SOURCE, DEST and options as "
			"before, or another --checkpoint.";
		return format("the checkpoint %s belongs to another clone", name);
	case LULL_CAUSE_CHECKPOINT_SET:
		*ret_advice =
			"Nothing was changed. Give all its files again, with --resume to "
			"continue or --restart to start again; --status shows them.";
		return format("an interrupted clone of several files is recorded in %s",
			      name);
	case LULL_CAUSE_PARTLY_PUBLISHED:
		*ret_advice = "--resume gives the rest their names; only then there is "
			      "something to "
			      "start again.";
		return format(
			"some files of the set that is recorded in %s are published "
			"already",
			name);
	case LULL_CAUSE_CHECKPOINT_OWNER:
		*ret_advice =
			"Nothing was changed. It may name a command to run, so only a "
			"file that lullcp itself wrote there is obeyed. If you do not "
			"need it, remove it (rm), then start again with --restart.";
		return format("the checkpoint %s is not to be trusted: %s", name,
			      untrusted_words(f->err));
	case LULL_CAUSE_CHECKPOINT_DIRECTORY:
		*ret_advice =
			"Give a --checkpoint in a directory that only you may write to, "
			"or leave the option out.";
		return format("cannot keep the checkpoint %s: others may write to its "
			      "directory, and it names a command to run",
			      name);
	case LULL_CAUSE_CHECKPOINT_HOOK:
		*ret_advice =
			"The writers may still be frozen. --status shows the hook: if it "
			"is yours, run this again with --hook=COMMAND.";
		return format(
			"the checkpoint %s says that writers are frozen, but it was "
			"written on another machine, or others may write to its "
			"directory: its hook was not run",
			name);
	case LULL_CAUSE_CHECKPOINT_IN_THE_WAY:
		*ret_advice =
			"It was left alone. Rename or remove it, then run this again.";
		return format(
			"cannot write the checkpoint %s: a file that lullcp did not "
			"write has that name",
			name);
	case LULL_CAUSE_CHECKPOINT_IS_FILE:
		*ret_advice =
			"Nothing was changed. Give another file with --checkpoint, or "
			"leave the option out.";
		return format("--checkpoint=%s would overwrite %s", name,
			      f->path2 ? quote(f->path2) : "it");
	case LULL_CAUSE_STATE_DIRECTORY:
	case LULL_CAUSE_GENERATIONS_DIRECTORY:
		return homeless(f, name, ret_advice);
	case LULL_CAUSE_NO_CHECKPOINT:
		*ret_advice = NULL;
		return format("no interrupted clone: %s does not exist", name);
	case LULL_CAUSE_TEMPORARY_IN_THE_WAY:
		*ret_advice =
			"It has the name of the temporary file, but no checkpoint "
			"mentions it. Remove it, or use --resume or --restart if it is "
			"yours to lose.";
		return format("%s is in the way", name);
	default:
		*ret_advice = NULL;
		return format("cannot use the checkpoint %s: %s", name, strerror(f->err));
	}
}

static char *record_words(const struct lull_failure *f, const char **ret_advice)
{
	const char *name = f->path ? quote(f->path) : "it";

	switch (f->cause) {
	case LULL_CAUSE_NO_ROW:
		*ret_advice = "Give what --keep was given as DEST: without a date.";
		return format("--keep has made no clones of the name %s", name);
	case LULL_CAUSE_RECORD_DAMAGED:
		*ret_advice =
			"Nothing was changed. Without it a new one is begun; what it "
			"lists is yours to remove then.";
		return format("%s is damaged, or no record of generations", name);
	case LULL_CAUSE_RECORD_SCHEMA:
		*ret_advice =
			"Nothing was changed. Use the version that wrote it; or remove "
			"it (rm): a new row is begun, and the files it lists are yours "
			"to remove.";
		return format(
			"the record of generations %s was written by another version",
			name);
	case LULL_CAUSE_RECORD_OWNER:
		*ret_advice =
			"Nothing was changed. Files are removed at its word, so only a "
			"file that lullcp itself wrote there is obeyed. Remove it (rm) "
			"to begin a new row; the files it lists are yours to remove.";
		return format("the record of generations %s is not to be trusted: %s",
			      name, untrusted_words(f->err));
	default:
		return format("cannot use the record of generations %s: %s", name,
			      strerror(f->err));
	}
}

static char *base_words(const struct lull_failure *f, const char **ret_advice)
{
	const char *name = f->path ? quote(f->path) : "it";

	switch (f->cause) {
	case LULL_CAUSE_NOT_REGULAR:
		return format("cannot refresh %s: not a regular file", name);
	case LULL_CAUSE_SAME_FILE:
		return format("%s and %s are the same file", name,
			      f->path2 ? quote(f->path2) : "it");
	case LULL_CAUSE_HARD_LINKS:
		return format("cannot use up %s: it has several names", name);
	case LULL_CAUSE_OPEN_FOR_WRITING:
		*ret_advice =
			"Nothing was changed. Without --refresh the clone is a new file, "
			"and who writes to the old one goes on with that.";
		return format("cannot refresh %s: a program has it open for writing",
			      name);
	case LULL_CAUSE_IN_USE:
		*ret_advice = "--lock-wait waits for it.";
		return format("another lullcp is at work on %s", name);
	default:
		return format("cannot refresh %s: %s", name, strerror(f->err));
	}
}

static char *read_words(const struct lull_failure *f, const char **ret_advice)
{
	const char *name = f->path ? quote(f->path) : "it";

	switch (f->cause) {
	case LULL_CAUSE_IS_DIRECTORY:
	case LULL_CAUSE_NOT_REGULAR:
		return format("cannot compare %s: not a regular file", name);
	case LULL_CAUSE_WRITERS:
		return format("cannot compare: %s was written to meanwhile", name);
	case LULL_CAUSE_UNPROVEN:
		*ret_advice = "Do without --verify=maps to have them read.";
		return format(
			"cannot tell whether %s and %s are identical: the extent maps "
			"leave open %s, the first at %llu",
			name, f->path2 ? quote(f->path2) : "it", words_bytes(f->len),
			(unsigned long long)f->off);
	default:
		return format("cannot read %s: %s", name, strerror(f->err));
	}
}

static char *dest_words(const struct lull_failure *f)
{
	const char *name = f->path ? quote(f->path) : "it";

	switch (f->cause) {
	case LULL_CAUSE_IS_DIRECTORY:
		return format("cannot overwrite directory %s with non-directory", name);
	case LULL_CAUSE_NOT_REGULAR:
		return format("cannot write %s: not a regular file", name);
	case LULL_CAUSE_ONLY_IN_PLACE:
		return format(
			"cannot replace %s: it has several names, or an owner that a new "
			"file cannot have",
			name);
	case LULL_CAUSE_DANGLING_LINK:
		return format("not writing through dangling symlink %s", name);
	case LULL_CAUSE_SAME_FILE:
		return format("%s and %s are the same file", name,
			      f->path2 ? quote(f->path2) : "it");
	default:
		return format("cannot stat %s: %s", name, strerror(f->err));
	}
}

static char *source_words(const struct lull_failure *f)
{
	const char *name = f->path ? quote(f->path) : "it";

	if (f->cause == LULL_CAUSE_IS_DIRECTORY)
		return format("-r not specified; omitting directory %s", name);
	if (f->cause == LULL_CAUSE_NOT_REGULAR)
		return format("cannot clone %s: not a regular file", name);
	return format("cannot stat %s: %s", name, strerror(f->err));
}

static char *remove_words(const struct lull_failure *f, const char *name, const char *why)
{
	if (f->cause == LULL_CAUSE_OPEN)
		why = "a program has it open";
	else if (f->cause == LULL_CAUSE_NOT_REGULAR)
		why = "not a regular file";
	return format("cannot remove %s: %s", name, why);
}

static char *stage_words(const struct lull_failure *f, const char **ret_advice)
{
	const char *name = f->path ? quote(f->path) : "it";
	const char *why = strerror(f->err);

	if (f->stage != LULL_STAGE_COPY && f->stage != LULL_STAGE_COPY_READ &&
	    f->stage != LULL_STAGE_COPY_WRITE)
		*ret_advice = clone_advice(f->cause);
	switch (f->stage) {
	case LULL_STAGE_OPEN_SOURCE:
		return format("cannot open %s for reading: %s", name, why);
	case LULL_STAGE_STAT_SOURCE:
		return source_words(f);
	case LULL_STAGE_STAT_DEST:
		return dest_words(f);
	case LULL_STAGE_OPEN_DIR:
		return format("cannot open the directory of %s: %s", name, why);
	case LULL_STAGE_CREATE:
		return format("cannot create regular file %s: %s", name, why);
	case LULL_STAGE_LOCK:
		return format("cannot lock %s: %s", name, why);
	case LULL_STAGE_ATTRIBUTES:
		return format("cannot set attributes of %s: %s", name, why);
	case LULL_STAGE_REMOVE:
		return remove_words(f, name, why);
	case LULL_STAGE_RESIZE:
		return format("cannot change the size of %s: %s", name, why);
	case LULL_STAGE_PROBE:
		return format("failed to clone %s from %s: %s", name,
			      f->path2 ? quote(f->path2) : "SOURCE", why);
	case LULL_STAGE_CLONE:
		return format("failed to clone %s from %s: %s, in the %llu bytes at %llu",
			      name, f->path2 ? quote(f->path2) : "SOURCE", why,
			      (unsigned long long)f->len, (unsigned long long)f->off);
	case LULL_STAGE_FLUSH:
		return format("cannot write out what is dirty in %s: %s", name, why);
	case LULL_STAGE_WALK:
		return format("cannot read the extent map of %s: %s", name, why);
	case LULL_STAGE_PUNCH:
		return format("cannot punch a hole into %s: %s", name, why);
	case LULL_STAGE_SYNC:
		return format("cannot write %s to disk: %s", name, why);
	case LULL_STAGE_SNAPSHOT:
		return format("cannot clone %s from a snapshot: %s", name, why);
	case LULL_STAGE_COPY_READ:
		return format("error reading %s: %s", f->path2 ? quote(f->path2) : name,
			      why);
	case LULL_STAGE_COPY_WRITE:
		return format("error writing %s: %s", name, why);
	case LULL_STAGE_COPY:
		return format("error copying %s to %s: %s",
			      f->path2 ? quote(f->path2) : "SOURCE", name, why);
	case LULL_STAGE_BASE:
		return base_words(f, ret_advice);
	case LULL_STAGE_READ:
		return read_words(f, ret_advice);
	case LULL_STAGE_BACKUP:
		return format("cannot backup %s: %s", name, why);
	case LULL_STAGE_PUBLISH:
		if (f->cause == LULL_CAUSE_DEST_CHANGED) {
			*ret_advice = "End what writes to it, then run this again with "
				      "--resume.";
			return format("%s was changed meanwhile, and is left as it is",
				      name);
		}
		if (f->err == EXFULL) {
			*ret_advice = "Run this again with --restart, which writes it in "
				      "place.";
			return format("%s is left as it is: it differs from its clone in "
				      "so many places that the kernel might fail to "
				      "exchange them and shut the file system down",
				      name);
		}
		if (f->cause == LULL_CAUSE_NAME_UNSYNCED) {
			*ret_advice = "A power failure may bring back what had "
				      "its name before.";
			return format("%s is the new clone, but its directory cannot be "
				      "written to disk: %s",
				      name, why);
		}
		if (f->err == EEXIST)
			*ret_advice = "It was left alone. Rename or remove it, then run "
				      "this again.";
		if (f->cause == LULL_CAUSE_PARTLY_PUBLISHED)
			*ret_advice =
				"Other files of the set have their new names already: "
				"--resume gives them to the rest.";
		return format("cannot give %s its name: %s", name, why);
	default:
		return format("%s: %s", name, why);
	}
}

static char *no_snapshot_words(const struct lull_failure *f, const char **ret_advice)
{
	const struct lull_obstacle obstacle = {
		.why = (enum lull_no_snapshot)f->detail,
		.err = f->err,
		.path = f->path2,
	};
	char *why = obstacle_words(&obstacle), *message;

	*ret_advice =
		"Freeze its writers with --hook, or try again with --resume when they "
		"pause. --on-writers=atomic makes them wait for one call over the whole "
		"file.";
	message = format(
		"%s was written to meanwhile; nothing was published. No snapshot can be "
		"taken: %s",
		f->path ? quote(f->path) : "it", why ? why : "");
	free(why);
	return message;
}

void words_failure(enum lull_outcome outcome, const struct lull_failure *failure,
		   char **ret_message, const char **ret_advice)
{
	const struct lull_failure *f = failure;
	const char *name = f->path ? quote(f->path) : "it";

	*ret_advice = NULL;
	if (outcome == LULL_BUSY && f->cause == LULL_CAUSE_SOURCE_FROZEN) {
		*ret_message =
			format("another lullcp has frozen %s for a clone of its own",
			       name);
		*ret_advice = "--lock-wait waits for its thaw.";
	} else if (outcome == LULL_BUSY) {
		*ret_message = format("another lullcp is at work on %s", name);
		*ret_advice = "--lock-wait waits for it, --status shows how far it is.";
	} else if (f->cause == LULL_CAUSE_PATH_ELSEWHERE) {
		*ret_message =
			format("cannot use %s: its absolute path leads to another file",
			       name);
		*ret_advice =
			"Something is mounted over a directory of it, or it lies in "
			"another mount namespace. Enter the directory again, or run "
			"lullcp in there.";
	} else if (f->cause == LULL_CAUSE_LONG_PATH) {
		*ret_message = format("cannot use %s: its absolute path is longer than "
				      "4,095 bytes, and the checkpoint records it",
				      name);
		*ret_advice = "Mount the directory once more where the path is shorter "
			      "(mount --bind), or move it up.";
	} else if (f->cause == LULL_CAUSE_TEMPORARY_IS_FILE) {
		*ret_message = format(
			"%s has the name of the temporary file of %s: it would be lost",
			name, f->path2 ? quote(f->path2) : "DEST");
		*ret_advice = "Nothing was changed. Rename it, or give another DEST.";
	} else if (f->cause == LULL_CAUSE_TEMPORARY_IN_THE_WAY ||
		   f->stage == LULL_STAGE_CHECKPOINT) {
		*ret_message = checkpoint_words(f, ret_advice);
	} else if (f->stage == LULL_STAGE_STREAM_IN ||
		   f->stage == LULL_STAGE_STREAM_OUT) {
		*ret_message = words_stream(f, ret_advice);
	} else if (f->stage == LULL_STAGE_RECORD) {
		*ret_message = record_words(f, ret_advice);
	} else if (f->stage == LULL_STAGE_RESTORE) {
		*ret_message = words_restore(f, ret_advice);
	} else if (f->stage == LULL_STAGE_HOOK) {
		*ret_message = words_hook(outcome, f, ret_advice);
	} else if (f->cause == LULL_CAUSE_WRITERS && outcome == LULL_WRITTEN) {
		*ret_message = format(
			"%s was written to while it was frozen; nothing was published",
			name);
		*ret_advice =
			"The hook must not return before no write reaches SOURCE any "
			"more. A rename, a new link or a chmod of SOURCE looks like one.";
	} else if (f->stage == LULL_STAGE_READ) {
		*ret_message = read_words(f, ret_advice);
	} else if (f->cause == LULL_CAUSE_NO_SNAPSHOT) {
		*ret_message = no_snapshot_words(f, ret_advice);
	} else if (f->cause == LULL_CAUSE_STORES) {
		*ret_message =
			format("%s was written to meanwhile; nothing was published",
			       name);
		*ret_advice =
			"Freeze its writers with --hook, or try again with --resume when "
			"they pause. Before Linux 5.13 Btrfs does not hold off stores "
			"through mmap: if no program maps SOURCE to write to it, "
			"--on-writers=snapshot is sound.";
	} else if (f->cause == LULL_CAUSE_WRITERS) {
		*ret_message =
			format("%s was written to meanwhile; nothing was published",
			       name);
		*ret_advice =
			"Freeze its writers with --hook, or try again with --resume when "
			"they pause.";
	} else {
		*ret_message = stage_words(f, ret_advice);
	}
}
