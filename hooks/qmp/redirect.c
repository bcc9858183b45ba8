// SPDX-License-Identifier: MIT
/*
 * DESIGN
 *
 *     look -> [end what an earlier call left] -> sidecars made, marked -> guest's file
 *     systems frozen -> transaction -> guest's file systems thawed -> look: nobody
 *     writes -> marks cleared
 *
 * One transaction of blockdev-snapshot-sync: QEMU drains all disks, flushes its caches
 * into the images, puts the overlays on top and makes the images read-only; all or none.
 *
 * INVARIANTS
 *  1. A cleared mark means that the image is of the moment of the transaction. A call that
 *     finds a marked sidecar merges it and begins anew.
 *  2. After a freeze of the guest's file systems was asked for, the thaw is asked for,
 *     whatever happens. If this process is killed between, the mark tells the thaw.
 *  3. Success is read off the graph, not off the answer: nobody may write to the file.
 */
#include "redirect.h"

#include "agent.h"
#include "merge.h"
#include "say.h"
#include "sidecar.h"

#include <errno.h>
#include <string.h>

/* The guest may be frozen: the marked sidecar must stay, so that a thaw tries again. */
#define LEAVE_TO_THAW (-ECANCELED)

/* What cannot be undone here: a thaw has a new connection to QEMU and to the agent. */
static bool is_left_to_thaw(int r)
{
	return r == LEAVE_TO_THAW || r == -EPIPE || r == -ETIMEDOUT || r == -EINTR ||
	       r == -EBADMSG;
}

static bool is_frozen(const struct disk *disk)
{
	return disk->state.is_redirected && disk->state.job == DISKS_JOB_NONE &&
	       disk->state.has_sidecar && !disk->state.is_marked && !disk->state.is_written;
}

/* Below a snapshot of somebody else, or of a device that only reads. */
static bool is_quiet(const struct disk *disk)
{
	return !disk->state.is_redirected && disk->state.job == DISKS_JOB_NONE &&
	       !disk->state.has_sidecar && !disk->state.is_written &&
	       disk->state.is_read_only;
}

static bool is_plain(const struct disk *disk)
{
	return !disk->state.is_redirected && disk->state.job == DISKS_JOB_NONE &&
	       !disk->state.has_sidecar && !disk->state.stale_job;
}

static int check(const struct disks *disks)
{
	const struct disk *frozen = NULL, *plain = NULL;

	for (size_t i = 0; i < disks->n; i++) {
		const struct disk *disk = &disks->disk[i];

		if (!disk->state.is_open) {
			say("no block node of this QEMU has '%s' open. If the guest is shut down, "
			    "clone without a hook", disk->source);
			return -ENOENT;
		}
		if (is_frozen(disk))
			frozen = disk;
		else if (!is_quiet(disk))
			plain = disk;
		if (!is_frozen(disk) && disk->state.is_encrypted) {
			say("'%s' is encrypted, and its writes would lie in the sidecar in the "
			    "clear; not redirected", disk->source);
			return -EPERM;
		}
	}
	if (frozen && plain) {
		say("'%s' is redirected already and '%s' is not: they would not be of one "
		    "moment. Thaw first", frozen->source, plain->source);
		return -EALREADY;
	}
	return plain ? 1 : 0;
}

static int make_sidecars(struct disks *disks)
{
	for (size_t i = 0; i < disks->n; i++) {
		struct disk *disk = &disks->disk[i];
		int r;

		if (!is_plain(disk) || is_quiet(disk))
			continue;
		r = sidecar_create(disk->sidecar, &disk->st);
		if (r < 0) {
			say("cannot create the sidecar '%s': %s", disk->sidecar, strerror(-r));
			return r;
		}
		disk->chosen = true;
		(void)disks_name(disk);
	}
	return 0;
}

static json_t *make_actions(const struct disks *disks)
{
	json_t *actions = json_array();

	for (size_t i = 0; actions && i < disks->n; i++) {
		const struct disk *disk = &disks->disk[i];

		if (!disk->chosen)
			continue;

		json_t *action = json_pack(
			"{s:s, s:{s:s, s:s, s:s, s:s}}", "type", "blockdev-snapshot-sync",
			"data", "node-name", disk->state.image, "snapshot-file", disk->sidecar,
			"snapshot-node-name", disk->name, "format", "qcow2");

		if (!action || json_array_append_new(actions, action) < 0) {
			say("'%s': its name is not UTF-8 and cannot be told to QEMU",
			    disk->sidecar);
			json_decref(actions);
			return NULL;
		}
	}
	return actions;
}

static int switch_over(struct qmp *qmp, json_t *actions, const struct settings *settings)
{
	_cleanup_free_ char *why = NULL;
	int r = 0;

	if (settings->agent) {
		r = agent_freeze(settings->agent, settings->agent_timeout_ns, &why);
		if (r < 0)
			say("%s; not redirected", why ? why : "out of memory");
	}
	if (r == 0) {
		r = qmp_run(qmp, "transaction", json_pack("{s:O}", "actions", actions), NULL);
		if (r < 0)
			say("cannot redirect: %s", qmp_why(qmp));
	}
	if (settings->agent) {
		free(why);
		why = NULL;
		if (agent_thaw(settings->agent, settings->agent_timeout_ns, &why) < 0) {
			say("%s; the file systems in the guest may still be frozen",
			    why ? why : "out of memory");
			r = LEAVE_TO_THAW;
		}
	}
	return r;
}

static int verify(const struct disks *disks)
{
	for (size_t i = 0; i < disks->n; i++) {
		const struct disk *disk = &disks->disk[i];

		if (!disk->chosen)
			continue;
		if (disk->state.is_redirected && !disk->state.is_written &&
		    disk->state.is_read_only)
			continue;
		say("'%s': QEMU took the overlay, but may still write to the image (%s); "
		    "not frozen", disk->source,
		    !disk->state.is_redirected ? "the overlay is not on top"
		    : disk->state.is_written   ? "a node has write permission"
					       : "it was not made read-only: copy-on-read?");
		return -EBUSY;
	}
	return 0;
}

static int clear_marks(const struct disks *disks)
{
	for (size_t i = 0; i < disks->n; i++) {
		int r = disks->disk[i].chosen ? sidecar_mark(disks->disk[i].sidecar, false) : 0;

		if (r < 0) {
			say("cannot unmark '%s': %s", disks->disk[i].sidecar, strerror(-r));
			return r;
		}
	}
	return 0;
}

static int redirect(struct disks *disks, struct qmp *qmp, const struct settings *settings)
{
	json_t *actions = NULL;
	int r = make_sidecars(disks);

	if (r == 0) {
		actions = make_actions(disks);
		r = actions ? switch_over(qmp, actions, settings) : -EILSEQ;
	}
	json_decref(actions);
	if (r == 0)
		r = disks_look(disks, qmp);
	if (r == 0)
		r = verify(disks);
	return r < 0 ? r : clear_marks(disks);
}

static bool needs_tidying(const struct disks *disks)
{
	for (size_t i = 0; i < disks->n; i++) {
		const struct disk *disk = &disks->disk[i];

		if (!is_frozen(disk) && !is_plain(disk))
			return true;
	}
	return false;
}

int redirect_disks(struct disks *disks, struct qmp *qmp, const struct settings *settings)
{
	int r = disks_look(disks, qmp);

	if (r == 0 && needs_tidying(disks)) {
		r = merge_disks(disks, qmp, settings);
		if (r == 0)
			r = disks_look(disks, qmp);
	}
	if (r < 0)
		return r;
	r = check(disks);
	if (r <= 0)
		return r;
	for (size_t i = 0; i < disks->n; i++)
		disks->disk[i].chosen = false;
	r = redirect(disks, qmp, settings);
	if (r < 0 && !is_left_to_thaw(r) && merge_disks(disks, qmp, settings) < 0)
		say("and that could not be undone: thaw");
	return r;
}
