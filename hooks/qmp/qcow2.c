// SPDX-License-Identifier: MIT
/*
 * DESIGN
 *
 * QEMU would write a name of its own choice into an overlay that it makes: a relative
 * name, which it resolves from the overlay's directory, or a json: name, which qemu-img
 * cannot open without what is in QEMU. So the hook makes the file, with the image's
 * absolute path, and QEMU takes it as it is (mode=existing).
 *
 * The file has version 3, as docs/interop/qcow2.txt of QEMU defines it:
 *
 *     cluster 0  header, format of the backing file, its name
 *             1  reference count table
 *             2  the only reference count block
 *             3  L1 table, of as many clusters as it takes
 */
#include "qcow2.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#define MAGIC         0x514649fbU
#define FORMAT_IS     0xe2792acaU
#define HEADER_LEN    104U
#define CLUSTER_BITS  16U
#define CLUSTER       (1ULL << CLUSTER_BITS)
#define LONGEST_NAME  1023U
#define TABLE_CLUSTER 3U
/* Bytes of the disk that one L1 entry covers: a cluster of entries of 8 bytes. */
#define PER_ENTRY     (CLUSTER * (CLUSTER / 8))
#define LONGEST_TABLE (32ULL << 20)

static void put_word(unsigned char *at, uint32_t value)
{
	value = htobe32(value);
	memcpy(at, &value, sizeof(value));
}

static void put_long(unsigned char *at, uint64_t value)
{
	value = htobe64(value);
	memcpy(at, &value, sizeof(value));
}

static uint32_t get_word(const unsigned char *at)
{
	uint32_t value;

	memcpy(&value, at, sizeof(value));
	return be32toh(value);
}

static int put_cluster(int fd, const unsigned char *data, uint64_t cluster)
{
	for (uint64_t done = 0; done < CLUSTER;) {
		ssize_t n = pwrite(fd, data + done, CLUSTER - done,
				   (off_t)(cluster * CLUSTER + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		done += (uint64_t)n;
	}
	return 0;
}

static void make_header(unsigned char *data, uint64_t size, uint64_t entries,
			const char *backing, const char *format)
{
	size_t len = strlen(format), padded = (len + 7) / 8 * 8;
	size_t name = HEADER_LEN + 8 + padded + 8;

	put_word(data, MAGIC);
	put_word(data + 4, 3);
	put_long(data + 8, name);
	put_word(data + 16, (uint32_t)strlen(backing));
	put_word(data + 20, CLUSTER_BITS);
	put_long(data + 24, size);
	put_word(data + 36, (uint32_t)entries);
	put_long(data + 40, TABLE_CLUSTER * CLUSTER);
	put_long(data + 48, CLUSTER); /* offset of the reference count table, */
	put_word(data + 56, 1);       /* which has one cluster */
	put_word(data + 96, 4);       /* 2^4 bits per reference count */
	put_word(data + 100, HEADER_LEN);
	put_word(data + HEADER_LEN, FORMAT_IS);
	put_word(data + HEADER_LEN + 4, (uint32_t)len);
	memcpy(data + HEADER_LEN + 8, format, len);
	memcpy(data + name, backing, strlen(backing));
}

static uint64_t table_entries(uint64_t size)
{
	return size == 0 ? 0 : (size - 1) / PER_ENTRY + 1;
}

static uint64_t table_clusters(uint64_t size)
{
	return MAX((table_entries(size) * 8 + CLUSTER - 1) / CLUSTER, 1U);
}

int qcow2_make(int fd, uint64_t size, const char *backing, const char *format)
{
	uint64_t entries = table_entries(size);
	uint64_t n = TABLE_CLUSTER + table_clusters(size);
	_cleanup_free_ unsigned char *data = calloc(1, CLUSTER);
	int r;

	if (!data)
		return -ENOMEM;
	if (entries * 8 > LONGEST_TABLE)
		return -EFBIG;
	if (strlen(backing) > LONGEST_NAME || strlen(format) >= QCOW2_FORMAT_LEN)
		return -ENAMETOOLONG;
	for (uint64_t i = TABLE_CLUSTER; i < n; i++) {
		r = put_cluster(fd, data, i);
		if (r < 0)
			return r;
	}
	put_long(data, 2 * CLUSTER);
	r = put_cluster(fd, data, 1);
	if (r < 0)
		return r;
	memset(data, 0, 8);
	for (uint64_t i = 0; i < n; i++)
		data[2 * i + 1] = 1;
	r = put_cluster(fd, data, 2);
	if (r < 0)
		return r;
	memset(data, 0, CLUSTER);
	make_header(data, size, entries, backing, format);
	r = put_cluster(fd, data, 0);
	return r < 0 || fsync(fd) == 0 ? r : -errno;
}

bool qcow2_is_unfinished(const char *path, uint64_t size)
{
	unsigned char data[HEADER_LEN] = { 0 };
	uint64_t most = (TABLE_CLUSTER + table_clusters(size)) * CLUSTER;
	_cleanup_close_ int fd = open(path,
				      O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) ||
	    (uint64_t)st.st_size > most || pread(fd, data, sizeof(data), 0) < 0)
		return false;
	for (size_t i = 0; i < sizeof(data); i++) {
		if (data[i] != 0)
			return false;
	}
	return true;
}

/* Reads the header extension that names the backing file's format. Returns -EBADMSG if
   there is none. */
static int read_format(const unsigned char *data, size_t end,
		       char ret_format[static QCOW2_FORMAT_LEN])
{
	size_t at = get_word(data + 100);

	while (at <= end - 8 && get_word(data + at) != FORMAT_IS) {
		size_t len = get_word(data + at + 4);

		if (get_word(data + at) == 0 || len > end)
			return -EBADMSG;
		at += 8 + (len + 7) / 8 * 8;
	}
	if (at > end - 8)
		return -EBADMSG;

	size_t len = get_word(data + at + 4);

	if (len >= QCOW2_FORMAT_LEN || at + 8 + len > end)
		return -EBADMSG;
	for (size_t i = 0; i < len; i++) {
		char c = (char)data[at + 8 + i];

		/* Reject what must not be printed in a command. */
		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'))
			return -EBADMSG;
		ret_format[i] = c;
	}
	ret_format[len] = '\0';
	return 0;
}

int qcow2_backing(const char *path, char **ret_name,
		  char ret_format[static QCOW2_FORMAT_LEN])
{
	unsigned char data[4096];
	_cleanup_close_ int fd = open(path,
				      O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : pread(fd, data, sizeof(data), 0);
	uint64_t name;
	uint32_t len;
	int r;

	if (n < 0)
		return -errno;
	if (n < (ssize_t)sizeof(data) || get_word(data) != MAGIC ||
	    get_word(data + 4) != 3)
		return -EBADMSG;
	name = (uint64_t)get_word(data + 8) << 32 | get_word(data + 12);
	len = get_word(data + 16);
	if (len == 0 || name > sizeof(data) || len > sizeof(data) - name)
		return -EBADMSG;
	r = read_format(data, sizeof(data), ret_format);
	if (r < 0)
		return r;
	*ret_name = strndup((const char *)data + name, len);
	return *ret_name ? 0 : -ENOMEM;
}
