// SPDX-License-Identifier: MIT
/* What --restore refuses: see words_restore.h. */
#include "words_restore.h"

#include "quote.h"
#include "words.h"

#include <errno.h>
#include <string.h>

static const struct words_row rows[] = {
	{ LULL_CAUSE_NO_GENERATION, "%2 has no generation %1",
	  "lullcp --list=quick ROW shows what there is. A generation of a row elsewhere "
	  "is ROW.latest or ROW.DATE; the path of any file will do as well." },
	{ LULL_CAUSE_GENERATION_OTHER,
	  "%1 is not the file that lullcp made under this name",
	  "Nothing was changed. To use it anyway, give its path with a slash in it, as "
	  "in ./NAME." },
	{ LULL_CAUSE_GENERATION_INCOMPLETE, "%1 is not known to be complete",
	  "Nothing was changed. Run the command that was making it again, with "
	  "--resume." },
	{ LULL_CAUSE_UNDO_EXISTS, "%1 already exists, and is not what %2 is now",
	  "Nothing was changed. Rename it (mv) or remove it (rm), or give --no-undo." },
	{ LULL_CAUSE_UNDO_SHORTER,
	  "%1 already exists, and is what %2 is now except for zeroes at the end",
	  "Nothing was changed. A restore seems to have been interrupted: run the same "
	  "command with --resume. If something else made TARGET longer, rename the older "
	  "file first (mv)." },
	{ LULL_CAUSE_UNDO_LATE, "%2 was written to meanwhile: what it was then is in %1",
	  "TARGET is rolled back. Its .before-restore is now another file, and was left "
	  "alone." },
	{ LULL_CAUSE_TARGET_GENERATION, "%1 is the name of a generation of %2",
	  "Nothing was changed. GENERATION comes first, then the TARGET that is rolled "
	  "back to it; --force overrides." },
	{ LULL_CAUSE_TARGET_SIDECAR, "%1 lies beside %2 and may hold newer writes of it",
	  "Nothing was changed. Let the hook thaw TARGET, or see lullcp-hooks(7) for "
	  "what lies there; --force restores anyway." },
	{ LULL_CAUSE_NOT_REGULAR, "cannot restore: %1 is not a regular file", NULL },
	{ LULL_CAUSE_SAME_FILE, "%1 and %2 are the same file", NULL },
	{ LULL_CAUSE_IMMUTABLE, "cannot restore: %1 is immutable or append-only",
	  "Nothing was changed. lsattr shows i or a; chattr -i or chattr -a clears it." },
	{ LULL_CAUSE_GENERATION_AMBIGUOUS,
	  "%1 is the beginning of several generations: %w",
	  "Give more of the date, or the whole name." },
	{ LULL_CAUSE_TARGET_OPEN, "a program has %1 open",
	  "Nothing was changed. End that program (fuser -v TARGET shows it), or give "
	  "--force." },
	{ WORDS_ELSE, "cannot restore: %1: %e", NULL },
};

char *words_restore(const struct lull_failure *f, const char **ret_advice)
{
	struct words_of of = words_of_failure(f, "it", "TARGET");

	of.word = f->path2 ? f->path2 : "";
	if (f->cause == LULL_CAUSE_TARGET_OPEN && f->err == EPERM) {
		*ret_advice =
			"Nothing was changed. If none has, --force restores it anyway.";
		return words_say("cannot tell whether a program has %1 open", &of);
	}
	return words_choose(rows, f->cause, &of, ret_advice);
}
