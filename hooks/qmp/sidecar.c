// SPDX-License-Identifier: MIT
/* The sidecar file: its name, its mark, and whether it has data. */
#include "sidecar.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/xattr.h>

/* From the specification of qcow2: docs/interop/qcow2.txt of QEMU. */
#define QCOW2_MAGIC           0x514649fbU
#define HEADER_LEN            72
#define SHORTEST_CLUSTER_BITS 9
#define LONGEST_CLUSTER_BITS  21
#define LONGEST_NAME          1023
#define HAS_BITMAPS           1U
/* Clusters that QEMU makes before the L1 table: the header and the reference counts. */
#define FIRST_CLUSTERS 5
/* An L1 table of 32 MiB covers 2 EiB of disk. */
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
	int room = (int)(NAME_MAX - 1 - strlen(SIDECAR_SUFFIX) - 1 - 16);
	int beside = (int)(name - source);
	int r;

	name++;
	if (!directory && (int)strlen(name) < room)
		r = asprintf(&path, "%.*s/.%s" SIDECAR_SUFFIX, beside, source, name);
	else if (!directory)
		r = asprintf(&path, "%.*s/.%.*s.%016llx" SIDECAR_SUFFIX, beside, source,
			     room, name, (unsigned long long)sidecar_hash(source));
	else
		r = asprintf(&path, "%s/.%.*s.%016llx" SIDECAR_SUFFIX, directory, room,
			     name, (unsigned long long)sidecar_hash(source));
	return r < 0 ? NULL : path;
}

bool sidecar_is_of(const char *path, const char *source, const struct stat *source_st)
{
	const char *name = strrchr(path, '/') + 1;
	size_t len = strlen(name);
	_cleanup_free_ char *directory = strndup(path, (size_t)(name - path));
	_cleanup_free_ char *placed = directory ? sidecar_path(source, directory) : NULL;
	_cleanup_free_ char *beside = NULL;
	struct stat st;

	if (placed && strcmp(strrchr(placed, '/') + 1, name) == 0)
		return true;
	if (!directory || name[0] != '.' || len < 1 + strlen(SIDECAR_SUFFIX) ||
	    strcmp(name + len - strlen(SIDECAR_SUFFIX), SIDECAR_SUFFIX) != 0)
		return false;
	if (asprintf(&beside, "%s%.*s", directory,
		     (int)(len - 1 - strlen(SIDECAR_SUFFIX)), name + 1) < 0) {
		beside = NULL;
		return false;
	}
	return stat(beside, &st) == 0 && st.st_dev == source_st->st_dev &&
	       st.st_ino == source_st->st_ino;
}

int sidecar_sync_directory(const char *path)
{
	_cleanup_free_ char *directory = strndup(path,
						 (size_t)(strrchr(path, '/') - path));
	_cleanup_close_ int fd = -1;

	if (!directory)
		return -ENOMEM;
	fd = open(*directory ? directory : "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 || fsync(fd) < 0 ? -errno : 0;
}

/* Sets the mode and reads it back: the hook relies on it, and some file systems (NFS,
   SMB, FUSE, vfat) accept a mode without keeping it. */
static int set_mode(int fd, mode_t mode)
{
	struct stat st;

	if (fchmod(fd, mode) < 0 || fstat(fd, &st) < 0)
		return -errno;
	return (st.st_mode & 07777) == mode ? 0 : -EOPNOTSUPP;
}

/*
 * Gives the file the permissions of source, and never more at any time. The ACL is set
 * together with the mode: where there is one, the group's permissions in the mode are its
 * mask, and without it they would go to a group that has none. Where the ACL or the owner
 * cannot be set, nobody gets what it would give.
 */
static int permit(int fd, const char *source, const struct stat *st)
{
	static const char acl_name[] = "system.posix_acl_access";
	char acl[XATTR_SIZE_MAX < 4096 ? XATTR_SIZE_MAX : 4096];
	mode_t mode = st->st_mode & 0666;
	struct stat own;
	ssize_t len;

	/* remove the ACL that the directory's default ACL gave */
	if (fremovexattr(fd, acl_name) < 0 && errno != ENODATA && errno != EOPNOTSUPP)
		return -errno;
	/* QEMU opens the file as its own user: who may write to the image may write to
	   the sidecar. */
	if (fchown(fd, st->st_uid, st->st_gid) < 0 &&
	    (errno != EPERM || (fchown(fd, (uid_t)-1, st->st_gid) < 0 && errno != EPERM)))
		return -errno;
	if (fstat(fd, &own) < 0)
		return -errno;
	len = getxattr(source, acl_name, acl, sizeof(acl));
	if (len < 0 && errno != ENODATA && errno != EOPNOTSUPP && errno != ERANGE)
		return -errno;
	if (own.st_gid != st->st_gid || (len < 0 && errno == ERANGE))
		mode &= ~(mode_t)070;
	else if (len > 0 && fsetxattr(fd, acl_name, acl, (size_t)len, 0) < 0)
		mode &= ~(mode_t)070;
	return set_mode(fd, mode | S_ISVTX);
}

int sidecar_create(const char *path, const char *source, const struct stat *st,
		   int *ret_fd)
{
	_cleanup_close_ int fd =
		open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	int r;

	if (fd < 0)
		return -errno;
	r = permit(fd, source, st);
	if (r == 0 && fsync(fd) < 0)
		r = -errno;
	if (r == 0)
		r = sidecar_sync_directory(path);
	if (r < 0)
		(void)unlink(path);
	else
		*ret_fd = lull_steal_fd(&fd);
	return r;
}

/*
 * Opens a sidecar: a regular file with one name. Checks the type before it opens the
 * file, because an open of anything else may hang or have an effect. Returns a descriptor
 * or -errno: -ELOOP for a symbolic link, -EBADMSG for anything else that cannot be a
 * sidecar.
 */
static int open_it(const char *path, struct stat *ret_st)
{
	_cleanup_close_ int fd = -1;

	if (lstat(path, ret_st) < 0)
		return -errno;
	if (!S_ISREG(ret_st->st_mode))
		return S_ISLNK(ret_st->st_mode) ? -ELOOP : -EBADMSG;
	fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 || fstat(fd, ret_st) < 0)
		return -errno;
	if (!S_ISREG(ret_st->st_mode) || ret_st->st_nlink != 1)
		return -EBADMSG;
	return lull_steal_fd(&fd);
}

int sidecar_mark(const char *path, bool between)
{
	struct stat st;
	_cleanup_close_ int fd = open_it(path, &st);

	if (fd < 0)
		return fd;
	if (((st.st_mode & S_ISVTX) != 0) == between)
		return 0;

	int r = set_mode(fd, (st.st_mode & 0777) | (between ? S_ISVTX : 0));

	return r == 0 && fsync(fd) < 0 ? -errno : r;
}

/* QEMU holds open file description locks on the files that it has open. */
static bool is_locked(int fd)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	return fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

struct header {
	bool has_name; /* a backing file is named */
	char name[LONGEST_NAME + 1];
	unsigned int cluster_bits;
	uint64_t size;
	uint32_t entries; /* of the L1 table */
	uint64_t table;   /* offset of the L1 table */
	bool has_more;    /* it has snapshots or bitmaps */
};

static uint32_t word(const unsigned char *at)
{
	uint32_t value;

	memcpy(&value, at, sizeof(value));
	return be32toh(value);
}

static uint64_t long_word(const unsigned char *at)
{
	return (uint64_t)word(at) << 32 | word(at + sizeof(uint32_t));
}

/* Returns 0, or -EBADMSG for a header that QEMU would not make. */
static int parse_header(int fd, const unsigned char *data, struct header *ret)
{
	uint64_t name = long_word(data + 8);
	uint32_t version = word(data + 4), len = word(data + 16);
	unsigned char features[8] = { 0 };

	*ret = (struct header){
		.cluster_bits = word(data + 20),
		.size = long_word(data + 24),
		.entries = word(data + 36),
		.table = long_word(data + 40),
		.has_more = word(data + 60) > 0,
	};
	if (word(data) != QCOW2_MAGIC || version < 2 || version > 3 ||
	    ret->cluster_bits < SHORTEST_CLUSTER_BITS ||
	    ret->cluster_bits > LONGEST_CLUSTER_BITS)
		return -EBADMSG;
	if (version == 3 && pread(fd, features, sizeof(features), 88) == sizeof(features))
		ret->has_more |= (long_word(features) & HAS_BITMAPS) != 0;
	if (name > 0 && (len > LONGEST_NAME || name > (uint64_t)INT64_MAX - len ||
			 pread(fd, ret->name, len, (off_t)name) != (ssize_t)len))
		return -EBADMSG;
	ret->has_name = name > 0;
	return 0;
}

/* Returns 1 if the L1 table is empty, 0 if not, or -errno; -EBADMSG unless it is where
   and as long as the size of the disk requires. */
static int table_is_empty(int fd, const struct header *header)
{
	size_t len = (size_t)header->entries * sizeof(uint64_t);
	uint64_t of_one = 1ULL << (2 * header->cluster_bits - 3);
	_cleanup_free_ unsigned char *table = NULL;
	ssize_t n;

	if (header->entries < (header->size - 1) / of_one + 1 || len > LONGEST_L1 ||
	    header->table == 0 || header->table % (1ULL << header->cluster_bits) != 0 ||
	    header->table > (uint64_t)INT64_MAX - len)
		return -EBADMSG;
	table = malloc(len);
	if (!table)
		return -ENOMEM;
	n = pread(fd, table, len, (off_t)header->table);
	if (n < 0)
		return -errno;
	for (ssize_t i = 0; i < n; i++) {
		if (table[i] != 0)
			return 0;
	}
	return n == (ssize_t)len ? 1 : -EBADMSG;
}

/*
 * Returns 1 if the L1 table has no entry: no cluster was ever allocated to data, because
 * QEMU writes such an entry through before the data. Accepts an incomplete file as a
 * sidecar only with the mark: QEMU had not finished it.
 */
static int has_no_data(int fd, const struct stat *st, const struct stat *source)
{
	unsigned char data[HEADER_LEN];
	bool is_marked = st->st_mode & S_ISVTX;
	struct header header;
	struct stat backing;
	ssize_t n = pread(fd, data, sizeof(data), 0);
	int r;

	if (n < 0)
		return -errno;
	/* sidecar_create() made the file, and nothing has been written to it yet */
	if (n == 0)
		return is_marked ? 1 : -EBADMSG;
	if (n < (ssize_t)sizeof(data))
		return -EBADMSG;
	r = parse_header(fd, data, &header);
	if (r < 0)
		return r;
	if (header.has_name && header.name[0] == '/' &&
	    (stat(header.name, &backing) < 0 || backing.st_dev != source->st_dev ||
	     backing.st_ino != source->st_ino))
		return -EBADMSG;
	if (!header.has_name && !is_marked)
		return -EBADMSG;
	if (header.has_more)
		return 0;
	if (header.size > 0)
		return table_is_empty(fd, &header);
	return header.entries == 0 && is_marked &&
			       st->st_size <= (off_t)FIRST_CLUSTERS << header.cluster_bits
		       ? 1
		       : -EBADMSG;
}

int sidecar_is_unused(const char *path, const struct stat *source)
{
	struct stat st;
	_cleanup_close_ int fd = open_it(path, &st);

	if (fd < 0)
		return fd == -ELOOP ? -EBADMSG : fd;
	if (is_locked(fd))
		return -EBUSY;
	return has_no_data(fd, &st, source);
}

int sidecar_read_header(const char *path, struct sidecar_header *ret)
{
	unsigned char data[HEADER_LEN];
	struct header header;
	struct stat st;
	_cleanup_close_ int fd = open_it(path, &st);
	int r;

	if (fd < 0)
		return fd;
	if (pread(fd, data, sizeof(data), 0) != (ssize_t)sizeof(data))
		return -EBADMSG;
	r = parse_header(fd, data, &header);
	if (r == 0)
		*ret = (struct sidecar_header){
			.size = header.size,
			.has_backing = header.has_name,
		};
	return r;
}

int sidecar_is_image(int fd, uint64_t size)
{
	unsigned char data[HEADER_LEN];
	struct header header;
	int r;

	if (pread(fd, data, sizeof(data), 0) != (ssize_t)sizeof(data))
		return -EBADMSG;
	r = parse_header(fd, data, &header);
	return r == 0 && header.size != size ? -EBADMSG : r;
}

bool sidecar_has_name(const char *path)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	size_t len = strlen(name), suffix = strlen(SIDECAR_SUFFIX);

	return name[0] == '.' && len > suffix + 1 &&
	       strcmp(name + len - suffix, SIDECAR_SUFFIX) == 0;
}

int sidecar_hold(const char *path, struct sidecar_hold *ret_hold)
{
	const char *name = strrchr(path, '/') + 1;
	_cleanup_free_ char *head = strndup(path, (size_t)(name - path));
	int dir = head ? open(head, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;

	if (dir < 0)
		return head ? -errno : -ENOMEM;
	*ret_hold = (struct sidecar_hold){ .dir = dir };
	if (asprintf(&ret_hold->path, "/proc/self/fd/%d/%s", dir, name) >= 0)
		return 0;
	(void)close(dir);
	return -ENOMEM;
}

void sidecar_let_go(struct sidecar_hold *hold)
{
	(void)close(hold->dir);
	free(hold->path);
}

int sidecar_remove(const char *path)
{
	if (unlink(path) < 0)
		return -errno;
	return sidecar_sync_directory(path);
}
