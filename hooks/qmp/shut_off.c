// SPDX-License-Identifier: MIT
/* What a call does if no QEMU is at the monitor: see shut_off.h. */
#include "shut_off.h"

#include "advice.h"
#include "peer.h"
#include "say.h"
#include "util/values.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

bool shut_off_settle(struct disks *disks)
{
	bool none = true;

	(void)disks_have_sidecar(disks, false);
	for (size_t i = 0; i < disks->n; i++) {
		struct disk *disk = &disks->disk[i];

		if (disk->state.has_sidecar && !disks_is_left(disk))
			none &= advice_settle(disk);
	}
	return none;
}

/* Returns true if another QEMU, with another monitor, or another program writes to the
   image. */
static bool is_in_use(const struct disk *disk)
{
	_cleanup_free_ char *writer = peer_other_writer(0, &disk->st);

	if (writer)
		say("no QEMU answers at the monitor, but '%s' is open for writing: "
		    "%s; not frozen",
		    disk->source, writer);
	else if (peer_locks_writes(disk->source) > 0)
		say("no QEMU answers at the monitor, but a process that cannot be "
		    "seen from here holds QEMU's lock for writing on '%s'; not frozen",
		    disk->source);
	else
		return false;
	return true;
}

static bool is_left_by_a_freeze(const struct disk *disk)
{
	struct stat st;

	if (fstatat(AT_FDCWD, disk->sidecar, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return false;
	say("'%s' is still there, and may hold writes that are missing in '%s'; the "
	    "hook says what to do if it is called with thaw",
	    disk->sidecar, disk->source);
	return true;
}

int shut_off_freeze(struct disks *disks, const struct settings *settings, const char *why)
{
	bool good = shut_off_settle(disks);

	for (size_t i = 0; good && i < disks->n; i++)
		good = !is_left_by_a_freeze(&disks->disk[i]);
	if (settings->shut_off != SHUT_OFF_FAIL)
		for (size_t i = 0; good && i < disks->n; i++)
			good = !is_in_use(&disks->disk[i]);
	if (good && settings->shut_off == SHUT_OFF_CLONE)
		return 0;
	say("%s; not frozen", why);
	if (good && settings->shut_off == SHUT_OFF_LATER)
		return EX_TEMPFAIL;
	if (good)
		say("If the guest is shut off, clone without a hook, or give the hook "
		    "--shut-off=clone or --shut-off=later");
	return 1;
}
