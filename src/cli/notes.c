// SPDX-License-Identifier: MIT
/* Sentences in cp's words, because scripts look for them. */
#include "notes.h"

#include "quote.h"
#include "words.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The options that need a lock and a checkpoint. */
#define GUARDED "--hook, --refresh, --checkpoint, --live and --keep-frozen"

/* In a sentence, %1 to %3 are the quoted paths, %a to %c the same unquoted, %A the first
   quoted only if a shell needs that, %n the count, and %t the count as a time. */
static const char *const sentences[] = {
	[LULL_NOTE_COPIED] = "%1 -> %2",
	[LULL_NOTE_REMOVED] = "removed %1",
	[LULL_NOTE_USED_UP] = "used up %1 for %2",
	[LULL_NOTE_RESTORED] = "%1 -> %2 (unbackup)",
	[LULL_NOTE_PARENT] = "%a -> %b",
	[LULL_NOTE_ROLL_EXCHANGE] =
		"%2 becomes %1 in one step: it keeps its inode and its names",
	[LULL_NOTE_ROLL_RENAME] = "%2 becomes %1 by a new file that takes its name",
	[LULL_NOTE_EXCHANGE] =
		"exchanging the contents of %1 and its clone: programs that use it "
		"wait for about %t",
	[LULL_NOTE_SKIPPED] = "skipped %1",
	[LULL_NOTE_HOW] = "copy offload: %a, reflink: %b, sparse detection: %c",
	[LULL_NOTE_TWICE_FILE] = "warning: source file %1 specified more than once",
	[LULL_NOTE_TWICE_DIRECTORY] =
		"warning: source directory %1 specified more than once",
	[LULL_NOTE_LEFT_OUT] =
		"warning: left out %n of lullcp's own files (checkpoints, temporary "
		"files), the first %1",
	[LULL_NOTE_ROLL_IN_PLACE] =
		"warning: %2 becomes %1 in place, and not in one step: until this ends "
		"it is part of both",
	[LULL_NOTE_STAT] = "cannot stat %1",
	[LULL_NOTE_ACCESS] = "cannot access %1",
	[LULL_NOTE_OMITTED_DIRECTORY] = "-r not specified; omitting directory %1",
	[LULL_NOTE_SAME_FILE] = "%1 and %2 are the same file",
	[LULL_NOTE_NOT_REPLACING] = "not replacing %1",
	[LULL_NOTE_DIRECTORY_OVER] =
		"cannot overwrite non-directory %1 with directory %2",
	[LULL_NOTE_OVER_DIRECTORY] = "cannot overwrite directory %1 with non-directory",
	[LULL_NOTE_JUST_CREATED] = "will not overwrite just-created %1 with %2",
	[LULL_NOTE_THROUGH_CREATED] = "will not copy %1 through just-created symlink %2",
	[LULL_NOTE_BACKUP_IS_SOURCE] =
		"backing up %1 might destroy source;  %2 not copied",
	[LULL_NOTE_BACKUP] = "cannot backup %1",
	[LULL_NOTE_UNBACKUP] = "cannot un-backup %1",
	[LULL_NOTE_REMOVE] = "cannot remove %1",
	[LULL_NOTE_INTO_ITSELF] = "cannot copy a directory, %1, into itself, %2",
	[LULL_NOTE_DIRECTORY_LINK] = "will not create hard link %1 to directory %2",
	[LULL_NOTE_CYCLE] = "cannot copy cyclic symbolic link %1",
	[LULL_NOTE_MAKE_DIRECTORY] = "cannot create directory %1",
	[LULL_NOTE_NOT_DIRECTORY] = "%1 exists but is not a directory",
	[LULL_NOTE_PARENT_ATTRIBUTES] = "failed to get attributes of %1",
	[LULL_NOTE_PARENT_MAKE] = "cannot make directory %1",
	[LULL_NOTE_RELATIVE_LINK] =
		"%A: can make relative symbolic links only in current directory",
	[LULL_NOTE_SYMLINK] = "cannot create symbolic link %1 to %2",
	[LULL_NOTE_SYMLINK_ITSELF] = "cannot create symbolic link %1",
	[LULL_NOTE_HARD_LINK] = "cannot create hard link %1 to %2",
	[LULL_NOTE_READ_LINK] = "cannot read symbolic link %1",
	[LULL_NOTE_FIFO] = "cannot create fifo %1",
	[LULL_NOTE_SPECIAL] = "cannot create special file %1",
	[LULL_NOTE_UNKNOWN_TYPE] = "%1 has unknown file type",
	[LULL_NOTE_OPEN] = "cannot open %1 for reading",
	[LULL_NOTE_REPLACED] = "skipping file %1, as it was replaced while being copied",
	[LULL_NOTE_DANGLING] = "not writing through dangling symlink %1",
	[LULL_NOTE_CREATE] = "cannot create regular file %1",
	[LULL_NOTE_TIMES] = "preserving times for %1",
	[LULL_NOTE_OWNER] = "failed to preserve ownership for %1",
	[LULL_NOTE_CLEAR_MODE] = "clearing permissions for %1",
	[LULL_NOTE_MODE] = "preserving permissions for %1",
	[LULL_NOTE_SET_MODE] = "setting permissions for %1",
	[LULL_NOTE_ACL] = "%1",
	[LULL_NOTE_XATTR_LIST] = "listing attributes of %1",
	[LULL_NOTE_XATTR_GET] = "getting attribute %2 of %1",
	[LULL_NOTE_XATTR_SET] = "setting attribute %2 for %1",
	[LULL_NOTE_XATTRS_SET] = "setting attributes for %1",
	[LULL_NOTE_CANNOT_FREEZE] =
		"cannot freeze the writers of %1: --hook takes regular files",
	[LULL_NOTE_SOURCE_NOT_REGULAR] = "cannot clone %1: " GUARDED
					 " take regular files",
	[LULL_NOTE_DEST_NOT_REGULAR] = "cannot write into %1: " GUARDED
				       " make regular files",
	[LULL_NOTE_DEST_MOUNTED] =
		"cannot replace %1, which is a mount point: give --inplace, or a DEST "
		"elsewhere",
	[LULL_NOTE_DEST_WRITTEN] =
		"cannot write into %1: a program has it open for writing, and would go "
		"on with a "
		"mixture of both; end it first, or leave --inplace out",
	[LULL_NOTE_DEST_DANGLING] =
		"cannot write through %1, which is a link to nothing: " GUARDED
		" need a DEST that is no link, or a link to a file",
	[LULL_NOTE_LINK_IN_SET] =
		"cannot make %1 a hard link to %2: with --hook each SOURCE becomes a "
		"clone; --no-preserve=links clones both",
	[LULL_NOTE_SET_FULL] =
		"cannot clone %1 with the others: one freeze takes at most 64 files",
	[LULL_NOTE_SYNC] = "cannot write %1 to disk",
	[LULL_NOTE_MEMORY] = "cannot copy %1",
};

bool notes_is_report(const struct lull_note *note)
{
	return note->kind < LULL_NOTE_TWICE_FILE;
}

static void put(FILE *out, const struct lull_note *note, char what)
{
	const char *path[] = { note->path, note->path2, note->path3 };
	bool raw = what >= 'a';

	if (what == 'n') {
		(void)fprintf(out, "%llu", (unsigned long long)note->count);
		return;
	}
	if (what == 't') {
		(void)fputs(words_time(note->count), out);
		return;
	}
	if (what == 'A') {
		(void)fputs(quote_if_needed(note->path), out);
		return;
	}
	const char *text = path[raw ? what - 'a' : what - '1'];

	if (text)
		(void)fputs(raw ? text : quote(text), out);
}

char *notes_words(const struct lull_note *note)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	for (const char *s = sentences[note->kind]; *s; s++) {
		if (*s == '%')
			put(out, note, *++s);
		else
			(void)fputc(*s, out);
	}
	if (note->kind == LULL_NOTE_COPIED && note->path3)
		(void)fprintf(out, " (backup: %s)", quote(note->path3));
	if (note->err)
		(void)fprintf(out, ": %s", strerror(note->err));
	if (fclose(out) != 0) {
		free(text);
		return NULL;
	}
	return text;
}

/* Formats permissions as ls does for mode 0644 and the like. */
static void permissions(unsigned int mode, char room[10])
{
	static const char letters[] = "rwxrwxrwx";

	for (unsigned int i = 0; i < 9; i++)
		room[i] = mode & 0400u >> i ? letters[i] : '-';
	if (mode & 04000)
		room[2] = mode & 0100 ? 's' : 'S';
	if (mode & 02000)
		room[5] = mode & 0010 ? 's' : 'S';
	if (mode & 01000)
		room[8] = mode & 0001 ? 't' : 'T';
	room[9] = '\0';
}

char *notes_question(const struct lull_question *q)
{
	char mode[10];

	if (!q->unwritable)
		return format("overwrite %s? ", quote(q->dest));
	permissions(q->mode, mode);
	return format(q->replaces ? "replace %s, overriding mode %04o (%s)? "
				  : "unwritable %s (mode %04o, %s); try anyway? ",
		      quote(q->dest), q->mode, mode);
}
