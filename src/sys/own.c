// SPDX-License-Identifier: MIT
/* Counts the bytes of a file that no other file shares: see own.h. */
#include "sys/own.h"

#include <errno.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>

/* Takes some milliseconds on Btrfs, which looks up who shares each extent. */
#define WINDOW 512u

int lull_own_add(int fd, uint64_t off, uint64_t *bytes, uint64_t *ret_next)
{
	union {
		struct fiemap map;
		char room[sizeof(struct fiemap) + WINDOW * sizeof(struct fiemap_extent)];
	} u;
	const struct fiemap_extent *e = u.map.fm_extents;

	memset(&u.map, 0, sizeof(u.map));
	u.map.fm_start = off;
	u.map.fm_length = FIEMAP_MAX_OFFSET - off;
	u.map.fm_extent_count = WINDOW;
	if (ioctl(fd, FS_IOC_FIEMAP, &u.map) < 0)
		return -errno;
	*ret_next = UINT64_MAX;
	for (uint32_t i = 0; i < u.map.fm_mapped_extents; i++) {
		uint64_t end = e[i].fe_logical + e[i].fe_length;

		if (end <= off)
			return -EUCLEAN;
		if (!(e[i].fe_flags & FIEMAP_EXTENT_SHARED))
			*bytes += end - (e[i].fe_logical < off ? off : e[i].fe_logical);
		off = end;
		*ret_next = e[i].fe_flags & FIEMAP_EXTENT_LAST ? UINT64_MAX : end;
	}
	return 0;
}
