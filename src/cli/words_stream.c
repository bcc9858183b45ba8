// SPDX-License-Identifier: MIT
/* Sentences for streams of changes. */
#include "words_stream.h"

#include "quote.h"
#include "words_format.h"

#include <errno.h>
#include <string.h>

#define UNCHANGED "Nothing was changed. "

static const struct words_row rows[] = {
	{ LULL_STREAM_FOREIGN, "standard input is not a stream of --export",
	  UNCHANGED "Give --apply what lullcp --export has written." },
	{ LULL_STREAM_VERSION,
	  "standard input is an incremental diff of RBD of another version",
	  UNCHANGED
	  "--apply reads version 2, with the checksum that lullcp --export writes, and "
	  "version 1 with --format=1." },
	{ LULL_STREAM_FIRST, "standard input is an incremental diff of RBD of version 1",
	  UNCHANGED
	  "It has no checksum. If something else has checked it (as zstd -t checks what "
	  "zstd --check wrote), give --format=1." },
	{ LULL_STREAM_CUT, "the stream breaks off at byte %o",
	  UNCHANGED
	  "The program that writes or carries the stream has failed: see what it says, "
	  "then send the stream again." },
	{ LULL_STREAM_CHECKSUM, "the stream is damaged: its checksum does not match",
	  UNCHANGED "It was changed on its way: send it again." },
	{ LULL_STREAM_UNCHECKED,
	  "the stream has no checksum, so nothing shows whether it is whole",
	  UNCHANGED "--apply takes only what lullcp --export has written." },
	{ LULL_STREAM_LONGER, "something follows the end of the stream, at byte %o",
	  UNCHANGED "One run of --apply reads one stream." },
	{ LULL_STREAM_NEEDS_BASE,
	  "the stream holds changes to %2, but there is no --base",
	  UNCHANGED "Give that file, or its clone here, with --base." },
	{ LULL_STREAM_IS_FULL, "the stream holds a whole file, not changes to %1",
	  UNCHANGED "Leave --base out." },
	{ LULL_STREAM_OTHER_NAME,
	  "the stream holds changes to %2, but %1 is another generation",
	  UNCHANGED "Give the generation of that date with --base." },
	{ LULL_STREAM_OTHER_SIZE,
	  "the stream holds changes to %2, which has %o bytes; %1 has %l",
	  UNCHANGED
	  "Give the file that the stream was made against with --base, or send a whole "
	  "file: lullcp --export without --base." },
	{ LULL_STREAM_OTHER_DATA,
	  "the stream holds changes to %2, but %1 has other contents",
	  UNCHANGED
	  "Give the file that the stream was made against with --base, or send a whole "
	  "file: lullcp --export without --base." },
	{ WORDS_ELSE, "the stream is damaged near byte %o",
	  UNCHANGED "It was changed on its way: send it again." },
};

static char *fault_words(const struct lull_failure *f, const char **ret_advice)
{
	const struct words_of of = words_of_failure(f, "the base", "another file");

	return words_choose(rows, f->detail, &of, ret_advice);
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
			"The program that reads the stream has ended: see what it says.";
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
