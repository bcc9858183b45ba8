// SPDX-License-Identifier: MIT
/* Checks who may write to a directory: see trusted.h. */
#include "sys/trusted.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

int lull_trusted_judge(int dir, enum lull_trusted_kind *ret_kind)
{
	struct stat st;
	bool others;

	if (fstat(dir, &st) < 0)
		return -errno;
	others = st.st_mode & (S_IWGRP | S_IWOTH);
	/* The owner may rename and remove any file, even in a sticky directory. */
	if (st.st_uid != geteuid() && st.st_uid != 0)
		*ret_kind = LULL_TRUSTED_OPEN;
	else if (!others)
		*ret_kind = LULL_TRUSTED_OWN;
	else
		*ret_kind = st.st_mode & S_ISVTX ? LULL_TRUSTED_STICKY
						 : LULL_TRUSTED_OPEN;
	return 0;
}

/* Makes a directory and its parents. Returns the error of the first that is missing and
   cannot be made. */
static int make_with_parents(const char *path)
{
	_cleanup_free_ char *part = strdup(path);
	int r = 0;

	if (!part)
		return -ENOMEM;
	for (char *slash = strchr(part + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(part, 0700) < 0 && errno != EEXIST && r == 0)
			r = -errno;
		*slash = '/';
	}
	if (mkdir(part, 0700) < 0 && errno != EEXIST && r == 0)
		r = -errno;
	return r;
}

bool lull_trusted_is_nosuid(int dir)
{
	struct statvfs vfs;

	return fstatvfs(dir, &vfs) == 0 && (vfs.f_flag & ST_NOSUID) != 0;
}

int lull_trusted_open(const char *path, bool make)
{
	_cleanup_close_ int fd = -1;
	struct stat st;
	int r = 0;

	if (path[0] != '/')
		return -EINVAL;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT && make) {
		r = make_with_parents(path);
		fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
	if (fd < 0)
		return r < 0 && errno == ENOENT ? r : -errno;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (st.st_uid != geteuid() || st.st_mode & (S_IWGRP | S_IWOTH))
		return -EPERM;
	return lull_steal_fd(&fd);
}
