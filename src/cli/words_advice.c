// SPDX-License-Identifier: MIT
/* What --probe and --dry-run advise: see words.h. */
#include "words.h"

#include <stddef.h>

const char *words_advice(unsigned int advice)
{
	switch (advice) {
	case LULL_ADVICE_COWEXTSIZE:
		return "Writes after each clone fragment the file: a larger "
		       "copy-on-write extent size slows that down (xfs_io -c "
		       "'cowextsize 1m' SOURCE).";
	case LULL_ADVICE_SUBVOLUME:
		return "No snapshot can be taken here: keep SOURCE in a subvolume "
		       "that can be reached from its top, and run with CAP_SYS_ADMIN "
		       "or mount with user_subvol_rm_allowed.";
	case LULL_ADVICE_HOOK:
		return "If writers never pause, only a hook that freezes them gives a "
		       "copy of one point in time (--hook).";
	case LULL_ADVICE_QUOTAS:
		return "Quotas are on for this Btrfs, so the kernel accounts for each "
		       "extent that is cloned. Clones, cp's as well, and the commits "
		       "that writers wait for take several times as long, and longer "
		       "with each clone. If nobody needs quotas, run: btrfs quota "
		       "disable MOUNT_POINT";
	case LULL_ADVICE_LOG:
		return "The log of this XFS is small: calls may wait for it. mkfs.xfs -l "
		       "size=1g makes a larger one.";
	default:
		return NULL;
	}
}

const char *words_method(enum lull_method method)
{
	switch (method) {
	case LULL_METHOD_SINGLE:
		return "single: the whole file fits one call within the budget";
	case LULL_METHOD_QUIET:
		return "quiet: nobody writes to it now";
	case LULL_METHOD_SNAPSHOT:
		return "snapshot: a snapshot can be taken and deleted again";
	case LULL_METHOD_ATOMIC:
		return "atomic: XFS skips what earlier passes have cloned";
	case LULL_METHOD_FROZEN:
	case LULL_METHOD_TRUST:
	case LULL_METHOD_COPY:
	case LULL_METHOD_NONE:
	case LULL_METHODS:
		break;
	}
	return "none: it would stop with exit status 3";
}
