// SPDX-License-Identifier: MIT
/* Makes the names of files beside a file: see beside.h. */
#include "engine/base/beside.h"

#include "util/macros.h"
#include "util/text.h"

#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <string.h>

/* Leaves room for the "~" that is appended while a checkpoint is saved. */
#define LONGEST_NAME (NAME_MAX - 1)

/*
 * Returns ".NAME" and the suffix. If that is too long, it has the beginning of NAME and a
 * hash of the whole.
 */
char *lull_beside(const char *name, const char *suffix)
{
	size_t room = LONGEST_NAME - strlen(suffix) - 1;

	if (strlen(name) <= room)
		return lull_text(".%s%s", name, suffix);
	return lull_text(".%.*s-%016" PRIx64 "%s", (int)room - 17, name,
			 lull_text_hash(name), suffix);
}

char *lull_beside_checkpoint(const char *name)
{
	return lull_beside(name, ".lullcp");
}

char *lull_beside_temporary(const char *name)
{
	return lull_beside(name, ".lullcp-part");
}

char *lull_beside_sidecar(int dir, const char *name, const char *last)
{
	static const char *const suffixes[] = { ".lullcp-sidecar",
						".lullcp-overlay.qcow2",
						".lullcp-overlay" };

	for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++) {
		_cleanup_free_ char *sidecar = lull_beside(last, suffixes[i]);
		char *path = sidecar ? lull_text("%.*s%s", (int)(last - name), name,
						 sidecar)
				     : NULL;

		if (!path)
			return NULL;
		if (faccessat(dir, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
			return path;
		free(path);
	}
	return NULL;
}
