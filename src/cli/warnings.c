// SPDX-License-Identifier: MIT
/* Sentences for warnings. */
#include "words.h"

#include "quote.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Returns why an older clone is not refreshed. */
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
		return "it is in another file system or project than the directory";
	default:
		return strerror(err);
	}
}

/* Returns why DEST did not get its new contents in one step. */
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
		return "it differs in so many places that the kernel might run out of "
		       "space for the exchange, and shut the file system down";
	case EACCES:
		return "it cannot be read";
	default:
		return strerror(err);
	}
}

/* Explains that a directory was private when the state was made and is not now: every
   later run of a row would fail. */
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

/* %w is the reason from spared_words(). */
static const char *const sentences[] = {
	[LULL_WARNING_RESUME_REDO] =
		"%1 has changed since the interruption: going over it again",
	[LULL_WARNING_FILL_LOST] = "the temporary file of %1 is gone: starting again",
	[LULL_WARNING_SOURCE_REPLACED] =
		"%1 has been replaced by another file since the interruption: starting "
		"again",
	[LULL_WARNING_FILL_CHANGED] =
		"the temporary file of %1 has changed since the interruption: starting "
		"again",
	[LULL_WARNING_COPY_REDO] =
		"cannot tell what was copied to %1 from what others may have written "
		"since the interruption: starting again",
	[LULL_WARNING_OWNER_LOST] = "cannot give the new %1 the owner of the old one: %e",
	[LULL_WARNING_LEFT_FROZEN] =
		"the writers of %1 are left frozen: --resume continues, --recover thaws "
		"them",
	[LULL_WARNING_SIDECAR] =
		"%1 may hold writes of a guest that the image beside it lacks: a freeze "
		"was not ended. Before a clone, run its hook with 'thaw IMAGE', and do "
		"what it says",
	[LULL_WARNING_SIDECAR_OLD] =
		"%1 may hold writes of a guest to the file that is replaced now: if they "
		"are not wanted, move it away, because no freeze is possible while it is "
		"there",
	[LULL_WARNING_KEPT_WRITTEN] =
		"%1 was left frozen and has been written to since: freezing it again",
	[LULL_WARNING_THAW_UNRECORDED] =
		"the writers of %1 are thawed, but that cannot be recorded: --recover "
		"will thaw them again, which does no harm",
	[LULL_WARNING_AWAY] =
		"%1 is half refreshed, under its temporary name: --resume completes it "
		"and renames it back",
	[LULL_WARNING_HARD_LINKS] = "%1 has several names: it is written in place",
	[LULL_WARNING_RETHAW] =
		"an earlier run may have left the writers of %1 frozen: thawing them",
	[LULL_WARNING_CLEANUP] = "cannot remove %1: %e",
	[LULL_WARNING_OPEN] =
		"another program has the old %1 open: it goes on with that, and uses the "
		"new one only when it opens the file again",
	[LULL_WARNING_TRUSTED] =
		"%1 was written to meanwhile: the copy may be torn (--on-writers=trust)",
	[LULL_WARNING_NOT_A_CLONE] =
		"%1 shares nothing with SOURCE: this is a clone in full",
	[LULL_WARNING_TORN] =
		"%1 was written to while its bytes were copied: the copy may be torn",
	[LULL_WARNING_STORES] =
		"%1 was written to meanwhile: the copy may be torn if a program maps it "
		"to write to it (before Linux 5.13 Btrfs does not block that)",
	[LULL_WARNING_GENERATION_GONE] =
		"the generation %1 is gone, and no longer counts",
	[LULL_WARNING_GENERATIONS_REMOVED] =
		"removed %d generations in %1: there were more than --keep says",
	[LULL_WARNING_DISCARD_REST] = "what is left of it is %1: --discard goes on there",
	[LULL_WARNING_GENERATION_OTHER] =
		"%1 is not the file that lullcp made: it is left alone, and no longer "
		"counts",
	[LULL_WARNING_GENERATION_SPARED] =
		"the generation %1 cannot be used up: %w; a clone in full instead",
	[LULL_WARNING_BASE_SPARED] = "%1 is left as it is: %w; a clone in full instead",
	[LULL_WARNING_RECORD] = "cannot bring the record %1 up to date: %e",
	[LULL_WARNING_WRITER_RACE] =
		"this kernel lacks the fix of CVE-2026-64600: programs that write "
		"directly (O_DIRECT) to %1 or a clone of it at the same time may damage "
		"the other file; update the kernel (see --probe)",
	[LULL_WARNING_NO_BASE] = "%1 does not exist: this is a clone in full",
	[LULL_WARNING_GENERATION_KEPT] = "the generation %1 is kept beyond --keep: %w",
};

/* There may be no private directory. */
static char *words_unrecorded(const char *name, const char *path, int err)
{
	static const char what[] =
		"if it is interrupted, this clone cannot be resumed: others may write to "
		"the directory of DEST, and";

	if (!path)
		return format("%s there is no private one for a checkpoint (HOME is not "
			      "set)",
			      what);
	return format("%s %s cannot be used for a checkpoint: %s", what, name,
		      words_private(err));
}

char *words_warning(enum lull_warning warning, int err, const char *path)
{
	const struct words_of of = {
		.name = path ? quote(path) : "it",
		.word = warning != LULL_WARNING_GENERATION_KEPT ? spared_words(err)
			: err == EBUSY                          ? "it is open for writing"
								: strerror(err),
		.err = err,
		.detail = err,
	};

	if (warning == LULL_WARNING_IN_PLACE)
		return format("%s was written in place and is incomplete%s%s", of.name,
			      err ? ": it could not be changed in one step: " : "",
			      in_place_words(err));
	if (warning == LULL_WARNING_STATE_PASSED_OVER)
		return words_passed_over(path);
	if (warning == LULL_WARNING_UNRECORDED)
		return words_unrecorded(of.name, path, err);
	if ((size_t)warning >= LENGTH(sentences) || !sentences[warning])
		return NULL;
	return words_say(sentences[warning], &of);
}
