// SPDX-License-Identifier: MIT
/*
 * A thaw that looked under one name only would find nothing frozen where the image was
 * renamed, or where the freeze was given another directory. A file that is found is not
 * trusted: it must only be looked at.
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
	/* Anybody may write such an attribute into a file of their own. */
	if (st.st_uid != 0 && st.st_uid != geteuid() && st.st_uid != source->st_uid)
		return false;
	/* Every file system has an inode with this number, and the device number may
	   differ after a restart. The sidecar's backing file tells, if it still
	   exists. */
	if (qcow2_backing(path, &name, format) < 0 || stat(name, &backing) < 0)
		return true;
	if (backing.st_ino == source->st_ino && backing.st_dev == source->st_dev)
		return true;
	return backing.st_ino != mark.ino && mark.dev == source->st_dev;
}

/* Returns the target of path if it is a pointer, else path itself. Takes ownership of
   path. */
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
