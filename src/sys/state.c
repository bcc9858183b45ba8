// SPDX-License-Identifier: MIT
/* Files of state: see state.h. */
#include "sys/state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Room for the name of the temporary file that a save makes. */
#define NAME_ROOM 300

/* Reads all of fd, which must not be longer than max: bytes read or -errno. */
static ssize_t read_all(int fd, char *buf, size_t max)
{
	size_t len = 0;

	while (len < max) {
		ssize_t n = read(fd, buf + len, max - len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return (ssize_t)len;
		len += (size_t)n;
	}
	return -EBADMSG;
}

static int write_all(int fd, const char *buf, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, buf, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		buf += n;
		len -= (size_t)n;
	}
	return 0;
}

int lull_state_read(int dir, const char *name, size_t max, char **ret_text, size_t *ret_len)
{
	_cleanup_close_ int fd =
		openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	struct stat st;

	if (fd < 0)
		return errno == ELOOP ? -EPERM : -errno;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EBADMSG;
	if (st.st_uid != geteuid() || st.st_mode & (S_IWGRP | S_IWOTH))
		return -EPERM;

	if (st.st_size < 0 || (uint64_t)st.st_size >= max)
		return -EBADMSG;

	/* It is replaced as a whole, never written to: it does not grow. */
	char *buf = malloc((size_t)st.st_size + 1);

	if (!buf)
		return -ENOMEM;

	ssize_t len = read_all(fd, buf, (size_t)st.st_size + 1);

	if (len < 0) {
		free(buf);
		return (int)len;
	}
	*ret_text = buf;
	*ret_len = (size_t)len;
	return 0;
}

int lull_state_write(int dir, const char *name, const char *text)
{
	char temporary[NAME_ROOM];
	int r;

	if (snprintf(temporary, sizeof(temporary), "%s~", name) >= (int)sizeof(temporary))
		return -ENAMETOOLONG;

	/* A leftover of a killed run, or something planted: not to be written through. */
	(void)unlinkat(dir, temporary, 0);

	_cleanup_close_ int fd =
		openat(dir, temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd < 0)
		return -errno;
	r = write_all(fd, text, strlen(text));
	if (r == 0 && fsync(fd) < 0)
		r = -errno;
	if (r == 0 && renameat(dir, temporary, dir, name) < 0)
		r = -errno;
	if (r < 0) {
		(void)unlinkat(dir, temporary, 0);
		return r;
	}
	return fsync(dir) < 0 ? -errno : 0;
}

int lull_state_remove(int dir, const char *name, bool durable)
{
	char temporary[NAME_ROOM];

	if (snprintf(temporary, sizeof(temporary), "%s~", name) < (int)sizeof(temporary))
		(void)unlinkat(dir, temporary, 0);
	if (unlinkat(dir, name, 0) < 0)
		return errno == ENOENT ? 0 : -errno;
	return durable && fsync(dir) < 0 ? -errno : 0;
}
