// SPDX-License-Identifier: MIT
/*
 * DESIGN
 *
 *     look -> [end what an earlier call left] -> sidecars made, marked -> guest's file
 *     systems frozen -> transaction -> guest's file systems thawed -> look: nobody
 *     writes -> marks cleared
 *
 * One transaction of blockdev-snapshot-sync does it for all disks or for none: QEMU
 * drains them, flushes its caches into the images, puts the overlays on top and makes the
 * images read-only.
 *
 * INVARIANTS
 *  1. A cleared mark means that the image is of the point in time of the transaction. A
 *     call that finds a marked sidecar merges it and begins again.
 *  2. Whenever the agent was asked to freeze the guest's file systems, it is asked to
 *     thaw them, whatever happens. If this process is killed in between, the mark tells
 *     the next thaw to do it.
 *  3. The graph decides about success, not the answer: nobody may write to the file.
 */
#include "redirect.h"

#include "advice.h"
#include "agent.h"
#include "directory.h"
#include "guest.h"
#include "mark.h"
#include "merge.h"
#include "peer.h"
#include "pointer.h"
#include "qcow2.h"
#include "say.h"
#include "sidecar.h"

#include <errno.h>
#include <string.h>

/* The guest may be frozen: the marked sidecar must stay, so that a thaw tries again. */
#define LEAVE_TO_THAW (-ECANCELED)

/* Returns true for an error that cannot be undone here: a thaw makes new connections to
   QEMU and to the agent. */
static bool is_left_to_thaw(int r)
{
	return r == LEAVE_TO_THAW || r == -EPIPE || r == -ETIMEDOUT || r == -EINTR ||
	       r == -EBADMSG;
}

static bool is_frozen(const struct disk *disk)
{
	return !disk->state.is_refused && disk->state.is_redirected &&
	       disk->state.job == DISKS_JOB_NONE && disk->state.has_sidecar &&
	       !disk->state.is_marked && !disk->state.is_written;
}

/* Returns true if nobody writes to the image: it is below somebody else's snapshot, or
   belongs to a device that only reads. */
static bool is_quiet(const struct disk *disk)
{
	return !disk->state.is_redirected && disk->state.job == DISKS_JOB_NONE &&
	       !disk->state.has_sidecar && !disk->state.is_written &&
	       disk->state.is_read_only;
}

static bool is_plain(const struct disk *disk)
{
	return !disk->state.is_redirected && disk->state.job == DISKS_JOB_NONE &&
	       !disk->state.has_sidecar && !disk->state.stale_job &&
	       !disk->state.is_refused;
}

static void say_replaced(const struct disk *disk)
{
	if (disk->state.unseen < 0)
		say("cannot see which file QEMU has open as '%s' (%s), and nobody "
		    "holds QEMU's locks on it; not redirected. Run as root, or as "
		    "QEMU's user",
		    disk->source, strerror(-disk->state.unseen));
	else
		say("QEMU has another file open than '%s' is now: the file was "
		    "replaced since, or the monitor is not QEMU's own, but that of a "
		    "program that passes on its answers. Not redirected, because a "
		    "clone of it would lack the guest's writes. Restart the guest, or "
		    "put back the file that QEMU has open",
		    disk->source);
}

/* Refuses a disk that somebody else has frozen: a thaw of either freeze would end
   both. */
static int check_owners(const struct disks *disks)
{
	for (size_t i = 0; i < disks->n; i++) {
		const struct disk *disk = &disks->disk[i];
		_cleanup_free_ char *owner = NULL;
		_cleanup_free_ char *word = NULL;

		if (!disk->state.has_sidecar || !disk->state.is_anothers)
			continue;
		owner = disks_owner(disk);
		word = advice_quoted(disk->source);
		say("'%s' is frozen %s; not frozen. Try again when that is over. If that "
		    "run is gone: lullcp --recover DEST, with the DEST that it had, or, "
		    "by hand, this hook with the same options and: thaw %s",
		    disk->source, owner ? owner : "", word ? word : "");
		return -EBUSY;
	}
	return 0;
}

/* Checks whether a sidecar could be put over the image as QEMU has it open. */
static int check_node(const struct disk *disk)
{
	if (disk->state.is_by_number) {
		say("QEMU has '%s' open by the number of a descriptor, and the "
		    "sidecar would name that number as its backing file: its writes "
		    "could not be merged after QEMU has ended. Not redirected. Have "
		    "QEMU open the image by its path",
		    disk->source);
		return -ENOTSUP;
	}
	if (disk->state.within) {
		say("the block node '%s' is of another format and uses '%s' as its "
		    "file: a sidecar between the two would receive the metadata of "
		    "that format, and could not be merged. Not redirected. Have QEMU "
		    "open the image without a node in between",
		    disk->state.within, disk->source);
		return -ENOTSUP;
	}
	if (disk->state.has_data_file) {
		say("'%s' is one of two files of a disk (a qcow2 image with a data "
		    "file), and a clone of one is not a disk. Not redirected",
		    disk->source);
		return -ENOTSUP;
	}
	if (disk->state.is_part) {
		say("the disk that QEMU makes of '%s' is only a part of it, or longer "
		    "(offset or size of its raw node), and a sidecar has no place for "
		    "that: without QEMU it would be merged elsewhere. Not redirected",
		    disk->source);
		return -ENOTSUP;
	}
	return 0;
}

/* With -daemonize QEMU changes to "/", where a relative name leads elsewhere. */
static int say_not_open(const struct disk *disk, pid_t qemu)
{
	if (peer_holds(qemu, &disk->st) > 0)
		say("QEMU has '%s' open by a name that does not lead there now: a "
		    "relative one, with -daemonize, for example. Not redirected. Start "
		    "QEMU with the absolute path of the image",
		    disk->source);
	else
		say("no block node of this QEMU has '%s' open. If another guest has it, "
		    "give the monitor of that one; if its guest is shut off, clone "
		    "without a hook",
		    disk->source);
	return -ENOENT;
}

static int check_one(const struct disk *disk, pid_t qemu)
{
	int r;

	if (disk->state.is_replaced) {
		say_replaced(disk);
		return -ESTALE;
	}
	if (!disk->state.is_open)
		return say_not_open(disk, qemu);
	r = disk->state.is_redirected ? 0 : check_node(disk);
	if (r < 0)
		return r;
	if (!is_frozen(disk) && disk->state.is_encrypted) {
		say("'%s' is encrypted, and the sidecar would hold its writes "
		    "unencrypted; not redirected",
		    disk->source);
		return -EPERM;
	}
	if (!is_frozen(disk) && !is_quiet(disk) && disk->state.blocker) {
		say("%s works on the disk of '%s': QEMU could not merge the sidecar "
		    "there; not redirected. Try again when it is gone",
		    disk->state.blocker, disk->source);
		return -EBUSY;
	}
	return 0;
}

/* Returns 1 if some disks are to be redirected, 0 if none need be, or -errno. */
static int check(const struct disks *disks, pid_t qemu)
{
	const struct disk *frozen = NULL, *plain = NULL;

	for (size_t i = 0; i < disks->n; i++) {
		const struct disk *disk = &disks->disk[i];
		int r = check_one(disk, qemu);

		if (r < 0)
			return r;
		if (is_frozen(disk))
			frozen = disk;
		else if (!is_quiet(disk))
			plain = disk;
	}
	if (frozen && plain) {
		say("'%s' is redirected already and '%s' is not: the two would show "
		    "different points in time. Thaw first",
		    frozen->source, plain->source);
		return -EALREADY;
	}
	return plain ? 1 : 0;
}

/* Checks that the sidecar is still there, also for QEMU, which opens it by its name. */
static int look_at_sidecar(const struct disk *disk, pid_t qemu)
{
	struct stat made, there;
	int r;

	if (fstat(disk->made, &made) < 0 || lstat(disk->sidecar, &there) < 0)
		return -errno;
	if (!peer_same_file(&made, &there)) {
		say("somebody has put something else in the place of the sidecar '%s'; "
		    "not redirected",
		    disk->sidecar);
		return -ESTALE;
	}
	r = peer_stat(qemu, disk->sidecar, &there);
	if (r == -ESRCH || (r == 0 && peer_same_file(&made, &there)))
		return 0;
	say("as '%s' QEMU sees another file than this hook, or none: it may run in a "
	    "container. Not redirected. Have both see the same directory, or give one "
	    "that both see with --sidecar-dir",
	    disk->sidecar);
	return -ESTALE;
}

/* Looks for writers that an overlay in this QEMU does not stop. */
static int look_for_others(const struct disk *disk, pid_t qemu)
{
	_cleanup_free_ char *who = peer_other_writer(qemu, &disk->st);

	if (!who)
		return 0;
	say("'%s' is open for writing in %s as well, and a redirect in this QEMU does "
	    "not stop that; not frozen. End it, or have it open the image read-only",
	    disk->source, who);
	return -EBUSY;
}

/* As look_for_others(), for disks that need no redirect: read-only or already frozen. */
static int look_for_others_of(const struct disks *disks, pid_t qemu)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < disks->n; i++)
		r = look_for_others(&disks->disk[i], qemu);
	return r;
}

/* Records who freezes the image, and its present state. */
static int set_state(const struct disk *disk, enum mark_state state)
{
	struct mark mark;
	struct stat st;
	int r;

	if (stat(disk->source, &st) < 0) {
		say("cannot stat '%s': %s", disk->source, strerror(errno));
		return -EIO;
	}
	mark_init(&mark, disk->run, &st);
	mark_disk(&mark, disk->made_size, disk->state.format ? disk->state.format : "");
	mark.state = state;
	r = mark_write(disk->sidecar, &mark);
	/* without extended attributes the sticky bit must be enough */
	if (r == 0 || r == -EOPNOTSUPP)
		return 0;
	say("cannot write the state of '%s' to its attributes: %s", disk->sidecar,
	    strerror(-r));
	return -EIO;
}

static int fill_sidecar(const struct disk *disk)
{
	int r;

	if (!disk->state.backing || !disk->state.format) {
		say("'%s' holds only the data of an image, and QEMU does not say "
		    "where the image is; not redirected",
		    disk->source);
		return -ENOTSUP;
	}
	r = qcow2_make(disk->made, disk->made_size, disk->state.backing,
		       disk->state.format);
	if (r < 0)
		say("cannot make the sidecar '%s' of '%s': %s; not redirected",
		    disk->sidecar, disk->state.backing, strerror(-r));
	return r;
}

/*
 * Makes the pointer to a sidecar elsewhere, without which only a caller that is given the
 * directory finds it once this QEMU is gone. Makes none in a directory where others could
 * replace it.
 */
static int point_to(const struct disk *disk, uid_t user)
{
	_cleanup_free_ char *which = NULL;
	int r = directory_judge(disk->source, user, &which);

	if (r == 0)
		r = pointer_make(disk->source, disk->sidecar);
	if (r == -EEXIST) {
		advice_foreign(disk);
		return r;
	}
	if (r < 0)
		say("cannot make a link to '%s' beside '%s': %s. Should this QEMU end "
		    "before the thaw, thaw by hand with --sidecar-dir",
		    disk->sidecar, disk->source, strerror(-r));
	return 0;
}

static int make_sidecar(struct disk *disk, const struct qmp *qmp)
{
	_cleanup_free_ char *which = NULL;
	int r = look_for_others(disk, qmp_peer(qmp));

	if (r < 0)
		return r;
	r = directory_judge(disk->sidecar, qmp_peer_user(qmp), &which);
	if (r == -EPERM && which) {
		say("'%s' belongs to somebody else, or others may write to it: they "
		    "could replace the sidecar '%s'. Not redirected. Change that "
		    "(chmod go-w, or chmod +t), or give another directory with "
		    "--sidecar-dir",
		    which, disk->sidecar);
		return r;
	}
	if (r == 0) {
		lull_close(&disk->made);
		disk->made = -1;
		r = sidecar_create(disk->sidecar, disk->source, &disk->st, &disk->made);
	}
	if (r < 0) {
		say("cannot create the sidecar '%s': %s", disk->sidecar,
		    r == -EOPNOTSUPP
			    ? "its file system does not keep permissions and the "
			      "sticky bit, which says how far a merge is. Give "
			      "another directory with --sidecar-dir"
			    : strerror(-r));
		return r;
	}
	disk->chosen = true;
	disk->made_size = disk->state.size;
	/* record the mark before the file has contents, so that it is recognized if this
	   process is killed */
	r = set_state(disk, MARK_BETWEEN);
	if (r == 0)
		r = point_to(disk, qmp_peer_user(qmp));
	if (r == 0)
		r = fill_sidecar(disk);
	(void)disks_name(disk);
	return r;
}

static int make_sidecars(struct disks *disks, const struct qmp *qmp)
{
	for (size_t i = 0; i < disks->n; i++) {
		struct disk *disk = &disks->disk[i];
		int r;

		if (!is_plain(disk) || is_quiet(disk))
			continue;
		r = make_sidecar(disk, qmp);
		if (r < 0)
			return r;
	}
	return 0;
}

static int look_at_sidecars(const struct disks *disks, const struct qmp *qmp)
{
	for (size_t i = 0; i < disks->n; i++) {
		int r = disks->disk[i].chosen
				? look_at_sidecar(&disks->disk[i], qmp_peer(qmp))
				: 0;

		if (r < 0)
			return r;
	}
	return 0;
}

/* Checks that no disk was resized: an overlay of another size than the image would resize
   the disk. */
static int look_again(struct disks *disks, struct qmp *qmp)
{
	int r = disks_look(disks, qmp);

	for (size_t i = 0; r == 0 && i < disks->n; i++) {
		const struct disk *disk = &disks->disk[i];

		if (!disk->chosen || disk->state.size == disk->made_size)
			continue;
		say("the disk of '%s' was resized during the freeze; not redirected. Try "
		    "again",
		    disk->source);
		r = -EAGAIN;
	}
	return r < 0 ? r : look_at_sidecars(disks, qmp);
}

static json_t *make_actions(const struct disks *disks)
{
	json_t *actions = json_array();

	for (size_t i = 0; actions && i < disks->n; i++) {
		const struct disk *disk = &disks->disk[i];

		if (!disk->chosen)
			continue;

		json_t *action = json_pack("{s:s, s:{s:s, s:s, s:s, s:s, s:s}}", "type",
					   "blockdev-snapshot-sync", "data", "node-name",
					   disk->state.image, "snapshot-file",
					   disk->sidecar, "snapshot-node-name",
					   disk->name, "format", "qcow2", "mode",
					   "existing");

		if (!action || json_array_append_new(actions, action) < 0) {
			say("'%s': the name is not UTF-8, so QEMU cannot be given it; "
			    "not redirected",
			    disk->sidecar);
			json_decref(actions);
			return NULL;
		}
	}
	return actions;
}

static int switch_over(struct disks *disks, struct qmp *qmp, json_t *actions,
		       const struct settings *settings)
{
	_cleanup_free_ char *why = NULL;
	bool is_asked = false;
	int r = look_at_sidecars(disks, qmp);

	if (r < 0)
		return r;
	if (settings->agent) {
		r = agent_freeze(settings->agent, settings->agent_timeout_ns, &is_asked,
				 &why);
		if (r < 0)
			say("%s; not redirected", why ? why : "out of memory");
		if (r < 0 && !is_asked)
			return -EHOSTDOWN; /* nothing is frozen: undo it here */
	}
	if (r == 0)
		r = look_again(disks, qmp); /* the agent may have taken long */
	if (r == 0) {
		r = qmp_run(qmp, "transaction", json_pack("{s:O}", "actions", actions),
			    NULL);
		if (r < 0)
			say("cannot redirect: %s", qmp_why(qmp));
	}
	if (is_asked) {
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

/* Checks that the writes go to the file that the hook made, and that it has the present
   size of the disk. */
static int verify_sidecar(const struct disk *disk, pid_t qemu)
{
	struct stat made, there;

	if (fstat(disk->made, &made) == 0 && lstat(disk->sidecar, &there) == 0 &&
	    peer_same_file(&made, &there) &&
	    sidecar_is_image(disk->made, disk->state.size) == 0 &&
	    peer_holds(qemu, &made) != 0)
		return 0;
	say("'%s': QEMU's overlay is not the sidecar '%s' that was made for it; not "
	    "frozen",
	    disk->source, disk->sidecar);
	return -ESTALE;
}

static int verify(const struct disks *disks, pid_t qemu)
{
	for (size_t i = 0; i < disks->n; i++) {
		const struct disk *disk = &disks->disk[i];

		if (!disk->chosen)
			continue;
		if (disk->state.is_redirected && !disk->state.is_written &&
		    disk->state.is_read_only) {
			int r = verify_sidecar(disk, qemu);

			if (r == 0)
				r = look_for_others(disk, qemu);
			if (r == 0 && peer_locks_writes(disk->source) > 0) {
				say("'%s': some QEMU still holds the lock for writing "
				    "to it; not frozen. Is it the disk of two guests?",
				    disk->source);
				r = -EBUSY;
			}
			if (r < 0)
				return r;
			continue;
		}
		say("'%s': QEMU uses the overlay, but may still write to the image "
		    "(%s); not frozen",
		    disk->source,
		    !disk->state.is_redirected ? "the overlay is not on top"
		    : disk->state.is_written
			    ? "a node has write permission"
			    : "it was not made read-only: copy-on-read?");
		return -EBUSY;
	}
	return 0;
}

static int clear_marks(const struct disks *disks)
{
	for (size_t i = 0; i < disks->n; i++) {
		int r;

		if (!disks->disk[i].chosen)
			continue;
		r = set_state(&disks->disk[i], MARK_FROZEN);
		if (r < 0)
			return r;
		r = sidecar_mark(disks->disk[i].sidecar, false);
		if (r < 0) {
			say("cannot unmark '%s': %s", disks->disk[i].sidecar,
			    strerror(-r));
			return r;
		}
	}
	return 0;
}

static int redirect(struct disks *disks, struct qmp *qmp, const struct settings *settings)
{
	json_t *actions = NULL;
	int r = make_sidecars(disks, qmp);

	if (r == 0) {
		actions = make_actions(disks);
		r = actions ? switch_over(disks, qmp, actions, settings) : -EILSEQ;
	}
	json_decref(actions);
	if (r == 0)
		r = disks_look(disks, qmp);
	if (r == 0)
		r = verify(disks, qmp_peer(qmp));
	return r < 0 ? r : clear_marks(disks);
}

static int check_place(struct qmp *qmp)
{
	static const char *const what[] = {
		[GUEST_LEAVES] = "this guest is migrating to another QEMU, which "
				 "would not have the sidecar",
		[GUEST_IS_GONE] = "this guest has migrated to another QEMU: freeze by "
				  "the monitor of that one",
		[GUEST_ARRIVES] = "this QEMU is waiting for a guest that migrates to "
				  "it",
	};
	enum guest_place place;
	int r = guest_find(qmp, &place);

	if (r < 0)
		say("cannot learn where the guest is: %s", qmp_why(qmp));
	if (r < 0 || place == GUEST_STAYS)
		return r;
	say("%s; not redirected", what[place]);
	return -EBUSY;
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

	if (r == 0)
		r = check_owners(disks);
	if (r == 0)
		r = check_place(qmp);
	if (r == 0 && needs_tidying(disks)) {
		r = merge_disks(disks, qmp, settings);
		if (r == 0)
			r = disks_look(disks, qmp);
	}
	if (r < 0)
		return r;
	r = check(disks, qmp_peer(qmp));
	if (r == 0)
		r = look_for_others_of(disks, qmp_peer(qmp));
	if (r <= 0)
		return r;
	for (size_t i = 0; i < disks->n; i++)
		disks->disk[i].chosen = false;
	r = redirect(disks, qmp, settings);
	if (r < 0 && !is_left_to_thaw(r) && merge_chosen(disks, qmp, settings) < 0)
		say("and that could not be undone: thaw");
	return r;
}
