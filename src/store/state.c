// SPDX-License-Identifier: MIT
/* Reads and writes state files: see state.h. */
#include "store/state.h"

#include "sys/inode.h"
#include "sys/opening.h"
#include "sys/trusted.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Room for the name of the temporary file that a save makes. */
#define NAME_ROOM 300

/* More than any state file has: checkpoints take up to 4 MiB, records up to 5. */
#define LONGEST (8u << 20)

/* Reads the whole of fd, which must have less than max bytes. Returns their number or
   -errno. */
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

/* Returns -EUSERS if others could replace the caller's files in the directory. */
static int judge_directory(int dir)
{
	enum lull_trusted_kind kind;
	int r = lull_trusted_judge(dir, &kind);

	if (r < 0)
		return r;
	return kind == LULL_TRUSTED_OPEN ? -EUSERS : 0;
}

/*
 * Describes the file. The time of birth is what makes it unique. Btrfs increments inode
 * numbers and transactions, so the number and the generation of the next file can be
 * foretold, but not its time of birth in nanoseconds. That is 0 on a file system without
 * one.
 */
static int describe(int fd, char ret_self[LULL_STATE_SELF_SIZE])
{
	struct statx st = { 0 };
	uint64_t born = 0, generation;
	int r = lull_inode_read_generation(fd, &generation);

	/* If a value cannot be read, this must fail: with another value it would look
	   like another file. */
	if (r < 0)
		return r;
	if (statx(fd, "", AT_EMPTY_PATH, STATX_INO | STATX_BTIME, &st) < 0)
		return -errno;
	if (st.stx_mask & STATX_BTIME && st.stx_btime.tv_sec > 0)
		born = ((uint64_t)st.stx_btime.tv_sec * NSEC_PER_SEC +
			st.stx_btime.tv_nsec) &
		       INT64_MAX;
	(void)snprintf(ret_self, LULL_STATE_SELF_SIZE,
		       "%020" PRIu64 ":%010" PRIu64 ":%019" PRIu64, (uint64_t)st.stx_ino,
		       generation, born);
	return 0;
}

int lull_state_read(int dir, const char *name, size_t max, char **ret_text,
		    size_t *ret_len, char ret_self[LULL_STATE_SELF_SIZE])
{
	_cleanup_close_ int fd = openat(dir, name, O_RDONLY | LULL_OPEN_WARILY);
	char self[LULL_STATE_SELF_SIZE];
	struct stat st;
	int r;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EBADMSG;
	if (st.st_uid != geteuid() || st.st_mode & (S_IWGRP | S_IWOTH))
		return -EPERM;
	if (st.st_nlink > 1)
		return -EMLINK;
	r = judge_directory(dir);
	if (r == 0)
		r = describe(fd, self);
	if (r < 0)
		return r;

	if (st.st_size < 0 || (uint64_t)st.st_size >= max)
		return -EBADMSG;

	/* The file cannot grow, because it is replaced as a whole and never written
	   to. */
	char *buf = malloc((size_t)st.st_size + 1);

	if (!buf)
		return -ENOMEM;

	ssize_t len = read_all(fd, buf, (size_t)st.st_size + 1);

	if (len < 0) {
		free(buf);
		return (int)len;
	}
	memcpy(ret_self, self, sizeof(self));
	*ret_text = buf;
	*ret_len = (size_t)len;
	return 0;
}

int lull_state_is_itself(const char *text, size_t len, const char *self)
{
	json_t *root = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
	const char *has = json_string_value(json_object_get(root, "self"));
	int r = has && strcmp(has, self) == 0 ? 0 : -ESTALE;

	json_decref(root);
	return r;
}

bool lull_state_is_refusal(int err)
{
	switch (abs(err)) {
	case EUSERS:
	case ELOOP:
	case EMLINK:
	case EPERM:
	case ESTALE:
		return true;
	default:
		return false;
	}
}

/* Returns 0 if name is trusted, -ENOENT if it does not exist, or another -errno. */
static int accept(int dir, const char *name)
{
	char self[LULL_STATE_SELF_SIZE];
	_cleanup_free_ char *text = NULL;
	size_t len;
	int r = lull_state_read(dir, name, LONGEST, &text, &len, self);

	return r < 0 ? r : lull_state_is_itself(text, len, self);
}

/* Returns a copy of text with the description of its file, or NULL without memory. */
static char *fill_in(const char *text, const char *self)
{
	char *copy = strdup(text);
	char *blank = copy ? strstr(copy, LULL_STATE_BLANK) : NULL;

	if (blank)
		memcpy(blank, self, LULL_STATE_SELF_SIZE - 1);
	return copy;
}

/* Renames the temporary file. first: nothing had the name before, so a file that has it
   now is not ours, and is not replaced. */
static int take_name(int dir, const char *temporary, const char *name, bool first)
{
	if (first) {
		if (renameat2(dir, temporary, dir, name, RENAME_NOREPLACE) == 0)
			return 0;
		/* Some file systems, such as NFS, do not support this. */
		if (errno != EINVAL)
			return -errno;
	}
	return renameat(dir, temporary, dir, name) < 0 ? -errno : 0;
}

/*
 * Makes the name of the temporary file. FILE~ might be a user's file if FILE is one, so
 * such a name gets ".lullcp".
 */
static bool name_temporary(const char *name, char ret_temporary[static NAME_ROOM])
{
	bool ours = name[0] == '.' && strstr(name, ".lullcp");
	int len = ours ? snprintf(ret_temporary, NAME_ROOM, "%s~", name)
		       : snprintf(ret_temporary, NAME_ROOM, ".%s.lullcp~", name);

	return len < NAME_ROOM;
}

/*
 * Removes an old temporary file. One of a killed run is empty or begins like JSON. A link
 * is removed too. Anything else stays. Returns 0, -EEXIST or another -errno.
 */
static int clear(int dir, const char *temporary)
{
	_cleanup_close_ int fd = openat(dir, temporary, O_RDONLY | LULL_OPEN_WARILY);
	struct stat st;
	char first;

	if (fd < 0 && errno != ELOOP)
		return errno == ENOENT ? 0 : -errno;
	if (fd >= 0 && (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) ||
			(st.st_size > 0 && (read(fd, &first, 1) != 1 || first != '{'))))
		return -EEXIST;
	return unlinkat(dir, temporary, 0) < 0 && errno != ENOENT ? -errno : 0;
}

static int write_temporary(int fd, const char *text)
{
	_cleanup_free_ char *whole = NULL;
	char self[LULL_STATE_SELF_SIZE];
	int r = describe(fd, self);

	if (r < 0)
		return r;
	whole = fill_in(text, self);
	if (!whole)
		return -ENOMEM;
	r = write_all(fd, whole, strlen(whole));
	return r == 0 && fsync(fd) < 0 ? -errno : r;
}

int lull_state_write(int dir, const char *name, const char *text, bool durable)
{
	char temporary[NAME_ROOM];
	bool first;
	int r;

	if (!name_temporary(name, temporary))
		return -ENAMETOOLONG;
	r = judge_directory(dir);
	if (r < 0)
		return r;
	r = accept(dir, name);
	first = r == -ENOENT;
	if (r < 0 && !first)
		return lull_state_is_refusal(r) || r == -EBADMSG ? -EEXIST : r;

	r = clear(dir, temporary);
	if (r < 0)
		return r;

	_cleanup_close_ int fd = openat(dir, temporary,
					O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd < 0)
		return -errno;
	r = write_temporary(fd, text);
	if (r == 0)
		r = take_name(dir, temporary, name, first);
	if (r < 0) {
		(void)unlinkat(dir, temporary, 0);
		return r;
	}
	if (!durable || fsync(dir) == 0)
		return 0;
	r = -errno;
	/* The caller assumes that the file was not written, and would never remove it. */
	if (first)
		(void)unlinkat(dir, name, 0);
	return r;
}

void lull_state_sweep(int dir, const char *name)
{
	char temporary[NAME_ROOM];

	if (name_temporary(name, temporary))
		(void)clear(dir, temporary);
}

int lull_state_remove(int dir, const char *name, bool durable)
{
	int r = accept(dir, name);

	if (r < 0 && r != -ENOENT)
		return r;
	lull_state_sweep(dir, name);
	if (r == -ENOENT)
		return 0;
	if (unlinkat(dir, name, 0) < 0)
		return errno == ENOENT ? 0 : -errno;
	return durable && fsync(dir) < 0 ? -errno : 0;
}
