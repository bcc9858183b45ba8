// SPDX-License-Identifier: MIT
/* ACLs need no look of their own: the group's permissions are their mask. */
#include "directory.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

static bool is_safe(const struct stat *st, uid_t user)
{
	/* The owner may rename and remove, in a sticky directory too. */
	if (st->st_uid != 0 && st->st_uid != geteuid() && st->st_uid != user)
		return false;
	return !(st->st_mode & (S_IWGRP | S_IWOTH)) || (st->st_mode & S_ISVTX);
}

int directory_judge(const char *path, uid_t user, char **ret_which)
{
	_cleanup_free_ char *directory = strdup(path);
	char *slash = directory ? strrchr(directory, '/') : NULL;
	struct stat st;

	if (!slash)
		return directory ? -EINVAL : -ENOMEM;
	for (; slash; slash = strrchr(directory, '/')) {
		slash[slash == directory] = '\0'; /* "/" stays */
		if (stat(directory, &st) < 0)
			return -errno;
		if (!is_safe(&st, user)) {
			*ret_which = directory;
			directory = NULL;
			return -EPERM;
		}
		if (slash == directory)
			break;
	}
	return 0;
}
