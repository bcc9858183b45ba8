// SPDX-License-Identifier: MIT
/*
 * A thaw that looks under one name alone says that nothing is frozen where the image was
 * renamed, or the freeze was told another directory, to which a link leads. What is found
 * is not believed for more than that it must be looked at.
 */
#include "search.h"

#include "mark.h"
#include "pointer.h"
#include "qcow2.h"
#include "sidecar.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

bool search_is_of(const char *path, const struct stat *source)
{
	struct mark mark = mark_read(path);
	char format[QCOW2_FORMAT_LEN];
	_cleanup_free_ char *name = NULL;
	struct stat st, backing;

	if (lstat(path, &st) < 0 || !S_ISREG(st.st_mode) || !mark.known ||
	    mark.ino != source->st_ino)
		return false;
	/* Anybody may write such an attribute into a file of his own. */
	if (st.st_uid != 0 && st.st_uid != geteuid() && st.st_uid != source->st_uid)
		return false;
	/* Each file system has such an inode, and the number of the device may be
	   another one after a restart: what the sidecar is over tells, where that is
	   still there. */
	if (qcow2_backing(path, &name, format) < 0 || stat(name, &backing) < 0)
		return true;
	if (backing.st_ino == source->st_ino && backing.st_dev == source->st_dev)
		return true;
	return backing.st_ino != mark.ino && mark.dev == source->st_dev;
}

/* What path leads to, or path itself. Takes it over. */
static char *follow(char *path, uid_t user)
{
	char *target = path ? pointer_follow(path, user) : NULL;

	if (!target)
		return path;
	free(path);
	return target;
}

char *search_sidecar(const char *directory, const struct stat *source)
{
	DIR *dir = opendir(directory);
	struct dirent *entry;
	char *found = NULL;

	while (dir && !found && (entry = readdir(dir))) {
		if (!sidecar_has_name(entry->d_name))
			continue;
		if (asprintf(&found, "%s/%s", directory, entry->d_name) < 0)
			found = NULL;
		found = follow(found, source->st_uid);
		if (found && !search_is_of(found, source)) {
			free(found);
			found = NULL;
		}
	}
	if (dir)
		(void)closedir(dir);
	return found;
}
