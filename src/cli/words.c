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

static const char *const calls[] = {
	[LULL_CALL_CLONE] = "a clone call",
	[LULL_CALL_PUNCH] = "a call that makes a hole",
	[LULL_CALL_FLUSH] = "a sync",
	[LULL_CALL_SNAPSHOT] = "the call that takes a snapshot",
	[LULL_CALL_EXCHANGE] = "the call that exchanges the contents of two files",
};

const char *words_call(int call)
{
	bool known = call >= 0 && (size_t)call < LENGTH(calls) && calls[call];

	return known ? calls[call] : "a call";
}

static const struct {
	int status;
	const char *result;
} outcomes[] = {
	[LULL_OK] = { 0, "ok" },
	[LULL_STOPPED] = { 3, "stopped" },
	[LULL_DIFFERENT] = { 4, "different" },
	[LULL_FREEZE_FAILED] = { 5, "freeze_failed" },
	[LULL_THAW_FAILED] = { 6, "thaw_failed" },
	[LULL_WRITTEN] = { 8, "written" },
	[LULL_BUSY] = { 11, "busy" },
	[LULL_SKIPPED] = { 75, "skipped" },
	[LULL_INTERRUPTED] = { 1, "interrupted" }, /* ends by the signal itself */
	[LULL_FAILED] = { 1, "failed" },
};

int words_exit_status(enum lull_outcome outcome)
{
	return outcomes[outcome].status;
}

const char *words_result(enum lull_outcome outcome)
{
	return outcomes[outcome].result;
}

/* Why a clone is not possible here; NULL if the errno says it all. */
static const char *const clone_advice[] = {
	[LULL_CAUSE_OTHER_FILE_SYSTEM] =
		"SOURCE and DEST must be on the same file system; --reflink=auto copies "
		"the data instead.",
	[LULL_CAUSE_NO_REFLINK] =
		"This file system cannot clone: that needs Btrfs, or XFS made with "
		"reflink=1. --reflink=auto copies the data instead.",
	[LULL_CAUSE_NOCOW_MISMATCH] =
		"One of the two files is NOCOW (chattr +C) and the other is not; Btrfs "
		"clones only between files that agree. Remove DEST, or leave --inplace "
		"out: a new file gets the flag of SOURCE.",
	[LULL_CAUSE_SWAP_FILE] = "An active swap file cannot be cloned.",
	[LULL_CAUSE_IMMUTABLE] =
		"The file is immutable or append-only (lsattr shows i or a; chattr -i or "
		"chattr -a clears it), or a security policy forbids it.",
	[LULL_CAUSE_FORBIDDEN] =
		"The call is forbidden here, by the filter of a container (seccomp), a "
		"security policy (SELinux, AppArmor) or a user namespace. Allow "
		"FICLONERANGE, or use --reflink=auto, which then copies the data.",
	[LULL_CAUSE_ONLY_GROWS] =
		"The directory is append-only (chattr +a): the temporary file beside "
		"DEST could never be removed. chattr -a DIRECTORY clears that.",
	[LULL_CAUSE_REALTIME_MISMATCH] =
		"One of the two files is on the realtime device of this XFS and the "
		"other is not. Remove DEST, or leave --inplace out: a new file goes to "
		"the device of SOURCE.",
	[LULL_CAUSE_DAX_MISMATCH] =
		"One of the two files is accessed directly in memory (DAX) and the other "
		"is not: make them alike with xfs_io -c 'chattr +x' or 'chattr -x'.",
	[LULL_CAUSE_DATASUM_MISMATCH] =
		"On Btrfs this happens if one of the two files has no checksums, because "
		"it was created under the mount option nodatasum or nodatacow. Remove "
		"DEST and create it under the same mount options as SOURCE, or copy with "
		"--reflink=auto.",
	[LULL_CAUSE_SUBVOLUME_QUOTA] =
		"The subvolume of DEST has reached its limit (btrfs qgroup show -r shows "
		"it, btrfs qgroup limit changes it).",
	[LULL_CAUSE_QUOTA] =
		"Cloned blocks count in full against a quota: raise that of DEST's "
		"owner, group or project, or remove files of theirs.",
	[LULL_CAUSE_FULL] =
		"A clone needs space for its metadata: free some, then run this again.",
	[LULL_CAUSE_FILE_SIZE_LIMIT] =
		"DEST would be larger than the limit on file sizes (ulimit -f), or than "
		"the file system allows.",
	[LULL_CAUSE_SIZE_CHANGED] =
		"The size of SOURCE changed during the clone: freeze its writers with "
		"--hook.",
};

static const char *advice_for(enum lull_cause cause)
{
	return (size_t)cause < LENGTH(clone_advice) ? clone_advice[cause] : NULL;
}

/* Returns why state may have been planted. */
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

/* For root XDG_STATE_HOME is not read, and --checkpoint does not move the record of
   generations. */
static char *homeless(const struct lull_failure *f, const char *name,
		      const char **ret_advice)
{
	bool dated = f->cause == LULL_CAUSE_GENERATIONS_DIRECTORY, root = geteuid() == 0;

	if (dated)
		*ret_advice =
			root ? "Set STATE_DIRECTORY to a directory that only you may "
			       "write to."
			     : "Set XDG_STATE_HOME (or STATE_DIRECTORY) to a directory "
			       "that only you may write to.";
	else
		*ret_advice =
			root ? "Set STATE_DIRECTORY to a directory that only you may "
			       "write to, or name a file in one with --checkpoint."
			     : "Set XDG_STATE_HOME (or STATE_DIRECTORY) to a directory "
			       "that only you may write to, or name a file in one with "
			       "--checkpoint.";
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

static const struct words_row checkpoint_rows[] = {
	{ LULL_CAUSE_CHECKPOINT_EXISTS, "an interrupted clone is recorded in %1",
	  "Use --resume to continue, or --restart to discard it and start again." },
	{ LULL_CAUSE_CHECKPOINT_DAMAGED, "%1 is damaged, or is not a checkpoint",
	  "Nothing was changed. Remove it to start again." },
	{ LULL_CAUSE_CHECKPOINT_SCHEMA,
	  "the checkpoint %1 was written by another version",
	  "Nothing was changed. Continue with the version that wrote it; or remove it "
	  "(rm), then start again with --restart." },
	{ LULL_CAUSE_CHECKPOINT_FOREIGN, "the checkpoint %1 belongs to another clone",
	  "Nothing was changed. Give the same SOURCE, DEST and options as before, or "
	  "another --checkpoint." },
	{ LULL_CAUSE_CHECKPOINT_SET,
	  "an interrupted clone of several files is recorded in %1",
	  "Nothing was changed. Give all its files again, with --resume to continue or "
	  "--restart to start again; --status shows them." },
	{ LULL_CAUSE_PARTLY_PUBLISHED,
	  "some files of the set recorded in %1 are already published",
	  "--resume renames the rest; the set can be started again only after that." },
	{ LULL_CAUSE_CHECKPOINT_OWNER, "the checkpoint %1 is not to be trusted: %w",
	  "Nothing was changed. A checkpoint may name a command to run, so lullcp obeys "
	  "only one that it wrote there itself. If you do not need it, remove it (rm), "
	  "then start again with --restart." },
	{ LULL_CAUSE_CHECKPOINT_DIRECTORY,
	  "cannot keep the checkpoint %1: others may write to its directory, and it "
	  "names a command to run",
	  "Give a --checkpoint in a directory that only you may write to, or leave the "
	  "option out." },
	{ LULL_CAUSE_CHECKPOINT_HOOK,
	  "the checkpoint %1 says that writers are frozen, but it was written on "
	  "another machine, or others may write to its directory: its hook was not run",
	  "The writers may still be frozen. --status shows the hook: if it is yours, "
	  "run this again with --hook=COMMAND." },
	{ LULL_CAUSE_CHECKPOINT_IN_THE_WAY,
	  "cannot write the checkpoint %1: a file that lullcp did not write has that "
	  "name",
	  "It was left alone. Rename or remove it, then run this again." },
	{ LULL_CAUSE_CHECKPOINT_IS_FILE, "--checkpoint=%1 would overwrite %2",
	  "Nothing was changed. Give another file with --checkpoint, or leave the "
	  "option out." },
	{ LULL_CAUSE_NO_CHECKPOINT, "no interrupted clone: %1 does not exist", NULL },
	{ LULL_CAUSE_TEMPORARY_IN_THE_WAY, "%1 is in the way",
	  "It has the name of the temporary file, but no checkpoint mentions it. Rename "
	  "it to keep it; if you do not need it, remove it, or use --resume or "
	  "--restart." },
	{ WORDS_ELSE, "cannot use the checkpoint %1: %e", NULL },
};

static char *checkpoint_words(const struct lull_failure *f, const char **ret_advice)
{
	struct words_of of = words_of_failure(f, "it", "it");

	if (f->cause == LULL_CAUSE_STATE_DIRECTORY ||
	    f->cause == LULL_CAUSE_GENERATIONS_DIRECTORY)
		return homeless(f, of.name, ret_advice);
	of.word = untrusted_words(f->err);
	*ret_advice = advice_for(f->cause);
	return words_choose(checkpoint_rows, f->cause, &of, ret_advice);
}

static const struct words_row record_rows[] = {
	{ LULL_CAUSE_NO_ROW, "--keep has made no clones of the name %1",
	  "Give the DEST that --keep was given, without a date." },
	{ LULL_CAUSE_RECORD_DAMAGED, "%1 is damaged, or is not a record of generations",
	  "Nothing was changed. Remove it (rm) to begin a new row; the files it lists "
	  "are yours to remove." },
	{ LULL_CAUSE_RECORD_SCHEMA,
	  "the record of generations %1 was written by another version",
	  "Nothing was changed. Use the version that wrote it, or remove it (rm) to "
	  "begin a new row; the files it lists are yours to remove." },
	{ LULL_CAUSE_RECORD_OWNER,
	  "the record of generations %1 is not to be trusted: %w",
	  "Nothing was changed. lullcp removes files that a record lists, so it obeys "
	  "only one that it wrote there itself. Remove it (rm) to begin a new row; the "
	  "files it lists are yours to remove." },
	{ WORDS_ELSE, "cannot use the record of generations %1: %e", NULL },
};

static char *record_words(const struct lull_failure *f, const char **ret_advice)
{
	struct words_of of = words_of_failure(f, "it", "it");

	of.word = untrusted_words(f->err);
	return words_choose(record_rows, f->cause, &of, ret_advice);
}

/* Failures of the base that was to be refreshed. */
static const struct words_row base_rows[] = {
	{ LULL_CAUSE_NOT_REGULAR, "cannot refresh %1: not a regular file", NULL },
	{ LULL_CAUSE_SAME_FILE, "%1 and %2 are the same file", NULL },
	{ LULL_CAUSE_HARD_LINKS, "cannot use up %1: it has several names", NULL },
	{ LULL_CAUSE_OPEN_FOR_WRITING,
	  "cannot refresh %1: a program has it open for writing",
	  "Nothing was changed. Without --refresh the clone is a new file, and the "
	  "program goes on with the old one." },
	{ LULL_CAUSE_IN_USE, "another lullcp is at work on %1",
	  "--lock-wait waits for it." },
	{ WORDS_ELSE, "cannot refresh %1: %e", NULL },
};

static const struct words_row read_rows[] = {
	{ LULL_CAUSE_IS_DIRECTORY, "cannot compare %1: not a regular file", NULL },
	{ LULL_CAUSE_NOT_REGULAR, "cannot compare %1: not a regular file", NULL },
	{ LULL_CAUSE_WRITERS, "cannot compare %1: it was written to meanwhile", NULL },
	{ LULL_CAUSE_UNPROVEN,
	  "cannot tell whether %1 and %2 are identical: the extent maps prove nothing "
	  "about %w, the first at %o",
	  "--verify without =maps reads them." },
	{ WORDS_ELSE, "cannot read %1: %e", NULL },
};

static char *read_words(const struct lull_failure *f, const char **ret_advice)
{
	struct words_of of = words_of_failure(f, "it", "it");

	of.word = words_bytes(f->len);
	return words_choose(read_rows, f->cause, &of, ret_advice);
}

static const struct words_row dest_rows[] = {
	{ LULL_CAUSE_IS_DIRECTORY, "cannot overwrite directory %1 with non-directory",
	  NULL },
	{ LULL_CAUSE_NOT_REGULAR, "cannot write %1: not a regular file", NULL },
	{ LULL_CAUSE_ONLY_IN_PLACE,
	  "cannot replace %1: it has several names, or an owner that a new file cannot "
	  "have",
	  NULL },
	{ LULL_CAUSE_DANGLING_LINK, "not writing through dangling symlink %1", NULL },
	{ LULL_CAUSE_SAME_FILE, "%1 and %2 are the same file", NULL },
	{ WORDS_ELSE, "cannot stat %1: %e", NULL },
};

static const struct words_row source_rows[] = {
	{ LULL_CAUSE_IS_DIRECTORY, "-r not specified; omitting directory %1", NULL },
	{ LULL_CAUSE_NOT_REGULAR, "cannot clone %1: not a regular file", NULL },
	{ WORDS_ELSE, "cannot stat %1: %e", NULL },
};

static const struct words_row remove_rows[] = {
	{ LULL_CAUSE_OPEN, "cannot remove %1: a program has it open", NULL },
	{ LULL_CAUSE_NOT_REGULAR, "cannot remove %1: not a regular file", NULL },
	{ WORDS_ELSE, "cannot remove %1: %e", NULL },
};

static const struct words_row publish_rows[] = {
	{ LULL_CAUSE_DEST_CHANGED, "%1 was changed meanwhile, and is left as it is",
	  "End the program that writes to it, then run this again with --resume." },
	{ LULL_CAUSE_NAME_UNSYNCED,
	  "%1 is the new clone, but its directory cannot be written to disk: %e",
	  "A power failure may undo the rename, and bring the old file back." },
	{ LULL_CAUSE_PARTLY_PUBLISHED, "cannot give %1 its name: %e",
	  "Other files of the set already have their names: --resume renames the rest." },
	{ WORDS_ELSE, "cannot give %1 its name: %e", NULL },
};

static char *publish_words(const struct lull_failure *f, const struct words_of *of,
			   const char **ret_advice)
{
	if (f->err == EXFULL && f->cause != LULL_CAUSE_DEST_CHANGED) {
		*ret_advice =
			"Run this again with --restart, which does not exchange them.";
		return words_say(
			"%1 is left as it is: it differs from its clone in so many "
			"places that the kernel might run out of space for the exchange, "
			"and shut the file system down",
			of);
	}
	if (f->err == ESTALE)
		*ret_advice = "Another program has meanwhile removed or renamed it, or "
			      "the temporary file. Run this again.";
	if (f->err == EEXIST)
		*ret_advice =
			"It was left alone. Rename or remove it, then run this again.";
	return words_choose(publish_rows, f->cause, of, ret_advice);
}

static const struct words_row stage_rows[] = {
	{ LULL_STAGE_OPEN_SOURCE, "cannot open %1 for reading: %e", NULL },
	{ LULL_STAGE_OPEN_DIR, "cannot open the directory of %1: %e", NULL },
	{ LULL_STAGE_CREATE, "cannot create regular file %1: %e", NULL },
	{ LULL_STAGE_LOCK, "cannot lock %1: %e", NULL },
	{ LULL_STAGE_ATTRIBUTES, "cannot set attributes of %1: %e", NULL },
	{ LULL_STAGE_RESIZE, "cannot change the size of %1: %e", NULL },
	{ LULL_STAGE_PROBE, "failed to clone %1 from %2: %e", NULL },
	{ LULL_STAGE_CLONE, "failed to clone %1 from %2: %e, in the %l bytes at %o",
	  NULL },
	{ LULL_STAGE_FLUSH, "cannot write out the dirty pages of %1: %e", NULL },
	{ LULL_STAGE_WALK, "cannot read the extent map of %1: %e", NULL },
	{ LULL_STAGE_PUNCH, "cannot punch a hole in %1: %e", NULL },
	{ LULL_STAGE_SYNC, "cannot write %1 to disk: %e", NULL },
	{ LULL_STAGE_SNAPSHOT, "cannot clone %1 from a snapshot: %e", NULL },
	{ LULL_STAGE_COPY_WRITE, "error writing %1: %e", NULL },
	{ LULL_STAGE_COPY, "error copying %2 to %1: %e", NULL },
	{ LULL_STAGE_BACKUP, "cannot backup %1: %e", NULL },
	{ LULL_STAGE_COPY_READ, "error reading %1: %e", NULL },
	{ WORDS_ELSE, "%1: %e", NULL },
};

/* Stages for which the cause says more than the errno. */
static const struct {
	enum lull_stage stage;
	const struct words_row *rows;
} by_cause[] = {
	{ LULL_STAGE_STAT_SOURCE, source_rows },
	{ LULL_STAGE_STAT_DEST, dest_rows },
	{ LULL_STAGE_REMOVE, remove_rows },
	{ LULL_STAGE_BASE, base_rows },
};

static char *stage_words(const struct lull_failure *f, const char **ret_advice)
{
	bool copies = f->stage == LULL_STAGE_COPY || f->stage == LULL_STAGE_COPY_READ ||
		      f->stage == LULL_STAGE_COPY_WRITE;
	struct words_of of = words_of_failure(f, "it", "it");

	if (!copies)
		*ret_advice = advice_for(f->cause);
	for (size_t i = 0; i < LENGTH(by_cause); i++) {
		if (f->stage == by_cause[i].stage)
			return words_choose(by_cause[i].rows, f->cause, &of, ret_advice);
	}
	if (f->stage == LULL_STAGE_PUBLISH)
		return publish_words(f, &of, ret_advice);
	/* --probe has no DEST. */
	if (f->stage == LULL_STAGE_PROBE && f->path && f->path2 &&
	    strcmp(f->path, f->path2) == 0)
		return words_say("cannot clone %1 here: %e", &of);
	if (!f->path2)
		of.other = "SOURCE";
	if (f->stage == LULL_STAGE_COPY_READ && f->path2)
		of.name = of.other;
	return words_choose(stage_rows, f->stage, &of, ret_advice);
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

/* Causes that are explained the same for every stage; the last is for a clone that
   waits. */
static const struct words_row first_rows[] = {
	{ LULL_CAUSE_PATH_ELSEWHERE,
	  "cannot use %1: its absolute path leads to another file",
	  "Something is mounted over one of its directories, or it is in another mount "
	  "namespace. Enter the directory again (cd), or run lullcp in that namespace." },
	{ LULL_CAUSE_LONG_PATH,
	  "cannot use %1: its absolute path is longer than 4,095 bytes, and the "
	  "checkpoint records it",
	  "Mount the directory again where the path is shorter (mount --bind), or move "
	  "it up." },
	{ LULL_CAUSE_TEMPORARY_IS_FILE,
	  "%1 has the name of the temporary file of %2: it would be lost",
	  "Nothing was changed. Rename it, or give another DEST." },
	{ WORDS_ELSE, "another lullcp is at work on %1",
	  "--lock-wait waits for it, --status shows how far it is." },
};

static const struct words_row writer_rows[] = {
	{ LULL_CAUSE_STORES, "%1 was written to meanwhile; nothing was published",
	  "Freeze its writers with --hook, or try again with --resume when they pause. "
	  "Before Linux 5.13 Btrfs does not block stores through mmap: if no program "
	  "maps SOURCE to write to it, --on-writers=snapshot is safe." },
	{ WORDS_ELSE, "%1 was written to meanwhile; nothing was published",
	  "Freeze its writers with --hook, or try again with --resume when they pause." },
};

void words_failure(enum lull_outcome outcome, const struct lull_failure *failure,
		   char **ret_message, const char **ret_advice)
{
	const struct lull_failure *f = failure;
	struct words_of of = words_of_failure(f, "it", "DEST");

	*ret_advice = NULL;
	if (outcome == LULL_BUSY && f->cause == LULL_CAUSE_SOURCE_FROZEN) {
		*ret_message =
			words_say("another lullcp has frozen %1 for a clone of its own",
				  &of);
		*ret_advice = "--lock-wait waits for its thaw.";
	} else if (outcome == LULL_BUSY) {
		*ret_message = words_choose(first_rows, WORDS_ELSE, &of, ret_advice);
	} else if (f->cause == LULL_CAUSE_PATH_ELSEWHERE ||
		   f->cause == LULL_CAUSE_LONG_PATH ||
		   f->cause == LULL_CAUSE_TEMPORARY_IS_FILE) {
		*ret_message = words_choose(first_rows, f->cause, &of, ret_advice);
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
		*ret_message = words_say(
			"%1 was written to while it was frozen; nothing was published",
			&of);
		*ret_advice =
			"The hook may return only when no write reaches SOURCE any more. "
			"A rename, a new link or a chmod of SOURCE looks like a write.";
	} else if (f->stage == LULL_STAGE_READ) {
		*ret_message = read_words(f, ret_advice);
	} else if (f->cause == LULL_CAUSE_NO_SNAPSHOT) {
		*ret_message = no_snapshot_words(f, ret_advice);
	} else if (f->cause == LULL_CAUSE_STORES || f->cause == LULL_CAUSE_WRITERS) {
		*ret_message = words_choose(writer_rows, f->cause, &of, ret_advice);
	} else {
		*ret_message = stage_words(f, ret_advice);
	}
}
