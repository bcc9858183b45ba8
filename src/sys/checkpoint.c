// SPDX-License-Identifier: MIT
/* Checkpoints on disk: see checkpoint.h for the rules. */
#include "sys/checkpoint.h"

#include "lullcp.h"
#include "sys/checkpoint_json.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Room for the name of the temporary file that a save makes. */
#define NAME_ROOM 300

void lull_checkpoint_done(struct lull_checkpoint *checkpoint)
{
	free(checkpoint->source);
	free(checkpoint->dest);
	free(checkpoint->temporary);
	free(checkpoint->snapshot);
	free(checkpoint->hook);
	*checkpoint = (struct lull_checkpoint){ 0 };
}

void lull_checkpoint_free(struct lull_checkpoint *of, unsigned int n)
{
	for (unsigned int i = 0; of && i < n; i++)
		lull_checkpoint_done(&of[i]);
	free(of);
}

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

static int load(int dir, const char *name, char **ret_text, size_t *ret_len)
{
	_cleanup_close_ int fd =
		openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	struct stat st;
	char *buf;
	ssize_t len;

	if (fd < 0)
		return errno == ELOOP ? -EPERM : -errno;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EBADMSG;
	if (st.st_uid != geteuid() || st.st_mode & (S_IWGRP | S_IWOTH))
		return -EPERM;
	if (st.st_size >= LULL_CHECKPOINT_MAX_SIZE)
		return -EBADMSG;
	/* It is replaced as a whole, never written to: it does not grow. */
	buf = malloc((size_t)st.st_size + 1);
	if (!buf)
		return -ENOMEM;
	len = read_all(fd, buf, (size_t)st.st_size + 1);
	if (len < 0) {
		free(buf);
		return (int)len;
	}
	*ret_text = buf;
	*ret_len = (size_t)len;
	return 0;
}

int lull_checkpoint_load(int dir, const char *name,
			 struct lull_checkpoint *ret_checkpoint)
{
	_cleanup_free_ char *text = NULL;
	size_t len;
	int r = load(dir, name, &text, &len);

	return r < 0 ? r : lull_checkpoint_parse(text, len, ret_checkpoint);
}

int lull_checkpoint_load_set(int dir, const char *name, struct lull_checkpoint **ret_of,
			     unsigned int *ret_n)
{
	_cleanup_free_ char *text = NULL;
	size_t len;
	int r = load(dir, name, &text, &len);

	return r < 0 ? r : lull_checkpoint_parse_set(text, len, ret_of, ret_n);
}

int lull_checkpoint_save(int dir, const char *name,
			 const struct lull_checkpoint *checkpoint)
{
	return lull_checkpoint_save_set(dir, name, checkpoint, 1);
}

int lull_checkpoint_save_set(int dir, const char *name, const struct lull_checkpoint *of,
			     unsigned int n)
{
	_cleanup_free_ char *text = NULL;
	char temporary[NAME_ROOM];
	int r = lull_checkpoint_format_set(of, n, &text);

	if (r < 0)
		return r;
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

int lull_checkpoint_remove(int dir, const char *name, bool durable)
{
	char temporary[NAME_ROOM];

	if (snprintf(temporary, sizeof(temporary), "%s~", name) < (int)sizeof(temporary))
		(void)unlinkat(dir, temporary, 0);
	if (unlinkat(dir, name, 0) < 0)
		return errno == ENOENT ? 0 : -errno;
	return durable && fsync(dir) < 0 ? -errno : 0;
}

int lull_checkpoint_point(int dir, const char *name, const char *path)
{
	char there[PATH_MAX];
	ssize_t n;

	if (symlinkat(path, dir, name) == 0)
		return 0;
	if (errno != EEXIST)
		return -errno;
	n = readlinkat(dir, name, there, sizeof(there));
	return n == (ssize_t)strlen(path) && memcmp(there, path, (size_t)n) == 0 ? 0 : -EEXIST;
}

int lull_checkpoint_pointed(int dir, const char *name, char **ret_path)
{
	char there[PATH_MAX];
	ssize_t n = readlinkat(dir, name, there, sizeof(there));

	if (n < 0)
		return errno == EINVAL ? -ENOENT : -errno;
	if (n == 0 || n == (ssize_t)sizeof(there) || there[0] != '/')
		return -EBADMSG;
	*ret_path = strndup(there, (size_t)n);
	return *ret_path ? 0 : -ENOMEM;
}
