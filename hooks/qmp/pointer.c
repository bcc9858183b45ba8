// SPDX-License-Identifier: MIT
/* The symbolic link to a sidecar elsewhere: see pointer.h. */
#include "pointer.h"

#include "sidecar.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

/* Returns the target, to be freed, or NULL if path is not a symbolic link. */
static char *read_link(const char *path)
{
	char target[PATH_MAX];
	ssize_t n = readlink(path, target, sizeof(target) - 1);

	if (n <= 0)
		return NULL;
	target[n] = '\0';
	return strdup(target);
}

static bool leads_to(const char *path, const char *sidecar)
{
	_cleanup_free_ char *target = read_link(path);

	return target && strcmp(target, sidecar) == 0;
}

int pointer_make(const char *source, const char *sidecar)
{
	_cleanup_free_ char *path = sidecar_path(source, NULL);

	if (!path)
		return -ENOMEM;
	if (strcmp(path, sidecar) == 0 || leads_to(path, sidecar))
		return 0;
	if (symlink(sidecar, path) < 0)
		return -errno;
	return sidecar_sync_directory(path);
}

char *pointer_of(const char *source, const char *sidecar)
{
	char *path = sidecar_path(source, NULL);

	if (path && leads_to(path, sidecar))
		return path;
	free(path);
	return NULL;
}

char *pointer_of_lost(const char *source)
{
	char *path = sidecar_path(source, NULL);
	_cleanup_free_ char *target = path ? read_link(path) : NULL;
	struct stat st;

	if (target && lstat(target, &st) < 0)
		return path;
	free(path);
	return NULL;
}

int pointer_remove_sidecar(const char *source, const char *sidecar, const char *held)
{
	_cleanup_free_ char *path = pointer_of(source, sidecar);
	int r = 0;

	if (path && unlink(path) < 0)
		r = -errno;
	if (path && r == 0)
		r = sidecar_sync_directory(path);
	return r < 0 ? r : sidecar_remove(held);
}

char *pointer_follow(const char *path, uid_t user)
{
	struct stat st;
	char *target;

	if (lstat(path, &st) < 0 || !S_ISLNK(st.st_mode) ||
	    (st.st_uid != 0 && st.st_uid != geteuid() && st.st_uid != user))
		return NULL;
	target = read_link(path);
	if (target && (target[0] != '/' || !sidecar_has_name(target))) {
		free(target);
		return NULL;
	}
	return target;
}
