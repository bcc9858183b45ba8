// SPDX-License-Identifier: MIT
/*
 * A thaw that looks under one name alone says that nothing is frozen where the image was
 * renamed, or the freeze was told another directory, to which a link leads. What is found
 * is not believed for more than that it must be looked at.
 */
#include "search.h"

#include "mark.h"
#include "pointer.h"
#include "sidecar.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

bool search_is_of(const char *path, const struct stat *source)
{
	struct mark mark = mark_read(path);
	struct stat st;

	if (lstat(path, &st) < 0 || !S_ISREG(st.st_mode))
		return false;
	/* the number of the device may be another after a restart */
	return mark.known && mark.ino == source->st_ino;
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
	size_t suffix = strlen(SIDECAR_SUFFIX);
	DIR *dir = opendir(directory);
	struct dirent *entry;
	char *found = NULL;

	while (dir && !found && (entry = readdir(dir))) {
		size_t len = strlen(entry->d_name);

		if (entry->d_name[0] != '.' || len <= suffix ||
		    strcmp(entry->d_name + len - suffix, SIDECAR_SUFFIX) != 0)
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
