// SPDX-License-Identifier: MIT
/* Names beside a file: see beside.h. */
#include "engine/base/beside.h"

#include "util/macros.h"

#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* Leaves room for the "~" of a checkpoint that is being saved. */
#define LONGEST_NAME (NAME_MAX - 1)

/*
 * ".NAME" and a suffix; of a name too long for that, the beginning and a hash (FNV-1a)
 * of the whole.
 */
char *lull_beside(const char *name, const char *suffix)
{
	size_t room = LONGEST_NAME - strlen(suffix) - 1;
	char *made = NULL;

	if (strlen(name) <= room)
		return asprintf(&made, ".%s%s", name, suffix) < 0 ? NULL : made;

	uint64_t hash = 0xcbf29ce484222325ULL;

	for (const char *c = name; *c; c++)
		hash = (hash ^ (unsigned char)*c) * 0x100000001b3ULL;
	if (asprintf(&made, ".%.*s-%016llx%s", (int)room - 17, name,
		     (unsigned long long)hash, suffix) < 0)
		return NULL;
	return made;
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
		char *path = NULL;

		if (!sidecar ||
		    asprintf(&path, "%.*s%s", (int)(last - name), name, sidecar) < 0)
			return NULL;
		if (faccessat(dir, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
			return path;
		free(path);
	}
	return NULL;
}
