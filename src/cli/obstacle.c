// SPDX-License-Identifier: MIT
#include "obstacle.h"

#include "quote.h"
#include "words_format.h"

#include <string.h>

static const char *const sentences[] = {
	[LULL_NO_SNAPSHOT_FILE_SYSTEM] = "the file system on %1 is not Btrfs",
	[LULL_NO_SNAPSHOT_IN_PLACE] = "DEST is written in place",
	[LULL_NO_SNAPSHOT_PATH] =
		"SOURCE cannot be reached from the top of its subvolume through the "
		"mount on %1: %e",
	[LULL_NO_SNAPSHOT_OWNER] = "the subvolume %1 belongs to another user: %e",
	[LULL_NO_SNAPSHOT_SWAP] = "a swap file in the subvolume %1 is in use: %e",
	[LULL_NO_SNAPSHOT_DELETE] =
		"it could not be deleted again on %1 without CAP_SYS_ADMIN or the mount "
		"option user_subvol_rm_allowed: %e",
	[LULL_NO_SNAPSHOT_DIRECTORY] = "cannot make the private directory %1 for it: %e",
	[LULL_NO_SNAPSHOT_BUSY] =
		"the file system is too busy: no attempt was proven to show one "
		"point in time",
	[LULL_NO_SNAPSHOT_ERRNO] = "cannot take a snapshot of the subvolume %1: %e",
};

char *obstacle_words(const struct lull_obstacle *o)
{
	const struct words_of of = {
		.name = o->path && *o->path ? quote(o->path) : "it",
		.err = o->err,
	};

	if ((size_t)o->why >= LENGTH(sentences) || !sentences[o->why])
		return NULL;
	return words_say(sentences[o->why], &of);
}
