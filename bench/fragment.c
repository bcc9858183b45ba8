// SPDX-License-Identifier: MIT
/*
 * fragment [-b BLOCK] [-o random|reverse] [-h PERCENT] FILE BLOCKS
 *
 * Makes FILE of BLOCKS blocks, each of them an extent of its own, in the way
 * that a guest does it: small direct writes all over a sparse file. random
 * shuffles them over the whole file, reverse goes from the end to the start
 * (every extent follows the next one on disk). -h leaves PERCENT of the blocks
 * as holes. Prints the number of extents the file system reports.
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
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static uint64_t state = 0x9e3779b97f4a7c15ULL;

static uint64_t draw(void)
{
	/* splitmix64: good enough to be incompressible, and the same in every run */
	uint64_t z = (state += 0x9e3779b97f4a7c15ULL);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

int main(int argc, char **argv)
{
	unsigned long block = 4096, holes = 0;
	int random_order = 1, opt;

	while ((opt = getopt(argc, argv, "b:o:h:")) != -1) {
		switch (opt) {
		case 'b':
			block = strtoul(optarg, NULL, 0);
			break;
		case 'h':
			holes = strtoul(optarg, NULL, 0);
			break;
		case 'o':
			random_order = strcmp(optarg, "reverse") != 0;
			break;
		default:
			return 2;
		}
	}
	if (argc - optind != 2 || block < 512 || block % 512)
		errx(2, "usage: fragment [-b BLOCK] [-o random|reverse] [-h PERCENT] FILE BLOCKS");

	unsigned long n = strtoul(argv[optind + 1], NULL, 0);
	uint32_t *order = calloc(n ? n : 1, sizeof(*order));
	uint64_t *buf = aligned_alloc(4096, (block + 4095) / 4096 * 4096);

	if (!order || !buf)
		errx(1, "out of memory");
	for (unsigned long i = 0; i < n; i++)
		order[i] = (uint32_t)(n - 1 - i);
	for (unsigned long i = n; random_order && i > 1; i--) {
		unsigned long j = draw() % i;
		uint32_t t = order[i - 1];

		order[i - 1] = order[j];
		order[j] = t;
	}

	int fd = open(argv[optind], O_RDWR | O_CREAT | O_TRUNC | O_DIRECT | O_CLOEXEC, 0600);

	if (fd < 0)
		err(1, "%s", argv[optind]);
	if (ftruncate(fd, (off_t)(n * block)))
		err(1, "ftruncate %s", argv[optind]);
	for (unsigned long i = 0; i < n; i++) {
		if (holes && draw() % 100 < holes)
			continue;
		for (unsigned long j = 0; j < block / sizeof(*buf); j++)
			buf[j] = draw();
		if (pwrite(fd, buf, block, (off_t)order[i] * (off_t)block) != (ssize_t)block)
			err(1, "write %s", argv[optind]);
	}
	if (fsync(fd))
		err(1, "fsync %s", argv[optind]);

	struct fiemap map = { .fm_length = FIEMAP_MAX_OFFSET };

	if (ioctl(fd, FS_IOC_FIEMAP, &map))
		err(1, "FIEMAP %s", argv[optind]);
	printf("%u\n", map.fm_mapped_extents);
	return 0;
}
