// SPDX-License-Identifier: MIT
/*
 * DESIGN
 *
 * The merge reads the state of all disks, takes one step for each, waits for an event,
 * and repeats this until all are done. Events only wake it: the jobs and the graph
 * decide, so that it does not matter if an event went to an earlier call or never came.
 *
 *     redirected -> mark -> block-commit -> busy -> ready -> job-complete -> concluded
 *                -> chain looked at -> guest woken -> sidecar removed -> job dismissed
 *
 * INVARIANTS
 *  1. The sidecar is removed only if it holds nothing, or if a job with its name (which
 *     contains its inode) has concluded without an error and QEMU no longer has it in the
 *     graph. Jobs do not dismiss themselves: until the sidecar is gone they prove, also
 *     to a later call, that it may be removed. Jobs of sidecars that are gone are
 *     dismissed before a new sidecar is made.
 *  2. The mark is set before a job begins: from then on the image is not of one point in
 *     time.
 *  3. A merge that takes too long continues inside QEMU; a later call takes it up.
 */
#include "merge.h"

#include "advice.h"
#include "guest.h"
#include "pointer.h"
#include "say.h"
#include "search.h"
#include "sidecar.h"
#include "sys/clock.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

/* Interval without an event, for what QEMU does not report, such as a job that somebody
   dismissed. */
#define LOOK_NS (250 * NSEC_PER_MSEC)
/* QEMU normally closes the file before it reports the end of the job. */
#define LET_GO_NS (2 * NSEC_PER_SEC)
/* Events that have arrived already. */
#define MOST_WORDS    1000
#define LAST_WORDS_NS (1 * NSEC_PER_MSEC)

/* Returns 0, because QEMU still answers and the other disks continue. */
static int fail(struct disk *disk)
{
	disk->failed = true;
	disk->over = true;
	return 0;
}

static int dismiss(struct qmp *qmp, const char *job)
{
	int r = qmp_run(qmp, "job-dismiss", json_pack("{s:s}", "id", job), NULL);

	return r == -EREMOTEIO ? 0 : r; /* somebody else has dismissed it */
}

/* Records how far the merge has come, if the sidecar has a mark. Returns 0 or -errno. */
static int set_state(struct disk *disk, enum mark_state state)
{
	struct mark mark = disk->state.mark;
	struct stat st;
	int r;

	if (!disk->state.has_sidecar || !mark.known || mark.state == state)
		return 0;
	mark.state = state;
	if (state == MARK_MERGED) {
		if (lstat(disk->sidecar, &st) < 0)
			return -errno;
		mark_image(&mark, &st);
	}
	r = mark_write(disk->sidecar, &mark);
	if (r == 0)
		disk->state.mark = mark;
	return r;
}

/* Returns true, having said so, if the merge would lose what somebody has added to the
   overlay. */
static bool holds_more(struct disk *disk)
{
	if (!disk->state.extra)
		return false;
	say("'%s' holds %s, which was made while '%s' was frozen and would be lost in "
	    "the merge; the disk goes on in that file, nothing is lost. Copy what you "
	    "need of it, remove it, and thaw again",
	    disk->sidecar, disk->state.extra, disk->source);
	(void)fail(disk);
	return true;
}

/*
 * Returns true, having said so, if the disk was made smaller while it was redirected: a
 * merge makes the image as large as the disk, but never smaller.
 */
static bool was_cut(struct disk *disk)
{
	const struct mark *mark = &disk->state.mark;
	uint64_t before = disk->state.size;

	if (mark->known && mark->format[0])
		before = mark->disk;
	if (disk->made_size)
		before = disk->made_size;
	if (disk->state.overlay_size >= before)
		return false;
	say("the disk of '%s' was made smaller while it was frozen, from %" PRIu64
	    " to %" PRIu64
	    " bytes, and would have its old size after a merge; it goes on "
	    "in '%s', nothing is lost. Give it that size again (block_resize of the node "
	    "'%s' to %" PRIu64 "), thaw again, and make it smaller then",
	    disk->source, before, disk->state.overlay_size, disk->sidecar,
	    disk->state.overlay, before);
	(void)fail(disk);
	return true;
}

static int begin(struct disk *disk, struct qmp *qmp)
{
	enum guest_place place;
	int r = guest_find(qmp, &place);

	if (r < 0)
		return r;
	if (place == GUEST_IS_GONE) {
		say("the guest has migrated to another QEMU, which now has the disk "
		    "of '%s'. Nothing is merged, and '%s' is kept. Thaw by the "
		    "monitor of that QEMU; or, when the guest is shut down and no "
		    "QEMU uses either, thaw again",
		    disk->source, disk->sidecar);
		return fail(disk);
	}
	if (disk->state.blocker) {
		say("cannot merge '%s' into '%s': %s works on the disk; the disk goes on "
		    "in that file, nothing is lost; thaw again when it is gone",
		    disk->sidecar, disk->source, disk->state.blocker);
		return fail(disk);
	}
	if (holds_more(disk) || was_cut(disk))
		return 0;
	if (disk->state.renamed) {
		say("'%s' was '%s' when it was frozen, and QEMU cannot merge '%s' "
		    "into a file that it does not find; the disk goes on in that "
		    "file, nothing is lost. Give the image that name again (a link "
		    "will do: ln), and thaw it by that name",
		    disk->source, disk->state.renamed, disk->sidecar);
		return fail(disk);
	}
	if (disk->state.has_sidecar) {
		r = sidecar_mark(disk->sidecar, true);
		if (r == 0)
			r = set_state(disk, MARK_MERGING);
		if (r < 0) {
			say("cannot mark '%s': %s; it is not merged, and keeps the "
			    "writes. Thaw again",
			    disk->sidecar, strerror(-r));
			return fail(disk);
		}
	}
	r = qmp_run(qmp, "block-commit",
		    json_pack("{s:s, s:s, s:s, s:s, s:b}", "job-id", disk->name, "device",
			      disk->state.top, "top-node", disk->state.overlay,
			      "base-node", disk->state.image, "auto-dismiss", 0),
		    NULL);
	if (r == -EREMOTEIO) {
		say("cannot merge '%s' into '%s': %s; the disk goes on in that file, "
		    "nothing is lost; thaw again when the cause is gone",
		    disk->sidecar, disk->source, qmp_why(qmp));
		return fail(disk);
	}
	disk->started = disk->begun = r == 0;
	return r;
}

/* Removes the sidecar, unless another file has its name by now. */
static int remove_merged(const struct disk *disk)
{
	struct sidecar_hold hold;
	struct stat st;
	int r = sidecar_hold(disk->sidecar, &hold);

	if (r < 0)
		return r;
	if (lstat(hold.path, &st) < 0)
		r = -errno;
	else if (!S_ISREG(st.st_mode) ||
		 (disk->state.mark.known && !search_is_of(hold.path, &disk->st)))
		r = -ESTALE;
	else
		r = pointer_remove_sidecar(disk->source, disk->sidecar, hold.path);
	sidecar_let_go(&hold);
	return r;
}

/*
 * Returns true if QEMU still has the sidecar open for writing. The caller then looks
 * again, until a deadline after which the disk has failed. QEMU says that it no longer
 * uses the sidecar, but its descriptors are more reliable: if QEMU may write there, so
 * may the guest. Below somebody else's snapshot QEMU has it open for reading until the
 * job is dismissed, which does not matter.
 */
static bool is_held(struct disk *disk)
{
	uint64_t now = lull_clock_now();

	if (!disk->state.is_written_yet)
		return false;
	if (!disk->let_go_by)
		disk->let_go_by = now + LET_GO_NS;
	if (now < disk->let_go_by)
		return true;
	say("QEMU says that '%s' is merged into '%s', but still has the file open for "
	    "writing; it is kept. Thaw again when QEMU has closed it",
	    disk->sidecar, disk->source);
	(void)fail(disk);
	return true;
}

/* Ends the merge after a job without an error. */
static int finish(struct disk *disk, struct qmp *qmp)
{
	int r;

	/* A job that was cancelled when it was ready also ends without an error, but
	   leaves the overlay on top. If somebody has removed that overlay since, only the
	   hook's own record says that QEMU was told to change over. A job below somebody
	   else's snapshot is never ready: it ends when all is merged. */
	if (!disk->asked && disk->state.mark.state != MARK_COMPLETING &&
	    !(disk->begun && !disk->was_ready)) {
		say("the merge of '%s' into '%s' has ended, but this hook did not end "
		    "it, so whether all of it was merged is not known. The file is "
		    "kept; end this QEMU and thaw again, which says what can be done",
		    disk->sidecar, disk->source);
		return fail(disk);
	}
	if (disk->state.is_used) {
		say("'%s' is merged into '%s', but QEMU still uses the file; it is "
		    "kept. Thaw again when nothing uses the node '%s'",
		    disk->sidecar, disk->source, disk->name);
		return fail(disk);
	}
	if (is_held(disk))
		return 0;
	r = disks_sync(disk);
	if (r < 0) {
		say("'%s' is merged into '%s', but whether that is on disk is not known: "
		    "%s; it is kept. Thaw again",
		    disk->sidecar, disk->source, strerror(-r));
		return fail(disk);
	}
	/* Wake the guest before the sidecar is removed: without a sidecar no later call
	   would do it. */
	r = guest_wake(qmp);
	if (r < 0) {
		say("'%s' is merged into '%s', but the guest may be paused after an I/O "
		    "error, and cannot be told to go on: %s; it is kept. Thaw again, or "
		    "have the guest go on (cont)",
		    disk->sidecar, disk->source, qmp_why(qmp));
		(void)fail(disk);
		return r == -EREMOTEIO ? 0 : r;
	}
	/* If the sidecar cannot be removed now, a later call knows that it may. */
	if (set_state(disk, MARK_MERGED) < 0)
		say("cannot record in the attributes of '%s' that it is merged",
		    disk->sidecar);
	r = disk->state.has_sidecar ? remove_merged(disk) : 0;
	if (r < 0) {
		say("'%s' is merged into '%s' but cannot be removed: %s", disk->sidecar,
		    disk->source, strerror(-r));
		return fail(disk);
	}
	if (disk->state.is_anothers)
		say("'%s' is thawed: it was frozen by a run of lullcp (%s), which "
		    "cannot finish its clone now",
		    disk->source, disk->state.mark.run);
	disk->merged = true;
	disk->over = true;
	return dismiss(qmp, disk->name);
}

static int conclude(struct disk *disk, struct qmp *qmp)
{
	const char *why = disk->state.job_error;

	/* A job that was cancelled when it was ready ends without an error and without a
	   merge. */
	if (!why && !disk->state.is_redirected)
		return finish(disk, qmp);
	/* QEMU does not write to the image any more. */
	if (set_state(disk, MARK_MERGING) < 0)
		say("cannot write into the attributes of '%s'", disk->sidecar);
	if (disk->started) {
		say("merging '%s' into '%s' failed: %s; the disk goes on in that file, "
		    "nothing is lost; thaw again when the cause is gone",
		    disk->sidecar, disk->source, why ? why : "the job was cancelled");
		(void)fail(disk);
	}
	/* If the job failed in an earlier call, begin a new one. */
	return dismiss(qmp, disk->name);
}

/* Settles a disk that is not redirected and has no job. */
static void settle(struct disk *disk)
{
	int r;

	disk->over = true;
	if (!disk->state.has_sidecar)
		return;
	r = disk->state.is_its_disk ? -EBUSY : advice_remove(disk);
	switch (r) {
	case 0:
		return;
	case -EEXIST:
		advice_give(disk, disk->state.is_open);
		break;
	case -EBUSY:
		if (disk->state.is_its_disk) {
			say("this QEMU has '%s' open directly, and not as an overlay "
			    "of '%s': the guest was started from it, or the image was "
			    "copied into it (block-stream). The guest's writes are "
			    "there, and it is kept. When the guest is shut down, thaw "
			    "again, which says how to merge it into '%s'",
			    disk->sidecar, disk->source, disk->source);
			break;
		}
		say("'%s' is in use, but not by the QEMU at this monitor: is it the "
		    "right one?",
		    disk->sidecar);
		break;
	case -EBADMSG:
		advice_foreign(disk);
		break;
	default:
		say("cannot look at or remove '%s': %s", disk->sidecar, strerror(-r));
	}
	(void)fail(disk);
}

static bool leave(struct disk *disk)
{
	_cleanup_free_ char *owner = NULL;

	if (!disks_is_left(disk))
		return false;
	owner = disks_owner(disk);
	say("'%s' is frozen %s, and is left frozen", disk->source, owner ? owner : "");
	disk->over = true;
	return true;
}

static int step(struct disk *disk, struct qmp *qmp)
{
	int r = 0;

	if (leave(disk))
		return 0;
	if (disk->state.is_refused && disk->state.is_free && disk->thaws &&
	    disk->state.job == DISKS_JOB_NONE) {
		disk->over = true;
		return 0;
	}
	if (disk->state.is_refused) {
		return fail(disk);
	}
	if (disk->state.stale_job)
		return dismiss(qmp, disk->state.stale_job);
	if (disk->state.job == DISKS_JOB_CONCLUDED)
		return conclude(disk, qmp);
	if (disk->state.job == DISKS_JOB_BUSY) {
		disk->started = true;
	} else if (disk->state.job == DISKS_JOB_READY) {
		disk->started = disk->was_ready = true;
		if (!disk->asked && holds_more(disk))
			return 0;
		if (!disk->asked)
			r = set_state(disk, MARK_COMPLETING);
		if (r < 0) {
			say("cannot write to the attributes of '%s': %s; it is not "
			    "fully merged, and keeps the writes. Thaw again",
			    disk->sidecar, strerror(-r));
			return fail(disk);
		}
		if (!disk->asked)
			r = qmp_run(qmp, "job-complete",
				    json_pack("{s:s}", "id", disk->name), NULL);
		disk->asked = disk->asked || r == 0;
		/* QEMU was not told to complete, and whoever ends the job now may cancel
		   it. */
		if (r == -EREMOTEIO && !disk->asked && set_state(disk, MARK_MERGING) < 0)
			say("cannot write into the attributes of '%s'", disk->sidecar);
	} else if (disk->state.is_redirected && disk->started) {
		say("somebody else ended the merge of '%s' into '%s'; the disk goes "
		    "on in the first, nothing is lost; thaw again",
		    disk->sidecar, disk->source);
		(void)fail(disk);
	} else if (disk->state.is_redirected) {
		return begin(disk, qmp);
	} else {
		settle(disk);
	}
	/* A refusal may mean that a job that was ready is not any more: look again. */
	return r == -EREMOTEIO ? 0 : r;
}

/* Says what became of the disks that are not done. */
static void report_unfinished(const struct disks *disks, const char *why)
{
	for (size_t i = 0; i < disks->n; i++) {
		const struct disk *disk = &disks->disk[i];
		uint64_t left = disk->state.total -
				MIN(disk->state.done, disk->state.total);

		if (disk->over ||
		    (!disk->state.is_redirected && !disk->state.has_sidecar))
			continue;
		say("'%s' is not merged into '%s': %s, with %.1f MiB left. Writes go on, "
		    "nothing is lost; a merge that has begun goes on inside QEMU, and "
		    "the next thaw (lullcp --recover) ends it",
		    disk->sidecar, disk->source, why, (double)left / 1048576.0);
	}
}

static bool all_over(const struct disks *disks)
{
	for (size_t i = 0; i < disks->n; i++) {
		if (!disks->disk[i].over)
			return false;
	}
	return true;
}

static int look_and_step(struct disks *disks, struct qmp *qmp)
{
	int r = disks_look(disks, qmp);

	for (size_t i = 0; r == 0 && i < disks->n; i++) {
		if (disks->disk[i].over)
			continue;
		r = step(&disks->disk[i], qmp);
		if (r < 0 && r != -EINTR)
			say("merging '%s': %s", disks->disk[i].source, qmp_why(qmp));
	}
	return r;
}

static void hear(void *ctx, json_t *event)
{
	struct disks *disks = ctx;
	json_t *data = json_object_get(event, "data");
	const char *what = json_string_value(json_object_get(event, "event"));
	const char *job = json_string_value(json_object_get(data, "device"));

	for (size_t i = 0; what && job && i < disks->n; i++) {
		struct disk *disk = &disks->disk[i];

		if (strcmp(job, disk->name) != 0)
			continue;
		disk->was_ready |= strcmp(what, "BLOCK_JOB_READY") == 0;
		if (disk->asked && strcmp(what, "BLOCK_JOB_COMPLETED") == 0 &&
		    !json_object_get(data, "error"))
			disk->completed = true;
	}
}

/* QEMU has hung up. Its last events may not have been read yet. */
static void take_down(struct disks *disks, struct qmp *qmp)
{
	for (int i = 0; i < MOST_WORDS && qmp_wait(qmp, LAST_WORDS_NS) == 0; i++)
		;
	for (size_t i = 0; i < disks->n; i++) {
		struct disk *disk = &disks->disk[i];

		if (disk->over || !advice_take_down(disk))
			continue;
		disk->merged = advice_settle(disk);
		disk->failed = !disk->merged;
		disk->over = true;
	}
}

static int merge(struct disks *disks, struct qmp *qmp, const struct settings *settings,
		 bool only_chosen)
{
	uint64_t deadline = lull_clock_now() + settings->commit_timeout_ns;
	bool failed = false;
	int r;

	for (size_t i = 0; i < disks->n; i++) {
		struct disk *disk = &disks->disk[i];

		disk->started = disk->begun = disk->was_ready = disk->asked = false;
		disk->completed = disk->merged = disk->failed = false;
		disk->let_go_by = 0;
		disk->over = only_chosen && !disk->chosen;
	}
	qmp_listen(qmp, hear, disks);
	for (;;) {
		r = look_and_step(disks, qmp);
		if (r < 0 || all_over(disks))
			break;
		if (lull_clock_now() >= deadline) {
			report_unfinished(disks, "--commit-timeout is over");
			return -ETIMEDOUT;
		}
		r = qmp_wait(qmp, LOOK_NS);
		if (r < 0) {
			if (r != -EINTR)
				say("%s", qmp_why(qmp));
			break;
		}
	}
	if (r < 0 && r != -EINTR && r != -ETIMEDOUT)
		take_down(disks, qmp);
	if (r < 0) {
		report_unfinished(disks, r == -EINTR   ? "told to stop"
					 : r == -EPIPE ? "the monitor was lost"
					 : r == -ENOMEM
						 ? "out of memory"
						 : "QEMU did not say how far it is");
		return r;
	}
	for (size_t i = 0; i < disks->n; i++)
		failed |= disks->disk[i].failed;
	return failed ? -EIO : 0;
}

int merge_chosen(struct disks *disks, struct qmp *qmp, const struct settings *settings)
{
	return merge(disks, qmp, settings, true);
}

int merge_disks(struct disks *disks, struct qmp *qmp, const struct settings *settings)
{
	return merge(disks, qmp, settings, false);
}
