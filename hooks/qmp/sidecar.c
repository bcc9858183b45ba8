// SPDX-License-Identifier: MIT
/* The sidecar file: its name, its mark, and whether anything is in it. */
#include "sidecar.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define SUFFIX ".lullcp-sidecar"

/* From the specification of qcow2: docs/interop/qcow2.txt of QEMU. */
#define QCOW2_MAGIC 0x514649fbU
#define L1_SIZE_AT 36
#define L1_OFFSET_AT 40
#define HEADER_LEN 72
/* 32 MiB of table are 2 EiB of disk. */
#define LONGEST_L1 (32U << 20)

/* FNV-1a. */
uint64_t sidecar_hash(const char *source)
{
	uint64_t sum = 0xcbf29ce484222325ULL;

	for (; *source; source++)
		sum = (sum ^ (unsigned char)*source) * 0x100000001b3ULL;
	return sum;
}

char *sidecar_path(const char *source, const char *directory)
{
	const char *name = strrchr(source, '/');
	char *path = NULL;
	int room = (int)(NAME_MAX - 1 - strlen(SUFFIX) - 1 - 16);
	int beside = (int)(name - source);
	int r;

	name++;
	if (!directory && (int)strlen(name) < room)
		r = asprintf(&path, "%.*s/.%s" SUFFIX, beside, source, name);
	else if (!directory)
		r = asprintf(&path, "%.*s/.%.*s.%016llx" SUFFIX, beside, source, room, name,
			     (unsigned long long)sidecar_hash(source));
	else
		r = asprintf(&path, "%s/.%.*s.%016llx" SUFFIX, directory, room, name,
			     (unsigned long long)sidecar_hash(source));
	return r < 0 ? NULL : path;
}

static int sync_directory(const char *path)
{
	_cleanup_free_ char *directory = strndup(path, (size_t)(strrchr(path, '/') - path));
	_cleanup_close_ int fd = -1;

	if (!directory)
		return -ENOMEM;
	fd = open(*directory ? directory : "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 || fsync(fd) < 0 ? -errno : 0;
}

int sidecar_create(const char *path, const struct stat *source)
{
	_cleanup_close_ int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	int r = 0;

	if (fd < 0)
		return -errno;
	/* QEMU opens it as its own user: who may write to the image may write to this. */
	if (fchown(fd, source->st_uid, source->st_gid) < 0 && errno != EPERM)
		r = -errno;
	if (r == 0 && fchmod(fd, (source->st_mode & 0666) | S_ISVTX) < 0)
		r = -errno;
	if (r == 0 && fsync(fd) < 0)
		r = -errno;
	if (r == 0)
		r = sync_directory(path);
	if (r < 0)
		(void)unlink(path);
	return r;
}

int sidecar_mark(const char *path, bool between)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (((st.st_mode & S_ISVTX) != 0) == between)
		return 0;
	if (fchmod(fd, (st.st_mode & 0777) | (between ? S_ISVTX : 0)) < 0)
		return -errno;
	return fsync(fd) < 0 ? -errno : 0;
}

/* QEMU holds open file description locks on what it has open. */
static bool is_locked(int fd)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	return fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

/*
 * No entry in the first table: no cluster was ever given to data. QEMU writes such an
 * entry through, before the data.
 */
static int has_no_data(int fd)
{
	unsigned char header[HEADER_LEN];
	ssize_t n = pread(fd, header, sizeof(header), 0);
	uint32_t magic, entries;
	uint64_t offset;

	if (n < 0)
		return -errno;
	memcpy(&magic, header, sizeof(magic));
	memcpy(&entries, header + L1_SIZE_AT, sizeof(entries));
	memcpy(&offset, header + L1_OFFSET_AT, sizeof(offset));
	/* made by sidecar_create(), and QEMU has not come to it yet */
	if (n == 0)
		return 1;
	if (n < (ssize_t)sizeof(header) || be32toh(magic) != QCOW2_MAGIC)
		return -EBADMSG;

	size_t len = (size_t)be32toh(entries) * sizeof(uint64_t);

	if (len == 0 || be64toh(offset) == 0)
		return 1;
	if (len > LONGEST_L1 || be64toh(offset) > INT64_MAX - len)
		return -EBADMSG;

	_cleanup_free_ unsigned char *table = malloc(len);

	if (!table)
		return -ENOMEM;
	n = pread(fd, table, len, (off_t)be64toh(offset));
	if (n < 0)
		return -errno;
	for (ssize_t i = 0; i < n; i++) {
		if (table[i] != 0)
			return 0;
	}
	/* A table that is cut off was never written to its end. */
	return 1;
}

int sidecar_is_unused(const char *path)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	if (is_locked(fd))
		return -EBUSY;
	return has_no_data(fd);
}

int sidecar_remove(const char *path)
{
	if (unlink(path) < 0)
		return -errno;
	return sync_directory(path);
}
