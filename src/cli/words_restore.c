// SPDX-License-Identifier: MIT
/* What --restore refuses: see words_restore.h. */
#include "words_restore.h"

#include "quote.h"
#include "words.h"

#include <errno.h>
#include <string.h>

static char *open_words(int err, const char *name, const char **ret_advice)
{
	if (err == EPERM) {
		*ret_advice = "Nothing was changed. If no program has, --force restores "
			      "it all the same.";
		return format("cannot tell whether a program has %s open", name);
	}
	*ret_advice = "Nothing was changed. End that program (fuser -v TARGET shows it), "
		      "or give --force.";
	return format("a program has %s open", name);
}

char *words_restore(const struct lull_failure *f, const char **ret_advice)
{
	const char *name = f->path ? quote(f->path) : "it";
	const char *other = f->path2 ? quote(f->path2) : "TARGET";

	switch (f->cause) {
	case LULL_CAUSE_NO_GENERATION:
		*ret_advice = "lullcp --list=quick ROW shows what there is. One of a row "
			      "that lies elsewhere is ROW.latest or ROW.DATE, and a path "
			      "of any copy will do as well.";
		return format("%s has no generation %s", other, name);
	case LULL_CAUSE_GENERATION_AMBIGUOUS:
		*ret_advice = "Give more of the date, or the whole name.";
		return format("%s is the beginning of several generations: %s", name,
			      f->path2 ? f->path2 : "");
	case LULL_CAUSE_GENERATION_OTHER:
		*ret_advice = "Nothing was changed. To take it all the same, give its "
			      "path with a slash in it, as in ./NAME.";
		return format("%s is not the file that lullcp made under this name",
			      name);
	case LULL_CAUSE_GENERATION_INCOMPLETE:
		*ret_advice = "Nothing was changed. Run the command that makes it once "
			      "more, with --resume.";
		return format("%s is not known to be complete", name);
	case LULL_CAUSE_TARGET_OPEN:
		return open_words(f->err, name, ret_advice);
	case LULL_CAUSE_UNDO_EXISTS:
		*ret_advice = "Nothing was changed. Rename it (mv) or remove it (rm), or "
			      "give --no-undo.";
		return format("%s exists already, and is not what %s is now", name,
			      other);
	case LULL_CAUSE_UNDO_SHORTER:
		*ret_advice =
			"Nothing was changed. A restore seems to have been cut off: run "
			"the same command with --resume. If TARGET was made longer by "
			"something else, rename the older file first (mv).";
		return format("%s exists already, and is what %s is now but for the "
			      "zeroes at its end",
			      name, other);
	case LULL_CAUSE_UNDO_LATE:
		*ret_advice = "TARGET is rolled back. Its .before-restore is another "
			      "file by now, and was left alone.";
		return format("%s was written to meanwhile: what it was then is %s",
			      other, name);
	case LULL_CAUSE_TARGET_GENERATION:
		*ret_advice = "Nothing was changed. GENERATION comes first, then the "
			      "TARGET that is rolled back to it; --force overrides.";
		return format("%s is the name of a generation of %s", name, other);
	case LULL_CAUSE_TARGET_SIDECAR:
		*ret_advice = "Nothing was changed. Let the hook thaw TARGET, or see "
			      "lullcp-hooks(7) for what lies there; --force restores all "
			      "the same.";
		return format("%s lies beside %s and may hold newer writes of it", name,
			      other);
	case LULL_CAUSE_NOT_REGULAR:
		return format("cannot restore: %s is not a regular file", name);
	case LULL_CAUSE_SAME_FILE:
		return format("%s and %s are the same file", name, other);
	case LULL_CAUSE_IMMUTABLE:
		*ret_advice = "Nothing was changed. lsattr shows i or a; chattr -i or "
			      "chattr -a takes it away.";
		return format("cannot restore: %s is immutable or append-only", name);
	default:
		return format("cannot restore: %s: %s", name, strerror(f->err));
	}
}
