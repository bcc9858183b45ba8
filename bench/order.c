// SPDX-License-Identifier: MIT
/*
 * order SRC DST WINDOW
 *
 * Clones SRC to a new file DST by one FICLONERANGE an extent. The extents of WINDOW that
 * follow each other in the file are cloned in the order in which they lie on the disk, and
 * so on with the next; 1: in the order of the file. 0: only the map is read, which is part
 * of what the others take.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <err.h>
#include <fcntl.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAP_WINDOW 512

struct extent {
	uint64_t off;
	uint64_t place;
	uint64_t len;
};

static int by_place(const void *a, const void *b)
{
	const struct extent *x = a, *y = b;

	return x->place < y->place ? -1 : x->place > y->place;
}

static struct extent *map(int src, size_t *ret_n)
{
	struct fiemap *window =
		calloc(1, sizeof(*window) + MAP_WINDOW * sizeof(struct fiemap_extent));
	struct extent *extents = NULL;
	size_t n = 0, room = 0;
	uint64_t at = 0;
	int last = 0;

	if (!window)
		err(1, "calloc");
	while (!last) {
		*window = (struct fiemap){ .fm_start = at, .fm_length = FIEMAP_MAX_OFFSET - at,
					   .fm_extent_count = MAP_WINDOW };
		if (ioctl(src, FS_IOC_FIEMAP, window) < 0)
			err(1, "FS_IOC_FIEMAP");
		if (window->fm_mapped_extents == 0)
			break;
		if (n + window->fm_mapped_extents > room) {
			room = (n + MAP_WINDOW) * 2;
			extents = reallocarray(extents, room, sizeof(*extents));
			if (!extents)
				err(1, "reallocarray");
		}
		for (uint32_t i = 0; i < window->fm_mapped_extents; i++) {
			const struct fiemap_extent *e = &window->fm_extents[i];

			extents[n++] = (struct extent){ e->fe_logical, e->fe_physical, e->fe_length };
			at = e->fe_logical + e->fe_length;
			last = e->fe_flags & FIEMAP_EXTENT_LAST;
		}
	}
	free(window);
	*ret_n = n;
	return extents;
}

int main(int argc, char **argv)
{
	struct stat st;
	size_t n;

	if (argc != 4)
		errx(2, "usage: order SRC DST WINDOW");

	size_t window = strtoul(argv[3], NULL, 10);
	int src = open(argv[1], O_RDONLY | O_CLOEXEC);
	int dst = open(argv[2], O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (src < 0 || fstat(src, &st) < 0)
		err(1, "%s", argv[1]);
	if (dst < 0 || ftruncate(dst, st.st_size) < 0)
		err(1, "%s", argv[2]);

	struct extent *extents = map(src, &n);

	for (size_t i = 0; window > 1 && i < n; i += window)
		qsort(extents + i, n - i < window ? n - i : window, sizeof(*extents), by_place);
	for (size_t i = 0; window > 0 && i < n; i++) {
		struct file_clone_range range = { .src_fd = src,
						  .src_offset = extents[i].off,
						  .src_length = extents[i].len,
						  .dest_offset = extents[i].off };

		if (ioctl(dst, FICLONERANGE, &range) < 0)
			err(1, "FICLONERANGE at %llu", (unsigned long long)extents[i].off);
	}
	free(extents);
	return 0;
}
