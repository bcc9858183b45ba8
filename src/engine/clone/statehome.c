// SPDX-License-Identifier: MIT
/* Finds the place for state: see statehome.h. */
#include "engine/clone/statehome.h"

#include "engine/base/beside.h"
#include "sys/identity.h"
#include "sys/inode.h"
#include "sys/trusted.h"
#include "util/path.h"
#include "util/text.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>

void lull_statehome_init(struct lull_statehome *home)
{
	*home = (struct lull_statehome){ .dir = -1 };
}

void lull_statehome_done(struct lull_statehome *home)
{
	lull_close(&home->dir);
	free(home->path);
	free(home->stem);
	lull_statehome_init(home);
}

/*
 * Identifies DEST's directory in a file name. If the file system has no UUID, nothing
 * lasting distinguishes it from others, so the path is used.
 */
static char *identify(const struct lull_dest *dest)
{
	const char *fs = dest->fs.uuid;
	struct stat st;

	if (fstat(dest->dir, &st) < 0)
		return NULL;
	return lull_text("%s-%" PRIx64 "-%" PRIx64 "-%" PRIx64, *fs ? fs : "path",
			 *fs ? lull_identity_subvolume(dest->dir)
			     : lull_text_hash(dest->path),
			 (uint64_t)st.st_ino, lull_inode_generation(dest->dir));
}

static int open_private(struct lull_dest *dest, const struct lull_state_wish *wish)
{
	struct lull_statehome *home = &dest->home;

	home->stem = identify(dest);
	if (!home->stem)
		return -ENOMEM;
	if (!wish->directory) {
		home->err = ENOENT;
		return 0;
	}
	home->path = lull_text("%s/", wish->directory);
	if (!home->path)
		return -ENOMEM;
	home->dir = lull_trusted_open(wish->directory, wish->make);
	home->err = home->dir < 0 ? -home->dir : 0;
	home->dir = MAX(home->dir, -1);
	return 0;
}

const char *const lull_statehome_suffixes[LULL_STATEHOME_SUFFIXES] = {
	".lullcp", ".lullcp-generations"
};

static bool has_state_beside(const struct lull_dest *dest)
{
	bool any = false;

	for (size_t i = 0; i < LULL_STATEHOME_SUFFIXES && !any; i++) {
		_cleanup_free_ char *name = lull_beside(dest->name,
							lull_statehome_suffixes[i]);

		any = name && faccessat(dest->dir, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
	}
	return any;
}

/*
 * Looks for state in the private directory, from a time when others could write to DEST's
 * directory. Such state continues there. Otherwise, when somebody closes the directory to
 * others, a row would begin again and an interrupted clone would be forgotten.
 */
static bool find_private(struct lull_dest *dest, const struct lull_state_wish *wish)
{
	const struct lull_state_wish as_it_is = { .directory = wish->directory };
	struct lull_statehome *home = &dest->home;
	bool any = false;

	if (!wish->directory || has_state_beside(dest) ||
	    open_private(dest, &as_it_is) < 0)
		return false;
	for (size_t i = 0; i < LULL_STATEHOME_SUFFIXES && !any && home->dir >= 0; i++) {
		_cleanup_free_ char *name =
			lull_statehome_name(home, dest->name, lull_statehome_suffixes[i]);

		any = name && faccessat(home->dir, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
	}
	if (!any)
		lull_statehome_done(home);
	return any;
}

int lull_statehome_open(struct lull_dest *dest, const struct lull_state_wish *wish)
{
	struct lull_statehome *home = &dest->home;
	enum lull_trusted_kind kind;
	int r = lull_trusted_judge(dest->dir, &kind);

	if (r < 0)
		return r;
	if (kind == LULL_TRUSTED_OPEN)
		return open_private(dest, wish);
	if (find_private(dest, wish))
		return 0;
	home->path = lull_path_head(dest->path);
	if (!home->path)
		return -ENOMEM;
	home->dir = fcntl(dest->dir, F_DUPFD_CLOEXEC, 3);
	return home->dir < 0 ? -errno : 0;
}

char *lull_statehome_name(const struct lull_statehome *home, const char *name,
			  const char *suffix)
{
	if (!home->stem)
		return lull_beside(name, suffix);
	return lull_text("%s-%016" PRIx64 "%s", home->stem, lull_text_hash(name), suffix);
}

char *lull_statehome_path(const struct lull_statehome *home, const char *name)
{
	return home->path ? lull_text("%s%s", home->path, name) : NULL;
}

bool lull_statehome_is_passed_over(const struct lull_dest *dest, const char *suffix)
{
	_cleanup_free_ char *name = NULL;

	if (!dest->home.stem)
		return false;
	name = lull_beside(dest->name, suffix);
	return name && faccessat(dest->dir, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}
