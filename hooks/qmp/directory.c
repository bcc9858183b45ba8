// SPDX-License-Identifier: MIT
/* Does not read ACLs: where there is one, the group's permissions are its mask. */
#include "directory.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

static bool is_safe(const struct stat *st, uid_t user)
{
	/* The owner may rename and remove files, even in a sticky directory. */
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
		slash[slash == directory] = '\0'; /* keep "/" */
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
