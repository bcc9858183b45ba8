// SPDX-License-Identifier: MIT
#include "obstacle.h"

#include "quote.h"
#include "words_format.h"

#include <string.h>

char *obstacle_words(const struct lull_obstacle *o)
{
	const char *name = o->path && *o->path ? quote(o->path) : "it";
	const char *why = strerror(o->err);

	switch (o->why) {
	case LULL_NO_SNAPSHOT_NONE:
		break;
	case LULL_NO_SNAPSHOT_FILE_SYSTEM:
		return format("the file system on %s is not Btrfs", name);
	case LULL_NO_SNAPSHOT_IN_PLACE:
		return format("DEST is written in place");
	case LULL_NO_SNAPSHOT_PATH:
		return format("SOURCE cannot be reached from the top of its subvolume "
			      "through the mount on %s: %s",
			      name, why);
	case LULL_NO_SNAPSHOT_OWNER:
		return format("the subvolume %s belongs to another user: %s", name, why);
	case LULL_NO_SNAPSHOT_SWAP:
		return format("a swap file in the subvolume %s is in use: %s", name, why);
	case LULL_NO_SNAPSHOT_DELETE:
		return format("it could not be deleted again on %s without CAP_SYS_ADMIN "
			      "or the mount option user_subvol_rm_allowed: %s",
			      name, why);
	case LULL_NO_SNAPSHOT_DIRECTORY:
		return format("cannot make the private directory %s for it: %s", name,
			      why);
	case LULL_NO_SNAPSHOT_BUSY:
		return format("the file system is too busy: no attempt could be "
			      "proven to be one moment");
	case LULL_NO_SNAPSHOT_ERRNO:
		return format("cannot take a snapshot of the subvolume %s: %s", name,
			      why);
	}
	return NULL;
}
