// SPDX-License-Identifier: MIT
/* Sentences for streams of changes. */
#include "words_stream.h"

#include "quote.h"
#include "words_format.h"

#include <errno.h>
#include <string.h>

#define UNCHANGED "Nothing was changed. "

static char *fault_words(const struct lull_failure *f, const char **ret_advice)
{
	const char *base = f->path ? quote(f->path) : "the base";
	const char *from = f->path2 ? quote(f->path2) : "another file";

	switch ((enum lull_stream_fault)f->detail) {
	case LULL_STREAM_FOREIGN:
		*ret_advice = UNCHANGED "Give --apply what lullcp --export has written.";
		return format("standard input is no stream of --export");
	case LULL_STREAM_VERSION:
		*ret_advice = UNCHANGED
			"--apply reads version 2, with the checksum that "
			"lullcp --export writes, and version 1 with --format=1.";
		return format("standard input is an incremental diff of RBD of another "
			      "version");
	case LULL_STREAM_FIRST:
		*ret_advice = UNCHANGED
			"It has no checksum. Once something else has checked it, as zstd "
			"-t does with what zstd --check wrote, give --format=1.";
		return format("standard input is an incremental diff of RBD of version "
			      "1");
	case LULL_STREAM_CUT:
		*ret_advice = UNCHANGED
			"The program that writes the stream has failed, or what carries "
			"it: look at what it says, then send the stream again.";
		return format("the stream ends at byte %llu, before its end",
			      (unsigned long long)f->off);
	case LULL_STREAM_CHECKSUM:
		*ret_advice = UNCHANGED "It was changed on its way: send it again.";
		return format(
			"the stream is damaged: its checksum is that of other bytes");
	case LULL_STREAM_UNCHECKED:
		*ret_advice = UNCHANGED "--apply takes only what lullcp --export has "
					"written.";
		return format(
			"the stream has no checksum: it cannot be told whether it is "
			"whole");
	case LULL_STREAM_LONGER:
		*ret_advice = UNCHANGED "One run of --apply reads one stream.";
		return format("something follows the end of the stream, at byte %llu",
			      (unsigned long long)f->off);
	case LULL_STREAM_NEEDS_BASE:
		*ret_advice = UNCHANGED "Give that file, or its clone here, with --base.";
		return format("the stream holds changes to %s, and there is no --base",
			      from);
	case LULL_STREAM_IS_FULL:
		*ret_advice = UNCHANGED "Leave --base out.";
		return format("the stream holds a whole file, and no changes to %s",
			      base);
	case LULL_STREAM_OTHER_NAME:
		*ret_advice = UNCHANGED "Give the generation of that date with --base.";
		return format(
			"the stream holds changes to %s, and %s is another generation",
			from, base);
	case LULL_STREAM_OTHER_SIZE:
		*ret_advice = UNCHANGED
			"Give the file that the stream was made against "
			"with --base, or send a whole file: lullcp --export "
			"without --base.";
		return format(
			"the stream holds changes to %s, which has %llu bytes; %s has "
			"%llu",
			from, (unsigned long long)f->off, base,
			(unsigned long long)f->len);
	case LULL_STREAM_OTHER_DATA:
		*ret_advice = UNCHANGED
			"Give the file that the stream was made against "
			"with --base, or send a whole file: lullcp --export "
			"without --base.";
		return format(
			"the stream holds changes to %s, and %s holds something else",
			from, base);
	case LULL_STREAM_WHOLE:
	case LULL_STREAM_DAMAGED:
		break;
	}
	*ret_advice = UNCHANGED "It was changed on its way: send it again.";
	return format("the stream is damaged near byte %llu", (unsigned long long)f->off);
}

static char *write_words(const struct lull_failure *f, const char **ret_advice)
{
	const char *name = f->path ? quote(f->path) : "it";

	if (f->cause == LULL_CAUSE_WRITERS) {
		*ret_advice =
			"The stream has no end, so nobody applies it. Clone the file "
			"first, and export the clone.";
		return format("%s was written to meanwhile", name);
	}
	if (f->cause == LULL_CAUSE_IS_DIRECTORY || f->cause == LULL_CAUSE_NOT_REGULAR)
		return format("cannot export %s: not a regular file", name);
	if (f->path)
		return format("cannot read %s: %s", name, strerror(f->err));
	if (f->err == EPIPE)
		*ret_advice =
			"The program that reads the stream has ended: look at what it "
			"says.";
	return format("error writing the stream: %s", strerror(f->err));
}

char *words_stream(const struct lull_failure *f, const char **ret_advice)
{
	*ret_advice = NULL;
	if (f->stage == LULL_STAGE_STREAM_OUT)
		return write_words(f, ret_advice);
	if (f->cause == LULL_CAUSE_STREAM)
		return fault_words(f, ret_advice);
	if (f->cause == LULL_CAUSE_WRITERS) {
		*ret_advice = UNCHANGED "Give a --base that nobody writes to.";
		return format("%s was written to meanwhile",
			      f->path ? quote(f->path) : "the base");
	}
	if (f->path)
		return format("cannot read %s: %s", quote(f->path), strerror(f->err));
	return format("error reading the stream: %s", strerror(f->err));
}
