// SPDX-License-Identifier: MIT
/*
 * DESIGN
 *
 * A sidecar that has data and that no QEMU uses holds either the newest writes, or writes
 * older than the image, because a guest was started from the image since. A commit is
 * right in the first case and puts old data over new in the second. The time at which the
 * image was last written to tells the two apart. The first line that fits counts:
 *
 *     as a freeze left it, or a merge whose QEMU was seen to end   commit
 *     older than the mark says, or another file: it was restored   do not
 *     written to after a freeze that no merge has followed         do not
 *     written to no later than the sidecar                         commit
 *     written to later, before the freeze had returned             do not
 *     written to later, by a merge that had begun or by a guest    ask a person
 *
 * Where a commit is not certain to be right, the advice changes neither file.
 *
 * A sidecar into which somebody has streamed the image has no backing file. It gets the
 * image as its backing file again before the commit: where the sidecar has nothing, the
 * image had nothing either, or has what QEMU had copied but not yet entered into its
 * tables when it was killed. If the disk was resized, the sidecar has the new size: a
 * commit makes the image larger by itself, but never smaller.
 */
#include "advice.h"

#include "pointer.h"
#include "peer.h"
#include "qcow2.h"
#include "say.h"
#include "search.h"
#include "sidecar.h"
#include "sys/clock.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Longest wait for a process to close its files after the monitor has shown its end. */
#define LAST_NS (5 * NSEC_PER_SEC)
#define LOOK_NS (10 * NSEC_PER_MSEC)
/* Numbers tried for an unused name. */
#define MOST_NAMES 1000

char *advice_quoted(const char *text)
{
	size_t len = strlen(text), n_quotes = 0, at = 0;
	char *word;

	for (size_t i = 0; i < len; i++)
		n_quotes += text[i] == '\'';
	word = malloc(len + 3 * n_quotes + 3);
	if (!word)
		return NULL;
	word[at++] = '\'';
	for (size_t i = 0; i < len; i++) {
		if (text[i] == '\'') {
			memcpy(word + at, "'\\''", 4);
			at += 4;
		} else {
			word[at++] = text[i];
		}
	}
	word[at++] = '\'';
	word[at] = '\0';
	return word;
}

static bool is_later(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec != b->tv_sec ? a->tv_sec > b->tv_sec : a->tv_nsec > b->tv_nsec;
}

static bool is_merged(const struct mark *mark, const char *sidecar)
{
	struct stat st;

	return mark->known && mark->state == MARK_MERGED && lstat(sidecar, &st) == 0 &&
	       mark->size == (uint64_t)st.st_size &&
	       !is_later(&mark->written, &st.st_mtim) &&
	       !is_later(&st.st_mtim, &mark->written);
}

enum verdict { COMMIT, DO_NOT, UNCERTAIN, ANOTHER };

static enum verdict judge(const struct disk *disk)
{
	const struct mark *mark = &disk->state.mark;
	struct stat image, sidecar;

	if (stat(disk->source, &image) < 0 || lstat(disk->sidecar, &sidecar) < 0)
		return UNCERTAIN;
	if (mark_is_untouched(mark, &image) && mark->state != MARK_MERGED)
		return COMMIT;
	if (mark->known && mark->state == MARK_MERGED)
		return UNCERTAIN;
	if (mark->known &&
	    (mark->ino != image.st_ino || is_later(&mark->written, &image.st_mtim)))
		return ANOTHER;
	if (mark->known && mark->state == MARK_FROZEN)
		return DO_NOT;
	if (!is_later(&image.st_mtim, &sidecar.st_mtim))
		return COMMIT;
	return mark->known && mark->state == MARK_BETWEEN ? DO_NOT : UNCERTAIN;
}

/* Doubles the commas: in QEMU's options one comma ends a value, and two stand for one. */
static char *doubled(const char *text)
{
	char *made = malloc(2 * strlen(text) + 1), *at = made;

	for (; made && *text; text++) {
		if (*text == ',')
			*at++ = ',';
		*at++ = *text;
	}
	if (made)
		*at = '\0';
	return made;
}

/* What the sidecar and its mark say. */
struct contents {
	bool is_over_it;               /* the image is the sidecar's backing file */
	char format[QCOW2_FORMAT_LEN]; /* format of the image; empty if unknown */
	uint64_t cut;                  /* the size to which the disk was cut, or 0 */
};

static struct contents look_into(const struct disk *disk)
{
	struct mark mark = mark_read(disk->sidecar);
	struct sidecar_header header = { 0 };
	struct contents contents = { 0 };
	_cleanup_free_ char *name = NULL;
	bool is_read = sidecar_read_header(disk->sidecar, &header) == 0;
	struct stat st;

	contents.is_over_it = true;
	if (is_read && !header.has_backing) {
		contents.is_over_it = false;
	} else {
		(void)snprintf(contents.format, sizeof(contents.format), "raw");
		/* compare the files: the image may have another name than when it was
		   frozen */
		if (qcow2_backing(disk->sidecar, &name, contents.format) == 0)
			contents.is_over_it = stat(name, &st) == 0 &&
					      peer_same_file(&st, &disk->st);
	}
	/* The mark is right about the format: the sidecar may now be over what was below
	   the image. */
	if (mark.known && mark.format[0]) {
		(void)snprintf(contents.format, sizeof(contents.format), "%s",
			       mark.format);
		if (is_read && header.size < mark.disk)
			contents.cut = header.size;
	}
	return contents;
}

/*
 * Returns a command that writes the disk, as it would be with the sidecar's data, into a
 * new file. The command names the backing file as an option: writing it into the sidecar
 * would make that look newer than the image.
 */
static char *look_command(const struct disk *disk, const struct contents *contents,
			  const char *other)
{
	const char *format = contents->format[0] ? contents->format : "raw";
	_cleanup_free_ char *sidecar = doubled(disk->sidecar);
	_cleanup_free_ char *source = doubled(disk->source);
	_cleanup_free_ char *options = NULL, *word = NULL;
	_cleanup_free_ char *backing = NULL;
	char *command = NULL;

	if (!sidecar || !source ||
	    asprintf(&backing,
		     ",backing.driver=%s,backing.file.driver=file,"
		     "backing.file.filename=%s",
		     format, source) < 0) {
		backing = NULL;
		return NULL;
	}
	if (asprintf(&options, "driver=qcow2,file.driver=file,file.filename=%s%s",
		     sidecar, contents->format[0] ? backing : "") < 0) {
		options = NULL;
		return NULL;
	}
	word = advice_quoted(options);
	if (!word || asprintf(&command, "qemu-img convert --image-opts -O %s %s %s",
			      format, word, other) < 0)
		return NULL;
	return command;
}

/* Returns a quoted name that does not exist, so that the command told to the user
   overwrites nothing. */
static char *unused_name(const char *path, const char *suffix)
{
	for (int i = 1; i < MOST_NAMES; i++) {
		_cleanup_free_ char *name = NULL;
		struct stat st;

		if ((i == 1 ? asprintf(&name, "%s%s", path, suffix)
			    : asprintf(&name, "%s%s.%d", path, suffix, i)) < 0) {
			name = NULL;
			return NULL;
		}
		if (lstat(name, &st) < 0)
			return advice_quoted(name);
	}
	return NULL;
}

/* Returns a command that merges the sidecar and removes it. */
static char *commit_command(const struct disk *disk, const struct contents *contents)
{
	_cleanup_free_ char *sidecar = advice_quoted(disk->sidecar);
	_cleanup_free_ char *source = advice_quoted(disk->source);
	_cleanup_free_ char *link = pointer_of(disk->source, disk->sidecar);
	_cleanup_free_ char *pointer = link ? advice_quoted(link) : NULL;
	_cleanup_free_ char *rebase = NULL, *resize = NULL;
	char *command = NULL;

	if (!sidecar || !source || (link && !pointer))
		return NULL;
	if (!contents->is_over_it &&
	    asprintf(&rebase, "qemu-img rebase -u -f qcow2 -b %s -F %s %s && ", source,
		     contents->format, sidecar) < 0) {
		rebase = NULL;
		return NULL;
	}
	if (contents->cut &&
	    asprintf(&resize, " && qemu-img resize --shrink -f %s %s %" PRIu64,
		     contents->format, source, contents->cut) < 0) {
		resize = NULL;
		return NULL;
	}
	if (asprintf(&command, "%sqemu-img commit %s%s && rm %s%s%s",
		     rebase ? rebase : "", sidecar, resize ? resize : "", sidecar,
		     pointer ? " " : "", pointer ? pointer : "") < 0)
		return NULL;
	return command;
}

void advice_give(const struct disk *disk, bool runs)
{
	struct contents contents = look_into(disk);
	_cleanup_free_ char *sidecar = advice_quoted(disk->sidecar);
	_cleanup_free_ char *source = advice_quoted(disk->source);
	_cleanup_free_ char *other = unused_name(disk->source, ".merged");
	_cleanup_free_ char *away = unused_name(disk->sidecar, ".old");
	_cleanup_free_ char *commit = commit_command(disk, &contents);
	_cleanup_free_ char *convert = other ? look_command(disk, &contents, other)
					     : NULL;

	if (!sidecar || !source || !other || !away || !commit || !convert) {
		say("'%s' is kept; out of memory", disk->sidecar);
		return;
	}
	if (runs) {
		say("%s may hold writes that are missing in %s, and a QEMU uses the "
		    "image without it: while it was frozen, the guest was restarted, "
		    "or the disk was unplugged or merged by somebody else. It is "
		    "kept. End that QEMU (quit: a shutdown writes to the image), and "
		    "thaw again, which says what to do with it",
		    sidecar, source);
		return;
	}
	if (!contents.format[0]) {
		say("%s holds the whole disk of %s: the image was copied into it "
		    "(block-stream). It is kept. The format of the image is recorded "
		    "nowhere. To get the disk as a raw file, without changing either, "
		    "run: %s",
		    sidecar, source, convert);
		return;
	}
	switch (judge(disk)) {
	case COMMIT:
		say("%s holds writes that are missing in %s%s; it is kept. Before a "
		    "guest is started from the image, run: %s",
		    sidecar, source,
		    contents.cut ? ", and the disk was made smaller while it was frozen"
				 : "",
		    commit);
		break;
	case DO_NOT:
		say("%s was written to after %s, by a guest that was started from it, "
		    "or by somebody who merged it: do not commit the sidecar, which "
		    "would put old data over new. It holds earlier writes and is "
		    "kept. If they are not wanted, for example because the image was "
		    "restored, mv -n %s %s puts it away. To get a copy of the disk "
		    "with them, without changing either, run: %s",
		    source, sidecar, sidecar, away, convert);
		break;
	case ANOTHER:
		say("%s is not the file that was frozen, or is older: it may have "
		    "been restored. Do not commit the sidecar %s, which would mix two "
		    "disks. It holds earlier writes and is kept. If they are not "
		    "wanted, run: mv -n %s %s",
		    source, sidecar, sidecar, away);
		break;
	case UNCERTAIN:
		say("%s was written to after %s: by a merge that was cut off, or by a "
		    "guest that was started from it since. The sidecar is kept. If no "
		    "guest was: %s. If one was, do not commit it, which would put old "
		    "data over new: mv -n %s %s puts it away. To get a copy of the "
		    "disk with its contents, without changing either, run: %s",
		    source, sidecar, commit, sidecar, away, convert);
		break;
	}
}

void advice_foreign(const struct disk *disk)
{
	_cleanup_free_ char *lost = pointer_of_lost(disk->source);
	_cleanup_free_ char *word = lost ? advice_quoted(lost) : NULL;

	if (word)
		say("%s leads to the sidecar of a freeze, which is not there. If its "
		    "file system is not mounted, mount it and thaw again. If the sidecar "
		    "was merged and removed by hand, run: rm %s",
		    word, word);
	else
		say("'%s' is where a sidecar would be, but is not one; it is kept. "
		    "Look at it, and move it away",
		    disk->sidecar);
}

bool advice_take_down(struct disk *disk)
{
	uint64_t until = lull_clock_now() + LAST_NS;
	struct mark mark = disk->state.mark;
	struct stat st;

	if (!disk->state.has_sidecar || !mark.known || !disk->started)
		return false;
	while (sidecar_is_unused(disk->sidecar, &disk->st) == -EBUSY) {
		if (lull_clock_now() >= until)
			return false; /* only the monitor is gone */
		lull_clock_sleep(LOOK_NS);
	}
	/* QEMU may have been told to change over, and whether it did is unknown. If it
	   did, the guest may have written to the image only, and the state of the image
	   proves nothing. */
	if (mark.state == MARK_COMPLETING && !disk->completed)
		return true;
	if (disk->completed && disks_sync(disk) < 0)
		return true;
	mark.state = disk->completed ? MARK_MERGED : MARK_MERGING;
	if ((disk->completed ? lstat(disk->sidecar, &st) : stat(disk->source, &st)) < 0)
		return false;
	mark_image(&mark, &st);
	/* Without the mark the advice is only more careful. */
	if (mark_write(disk->sidecar, &mark) == 0)
		disk->state.mark = mark;
	return true;
}

/* As sidecar_is_unused(), but does not rely on locks alone: QEMU can run without them. */
static int is_unused(const char *path, const struct stat *source)
{
	_cleanup_free_ char *who = NULL;
	struct stat st;
	struct mark mark = mark_read(path);
	int r = sidecar_is_unused(path, source);

	/* the freeze was killed while it made the sidecar */
	if (r == -EBADMSG && mark.known && mark.state == MARK_BETWEEN && mark.format[0] &&
	    qcow2_is_unfinished(path, mark.disk))
		r = 1;
	if ((r < 0 && r != -EBADMSG) || lstat(path, &st) < 0)
		return r;
	who = peer_other_writer(0, &st);
	return who ? -EBUSY : r;
}

/* Returns true if the disk was resized, which a sidecar without data may record too. */
static bool was_resized(const struct mark *mark, const char *path)
{
	struct sidecar_header header;

	return mark->known && mark->format[0] &&
	       sidecar_read_header(path, &header) == 0 && header.size != mark->disk;
}

/* held: a path that leads to the sidecar even if its directory is renamed. */
static int remove_if_done(struct disk *disk, const char *held)
{
	int r = is_unused(held, &disk->st);
	struct mark mark = mark_read(held);

	if (r > 0 && was_resized(&mark, held))
		r = 0;
	if (r > 0 || (r == 0 && is_merged(&mark, held)))
		return pointer_remove_sidecar(disk->source, disk->sidecar, held);
	if (r == 0 || (r == -EBADMSG && search_is_of(held, &disk->st)))
		return -EEXIST;
	return r;
}

int advice_remove(struct disk *disk)
{
	struct sidecar_hold hold;
	int r = sidecar_hold(disk->sidecar, &hold);

	if (r < 0)
		return r;
	r = remove_if_done(disk, hold.path);
	sidecar_let_go(&hold);
	return r;
}

static bool is_empty(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 && S_ISREG(st.st_mode) && st.st_size == 0;
}

bool advice_settle(struct disk *disk)
{
	int r = is_unused(disk->sidecar, &disk->st);

	if (r == -EBUSY) {
		say("'%s' is in use by a QEMU, and holds writes that are missing in "
		    "'%s'; it is kept. Thaw by the monitor of that QEMU, or end that "
		    "QEMU and thaw again",
		    disk->sidecar, disk->source);
		return false;
	}
	/* A sidecar without data that this hook did not make may be about to be used by
	   whoever made it. An empty file is not. */
	if ((r == 0 && is_merged(&disk->state.mark, disk->sidecar)) ||
	    (r > 0 && (disk->state.mark.known || is_empty(disk->sidecar)) &&
	     !was_resized(&disk->state.mark, disk->sidecar))) {
		r = advice_remove(disk);
		if (r == 0)
			return true;
		say("'%s' holds nothing that is missing in '%s', but cannot be removed: "
		    "%s",
		    disk->sidecar, disk->source, strerror(-r));
		return false;
	}
	if (r == -EBADMSG && !search_is_of(disk->sidecar, &disk->st))
		advice_foreign(disk);
	else
		advice_give(disk, false);
	return false;
}
