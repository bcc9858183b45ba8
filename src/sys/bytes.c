// SPDX-License-Identifier: MIT
/* Copies data from one file to another. */
#include "sys/bytes.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

bool lull_bytes_is_terminal(int err)
{
	return err == EIO || err == ENOSPC || err == EDQUOT || err == ENOMEM;
}

bool lull_bytes_is_refusal(int err)
{
	switch (err) {
	case ENOSYS:     /* before 4.5 */
	case EXDEV:      /* before 5.3, and for some pairs of file systems since */
	case EOPNOTSUPP: /* overlays, network file systems */
	case ENOTTY:
	case EINVAL: /* not a regular file; /proc before 5.19 */
	case EBADF:  /* dest is open for appending */
	case EPERM:  /* security policies, immutable on some network file systems */
	case EACCES:
	case ETXTBSY: /* a swap file, which can still be read */
	case EISDIR:
		return true;
	default:
		return false;
	}
}

int64_t lull_bytes_offload(int src, int dest, uint64_t off, uint64_t len)
{
	off64_t from = (off64_t)off, to = (off64_t)off;

	for (;;) {
		ssize_t n = copy_file_range(src, &from, dest, &to, (size_t)len, 0);

		if (n >= 0)
			return n;
		if (errno != EINTR)
			return -errno;
	}
}

int64_t lull_bytes_read(int src, int64_t off, void *buffer, uint64_t size)
{
	for (;;) {
		ssize_t n = off < 0 ? read(src, buffer, (size_t)size)
				    : pread(src, buffer, (size_t)size, (off_t)off);

		if (n >= 0)
			return n;
		if (errno != EINTR)
			return -errno;
	}
}

int lull_bytes_read_all(int src, uint64_t off, void *buffer, uint64_t len)
{
	uint64_t done = 0;

	while (done < len) {
		int64_t n = lull_bytes_read(src, (int64_t)(off + done),
					    (char *)buffer + done, len - done);

		if (n < 0)
			return (int)n;
		if (n == 0)
			return -ESTALE;
		done += (uint64_t)n;
	}
	return 0;
}

int lull_bytes_write(int dest, int64_t off, const void *buffer, uint64_t len)
{
	const char *at = buffer;

	while (len > 0) {
		ssize_t n = off < 0 ? write(dest, at, (size_t)len)
				    : pwrite(dest, at, (size_t)len, (off_t)off);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		/* A device may take no more data without an error. */
		if (n == 0)
			return -ENOSPC;
		at += n;
		len -= (uint64_t)n;
		if (off >= 0)
			off += n;
	}
	return 0;
}

static bool is_zero(const char *at, uint64_t len)
{
	return len == 0 || (*at == 0 && memcmp(at, at + 1, (size_t)len - 1) == 0);
}

uint64_t lull_bytes_run(const void *buffer, uint64_t len, uint64_t grain, bool *ret_zero)
{
	const char *at = buffer;
	uint64_t done = MIN(grain, len);

	*ret_zero = is_zero(at, done);
	while (done < len) {
		uint64_t next = MIN(grain, len - done);

		if (is_zero(at + done, next) != *ret_zero)
			break;
		done += next;
	}
	return done;
}

int lull_bytes_find_data(int fd, uint64_t off, uint64_t *ret_start)
{
	off_t data = lseek(fd, (off_t)off, SEEK_DATA);

	if (data < 0 && errno == ENXIO)
		return 0;
	if (data < 0 && (errno == EINVAL || errno == EOPNOTSUPP || errno == ENOTTY))
		data = (off_t)off;
	if (data < 0)
		return -errno;
	*ret_start = (uint64_t)data;
	return 1;
}

int lull_bytes_next_data(int fd, uint64_t off, uint64_t end, uint64_t *ret_start,
			 uint64_t *ret_end)
{
	off_t data, hole;

	if (off >= end)
		return 0;
	data = lseek(fd, (off_t)off, SEEK_DATA);
	if (data < 0 && errno == ENXIO)
		return 0;
	if (data < 0 && (errno == EINVAL || errno == EOPNOTSUPP || errno == ENOTTY)) {
		*ret_start = off;
		*ret_end = end;
		return 1;
	}
	if (data < 0)
		return -errno;
	if ((uint64_t)data >= end)
		return 0;
	hole = lseek(fd, data, SEEK_HOLE);
	/* The file was truncated in the meantime. */
	if (hole < 0 && errno == ENXIO)
		return 0;
	if (hole < 0)
		return -errno;
	*ret_start = (uint64_t)data;
	*ret_end = MIN((uint64_t)hole, end);
	return 1;
}

#define LOOK 65536u

static bool reads_zero(int fd, uint64_t off, uint64_t len)
{
	static _Thread_local char buffer[LOOK];
	bool zero = false;

	return lull_bytes_read_all(fd, off, buffer, len) == 0 &&
	       lull_bytes_run(buffer, len, len, &zero) == len && zero;
}

bool lull_bytes_are_zero_from(int fd, uint64_t from)
{
	uint64_t start, end;

	for (;;) {
		off_t size = lseek(fd, 0, SEEK_END);
		int r = size < 0 ? -errno
				 : lull_bytes_next_data(fd, from, (uint64_t)size, &start,
							&end);

		if (r <= 0)
			return r == 0;
		for (from = start; from < end;) {
			uint64_t len = MIN(end - from, LOOK);

			if (!reads_zero(fd, from, len))
				return false;
			from += len;
		}
	}
}
