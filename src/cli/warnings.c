// SPDX-License-Identifier: MIT
/* Sentences for warnings. */
#include "words.h"

#include "quote.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Why an older clone is not brought up to date. */
static const char *spared_words(int err)
{
	switch (err) {
	case EBUSY:
		return "it is open";
	case EMLINK:
		return "it has several names";
	case EINVAL:
		return "it and SOURCE differ in the NOCOW flag";
	case EXDEV:
		return "it is of another file system or project than the directory";
	default:
		return strerror(err);
	}
}

/* Why DEST did not get its new contents in one step. */
static const char *in_place_words(int err)
{
	switch (err) {
	case 0:
		return "";
	case EOPNOTSUPP:
		return "this file system cannot exchange the contents of two files (XFS "
		       "with exchange=1 can, since Linux 6.10)";
	case EINVAL:
		return "it and SOURCE differ in where they are kept (realtime device, "
		       "DAX)";
	case EXFULL:
		return "it differs in so many places that the kernel might not have room "
		       "for that, and shut the file system down";
	case EACCES:
		return "it may not be read";
	default:
		return strerror(err);
	}
}

/* A directory that was closed when the state was made and is open now stops a row for
   good. */
static char *words_passed_over(const char *path)
{
	const char *last = path ? strrchr(path, '/') : NULL;
	char *directory = last ? strndup(path, (size_t)(last - path)) : NULL;
	char *text;

	if (directory)
		text = format(
			"ignoring %s: others may write to its directory, and may have "
			"put it there; if it is yours, close the directory to them: "
			"chmod go-w %s",
			quote(path), quote_if_needed(*directory ? directory : "/"));
	else
		text = format(
			"ignoring %s: others may write to its directory, and may have "
			"put it there",
			path ? quote(path) : "it");
	free(directory);
	return text;
}

char *words_warning(enum lull_warning warning, int err, const char *path)
{
	const char *name = path ? quote(path) : "it";

	switch (warning) {
	case LULL_WARNING_RESUME_REDO:
		return format(
			"%s has changed since the interruption: going over it again",
			name);
	case LULL_WARNING_FILL_LOST:
		return format("the temporary file of %s is gone: starting again", name);
	case LULL_WARNING_SOURCE_REPLACED:
		return format(
			"%s has been replaced by another file since the interruption: "
			"starting again",
			name);
	case LULL_WARNING_FILL_CHANGED:
		return format(
			"the temporary file of %s has changed since the interruption: "
			"starting again",
			name);
	case LULL_WARNING_COPY_REDO:
		return format(
			"what was copied to %s cannot be told from what others may have "
			"written since the interruption: starting again",
			name);
	case LULL_WARNING_OWNER_LOST:
		return format("cannot give the new %s the owner of the old one: %s", name,
			      strerror(err));
	case LULL_WARNING_LEFT_FROZEN:
		return format("the writers of %s are left frozen: --resume continues, "
			      "--recover thaws them",
			      name);
	case LULL_WARNING_SIDECAR:
		return format(
			"%s may hold writes of a guest that the image beside it lacks: a "
			"freeze was not ended. What its hook says to 'thaw IMAGE' comes "
			"before a clone",
			name);
	case LULL_WARNING_SIDECAR_OLD:
		return format(
			"%s may hold writes of a guest to what is replaced now: move it "
			"away if they are not wanted, or no freeze will be possible",
			name);
	case LULL_WARNING_KEPT_WRITTEN:
		return format(
			"%s was left frozen and has been written to since: freezing it "
			"anew",
			name);
	case LULL_WARNING_THAW_UNRECORDED:
		return format(
			"the writers of %s are thawed, but that cannot be recorded: "
			"--recover will thaw them again, which does no harm",
			name);
	case LULL_WARNING_IN_PLACE:
		return format("%s was written in place and is incomplete%s%s", name,
			      err ? ": it could not be changed in one step, for " : "",
			      in_place_words(err));
	case LULL_WARNING_AWAY:
		return format("%s is away, half brought up to date: --resume completes "
			      "it and gives it its name back",
			      name);
	case LULL_WARNING_HARD_LINKS:
		return format("%s has several names: it is written in place", name);
	case LULL_WARNING_RETHAW:
		return format(
			"an earlier run may have left the writers of %s frozen: thawing "
			"them",
			name);
	case LULL_WARNING_CLEANUP:
		return format("cannot remove %s: %s", name, strerror(err));
	case LULL_WARNING_OPEN:
		return format(
			"another program has the old %s open: it goes on with that, and "
			"neither reads nor writes the new one until it opens it anew",
			name);
	case LULL_WARNING_TRUSTED:
		return format("%s was written to meanwhile: the copy may be torn "
			      "(--on-writers=trust)",
			      name);
	case LULL_WARNING_NOT_A_CLONE:
		return format("%s shares nothing with SOURCE: this is a clone in full",
			      name);
	case LULL_WARNING_TORN:
		return format(
			"%s was written to while its bytes were copied: the copy may be "
			"torn",
			name);
	case LULL_WARNING_STORES:
		return format(
			"%s was written to meanwhile: the copy may be torn if a program "
			"maps it to write to it (before Linux 5.13 Btrfs does not hold "
			"that off)",
			name);
	case LULL_WARNING_GENERATION_GONE:
		return format("the generation %s is gone, and no longer counted", name);
	case LULL_WARNING_GENERATIONS_REMOVED:
		return format("removed %d generations in %s: there were more than --keep "
			      "says",
			      err, name);
	case LULL_WARNING_DISCARD_REST:
		return format("what is left of it is %s: --discard goes on there", name);
	case LULL_WARNING_GENERATION_OTHER:
		return format(
			"%s is not the file that lullcp made: it is left alone, and no "
			"longer counted",
			name);
	case LULL_WARNING_GENERATION_SPARED:
		return format("the generation %s cannot be used up: %s; "
			      "a clone in full instead",
			      name, spared_words(err));
	case LULL_WARNING_BASE_SPARED:
		return format("%s is left as it is: %s; a clone in full instead", name,
			      spared_words(err));
	case LULL_WARNING_GENERATION_KEPT:
		return format("the generation %s is kept beyond --keep: %s", name,
			      err == EBUSY ? "it is open for writing" : strerror(err));
	case LULL_WARNING_RECORD:
		return format("cannot bring the record %s up to date: %s", name,
			      strerror(err));
	case LULL_WARNING_STATE_PASSED_OVER:
		return words_passed_over(path);
	case LULL_WARNING_UNRECORDED:
		if (!path)
			return format(
				"if it is interrupted, this clone cannot be resumed: "
				"others may write to the directory of DEST, and there is "
				"no private one for a checkpoint (HOME is not set)");
		return format(
			"if it is interrupted, this clone cannot be resumed: others may "
			"write to the directory of DEST, and %s cannot be used for a "
			"checkpoint: %s",
			name, words_private(err));
	case LULL_WARNING_WRITER_RACE:
		return format(
			"this kernel lacks the fix of CVE-2026-64600: programs that "
			"write directly (O_DIRECT) to %s or a clone of it at the same "
			"time may damage the other file; update the kernel (see --probe)",
			name);
	case LULL_WARNING_NO_BASE:
		return format("%s does not exist: this is a clone in full", name);
	}
	return NULL;
}
