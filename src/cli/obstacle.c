// SPDX-License-Identifier: MIT
#include "obstacle.h"

#include "quote.h"

#include <stdio.h>
#include <string.h>

char *obstacle_words(const struct lull_obstacle *o)
{
	const char *name = o->path && *o->path ? quote(o->path) : "it";
	const char *why = strerror(o->err);
	char *text = NULL;
	int n = -1;

	switch (o->why) {
	case LULL_NO_SNAPSHOT_NONE:
		break;
	case LULL_NO_SNAPSHOT_FILE_SYSTEM:
		n = asprintf(&text, "the file system on %s is not Btrfs", name);
		break;
	case LULL_NO_SNAPSHOT_IN_PLACE:
		n = asprintf(&text, "DEST is written in place");
		break;
	case LULL_NO_SNAPSHOT_PATH:
		n = asprintf(&text,
			     "SOURCE cannot be reached from the top of its subvolume "
			     "through the mount on %s: %s",
			     name, why);
		break;
	case LULL_NO_SNAPSHOT_OWNER:
		n = asprintf(&text, "the subvolume %s belongs to another user: %s", name,
			     why);
		break;
	case LULL_NO_SNAPSHOT_SWAP:
		n = asprintf(&text, "a swap file in the subvolume %s is in use: %s", name,
			     why);
		break;
	case LULL_NO_SNAPSHOT_DELETE:
		n = asprintf(&text,
			     "it could not be deleted again on %s without CAP_SYS_ADMIN "
			     "or the mount option user_subvol_rm_allowed: %s",
			     name, why);
		break;
	case LULL_NO_SNAPSHOT_DIRECTORY:
		n = asprintf(&text, "cannot make the private directory %s for it: %s",
			     name, why);
		break;
	case LULL_NO_SNAPSHOT_BUSY:
		n = asprintf(&text, "the file system is too busy: no attempt could be "
				    "proven to be one moment");
		break;
	case LULL_NO_SNAPSHOT_ERRNO:
		n = asprintf(&text, "cannot take a snapshot of the subvolume %s: %s",
			     name, why);
		break;
	}
	return n < 0 ? NULL : text;
}
