// SPDX-License-Identifier: MIT
/*
 * DESIGN
 *
 * Looks, takes one step for each disk, waits for an event, and looks again, until all
 * are over. Events only wake it: what counts is what the jobs and the graph say, so that
 * an event that came to an earlier call, or never, is not missed.
 *
 *     redirected -> mark -> block-commit -> busy -> ready -> job-complete -> concluded
 *                -> chain looked at -> sidecar removed -> job dismissed
 *
 * INVARIANTS
 *  1. The sidecar is removed only if it holds nothing, or if a job of its own name (which
 *     has its inode in it) has concluded without an error and QEMU no longer has it in
 *     the graph. Jobs do not dismiss themselves: until the sidecar is gone, they are the
 *     proof that it may go, also for a later call. Jobs of sidecars that are gone are
 *     dismissed before a new one is made.
 *  2. The mark is set before a job begins: from then on the image is not of one moment.
 *  3. A merge that takes too long is left at work inside QEMU; a later call takes it up.
 */
#include "merge.h"

#include "say.h"
#include "sidecar.h"
#include "sys/clock.h"

#include <errno.h>
#include <string.h>

/* Without an event: for what QEMU does not tell, like a job that somebody dismissed. */
#define LOOK_NS (250 * NSEC_PER_MSEC)

static void fail(struct disk *disk)
{
	disk->failed = true;
	disk->over = true;
}

static int dismiss(struct qmp *qmp, const char *job)
{
	int r = qmp_run(qmp, "job-dismiss", json_pack("{s:s}", "id", job), NULL);

	return r == -EREMOTEIO ? 0 : r; /* somebody else dismissed it */
}

static int begin(struct disk *disk, struct qmp *qmp)
{
	int r;

	disk->users_before = disk->state.users;
	if (disk->state.has_sidecar) {
		r = sidecar_mark(disk->sidecar, true);
		if (r < 0) {
			say("cannot mark '%s': %s; not merged, the writes stay there",
			    disk->sidecar, strerror(-r));
			fail(disk);
			return 0;
		}
	}
	r = qmp_run(qmp, "block-commit",
		    json_pack("{s:s, s:s, s:s, s:b}", "job-id", disk->name, "device",
			      disk->state.overlay, "base-node", disk->state.image,
			      "auto-dismiss", 0),
		    NULL);
	if (r == -EREMOTEIO) {
		say("cannot merge '%s' into '%s': %s; the disk goes on in that file, "
		    "nothing "
		    "is lost; thaw again when the cause is gone",
		    disk->sidecar, disk->source, qmp_why(qmp));
		fail(disk);
		return 0;
	}
	disk->started = r == 0;
	return r;
}

/* After a job that went well. */
static int finish(struct disk *disk, struct qmp *qmp)
{
	int r;

	if (!disk->state.is_open) {
		say("'%s' is merged into '%s', but QEMU has closed the image since; the "
		    "file is "
		    "kept: see that nothing is missing, then remove it",
		    disk->sidecar, disk->source);
		fail(disk);
		return 0;
	}
	if (disk->users_before > 0 && disk->state.users != disk->users_before) {
		say("'%s' is merged into '%s', but %zu used the disk before and %zu do "
		    "now; "
		    "the file is kept: look at it, then thaw again",
		    disk->sidecar, disk->source, disk->users_before, disk->state.users);
		fail(disk);
		return 0;
	}
	r = disk->state.has_sidecar ? sidecar_remove(disk->sidecar) : 0;
	if (r < 0) {
		say("'%s' is merged into '%s' but cannot be removed: %s", disk->sidecar,
		    disk->source, strerror(-r));
		fail(disk);
		return 0;
	}
	if (disk->state.is_anothers)
		say("'%s' is thawed: it was frozen by a run of lullcp (%s), whose clone will "
		    "not do",
		    disk->source, disk->state.mark.run);
	disk->merged = true;
	disk->over = true;
	return dismiss(qmp, disk->name);
}

static int conclude(struct disk *disk, struct qmp *qmp)
{
	const char *why = disk->state.job_error;

	/* A job that was cancelled when it was ready ends without an error, and unmerged.
	 */
	if (!why && !disk->state.is_redirected)
		return finish(disk, qmp);
	if (disk->started) {
		say("merging '%s' into '%s' failed: %s; the disk goes on in that file, "
		    "nothing "
		    "is lost; thaw again when the cause is gone",
		    disk->sidecar, disk->source, why ? why : "the job was cancelled");
		fail(disk);
	}
	/* One that failed in an earlier call: begin anew. */
	return dismiss(qmp, disk->name);
}

/* Neither redirected nor at work. */
static void settle(struct disk *disk)
{
	int r;

	disk->over = true;
	if (!disk->state.has_sidecar)
		return;
	r = sidecar_is_unused(disk->sidecar, &disk->st);
	if (r > 0)
		r = sidecar_remove(disk->sidecar);
	else if (r == 0)
		r = -EEXIST;
	switch (r) {
	case 0:
		return;
	case -EEXIST:
		say("'%s' holds writes that may be missing in '%s', and this QEMU does "
		    "not use "
		    "it: the guest was restarted or the disk unplugged while it was "
		    "frozen. "
		    "It is kept. If nothing has written to the image since, shut the "
		    "guest "
		    "down and run: qemu-img commit '%s'",
		    disk->sidecar, disk->source, disk->sidecar);
		break;
	case -EBUSY:
		if (disk->state.is_its_disk) {
			say("this QEMU has '%s' open by itself, and not as an overlay of a "
			    "freeze: the guest was started from it. Its writes are there, "
			    "and it is kept. When the guest is shut down, thaw again: that "
			    "says how to merge it into '%s'",
			    disk->sidecar, disk->source);
			break;
		}
		say("'%s' is in use, but not by the QEMU asked: is this the right "
		    "monitor?",
		    disk->sidecar);
		break;
	case -EBADMSG:
		say("'%s' stands where a sidecar would, but is none; it is kept",
		    disk->sidecar);
		break;
	default:
		say("cannot look at or remove '%s': %s", disk->sidecar, strerror(-r));
	}
	fail(disk);
}

static bool leave(struct disk *disk)
{
	_cleanup_free_ char *owner = NULL;

	if (!disks_is_left(disk))
		return false;
	owner = disks_owner(disk);
	say("'%s' is frozen %s, and is left to it", disk->source, owner ? owner : "");
	disk->over = true;
	return true;
}

static int step(struct disk *disk, struct qmp *qmp)
{
	int r = 0;

	if (leave(disk))
		return 0;
	if (disk->state.is_refused) {
		fail(disk);
		return 0;
	}
	if (disk->state.stale_job)
		return dismiss(qmp, disk->state.stale_job);
	if (disk->state.job == DISKS_JOB_CONCLUDED)
		return conclude(disk, qmp);
	if (disk->state.job == DISKS_JOB_BUSY) {
		disk->started = true;
	} else if (disk->state.job == DISKS_JOB_READY) {
		if (disk->users_before == 0)
			disk->users_before = disk->state.users;
		disk->started = true;
		if (!disk->asked)
			r = qmp_run(qmp, "job-complete",
				    json_pack("{s:s}", "id", disk->name), NULL);
		disk->asked = disk->asked || r == 0;
	} else if (disk->state.is_redirected && disk->started) {
		say("somebody else ended the merge of '%s' into '%s'; the disk goes on "
		    "in "
		    "that file, nothing is lost; thaw again",
		    disk->sidecar, disk->source);
		fail(disk);
	} else if (disk->state.is_redirected) {
		return begin(disk, qmp);
	} else {
		settle(disk);
	}
	/* A job that was ready a moment ago may not be now: look again. */
	return r == -EREMOTEIO ? 0 : r;
}

/* A guest that was paused because the sidecar's disk was full can go on now. */
static void wake_guest(struct qmp *qmp)
{
	json_t *value = NULL;
	const char *status;

	if (qmp_run(qmp, "query-status", NULL, &value) < 0)
		return; /* a storage daemon has no guest */
	status = json_string_value(json_object_get(value, "status"));
	if (status && strcmp(status, "io-error") == 0) {
		if (qmp_run(qmp, "cont", NULL, NULL) < 0)
			say("the guest is paused after an I/O error and cannot go on: %s",
			    qmp_why(qmp));
		else
			say("the guest was paused after an I/O error while its disk was "
			    "redirected, probably because the sidecar's file system is "
			    "full; it "
			    "goes on now");
	}
	json_decref(value);
}

/* What became of those that are not over. */
static void report_unfinished(const struct disks *disks, const char *why)
{
	for (size_t i = 0; i < disks->n; i++) {
		const struct disk *disk = &disks->disk[i];
		uint64_t left =
		    disk->state.total - MIN(disk->state.done, disk->state.total);

		if (disk->over ||
		    (!disk->state.is_redirected && !disk->state.has_sidecar))
			continue;
		say("'%s' is not merged into '%s': %s, with %.1f MiB left. Writes go on, "
		    "nothing is lost; a merge that has begun goes on inside QEMU, and "
		    "the next "
		    "thaw (lullcp --recover) ends it",
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

static int merge(struct disks *disks, struct qmp *qmp, const struct settings *settings,
		 bool only_chosen)
{
	uint64_t deadline = lull_clock_now() + settings->commit_timeout_ns;
	bool failed = false, merged = false;
	int r;

	for (size_t i = 0; i < disks->n; i++) {
		struct disk *disk = &disks->disk[i];

		disk->users_before = 0;
		disk->started = disk->asked = disk->merged = false;
		disk->failed = false;
		disk->over = only_chosen && !disk->chosen;
	}
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
	if (r < 0) {
		report_unfinished(disks,
				  r == -EINTR ? "told to stop" : "the monitor was lost");
		return r;
	}
	for (size_t i = 0; i < disks->n; i++) {
		failed |= disks->disk[i].failed;
		merged |= disks->disk[i].merged;
	}
	if (merged)
		wake_guest(qmp);
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
