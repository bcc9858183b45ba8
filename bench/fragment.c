// SPDX-License-Identifier: MIT
/*
 * fragment [-b BLOCK] [-o random|reverse] [-h PERCENT] [-w HOW] [-p I/N] FILE BLOCKS
 *
 * Makes FILE of BLOCKS blocks, each of them an extent of its own, in the way
 * that a guest does it: small direct writes all over a sparse file. random
 * shuffles them over the whole file, reverse goes from the end to the start
 * (every extent follows the next one on disk). -h leaves PERCENT of the blocks
 * as holes. Prints the number of extents the file system reports.
 *
 * For tens of millions there are faster ways. -w half writes the even blocks through the
 * page cache, so that no two neighbours are written at once and become one extent, and
 * clones all that to behind its end: half of BLOCKS extents twice, with holes between. -w
 * clone clones the blocks of FILE.plain, which it writes before and removes at the end; -w
 * plain only writes that. -p does only part I of N, for a machine that others use.
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

enum how { DIRECT, HALF, CLONE, PLAIN };

static enum how named(const char *name)
{
	static const char *const names[] = { "direct", "half", "clone", "plain" };

	for (unsigned int i = 0; i < 4; i++)
		if (strcmp(name, names[i]) == 0)
			return (enum how)i;
	errx(2, "-w: no such way: %s", name);
}

/* How many blocks are written through the page cache before they are synced. */
#define AT_ONCE 100000ul

static void shuffle(uint32_t *order, unsigned long n)
{
	for (unsigned long i = n; i > 1; i--) {
		unsigned long j = draw() % i;
		uint32_t t = order[i - 1];

		order[i - 1] = order[j];
		order[j] = t;
	}
}

/* All of the file to be cloned from, in as few extents as there can be. */
static void write_plain(const char *path, unsigned long size)
{
	const size_t chunk = 1 << 20;
	unsigned char *buf = aligned_alloc(4096, chunk);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0 || !buf)
		err(1, "%s", path);
	memset(buf, 0x5a, chunk);
	if (fallocate(fd, 0, 0, (off_t)size))
		err(1, "fallocate %s", path);
	for (unsigned long at = 0; at < size; at += chunk) {
		size_t len = size - at < chunk ? size - at : chunk;

		if (pwrite(fd, buf, len, (off_t)at) != (ssize_t)len)
			err(1, "write %s", path);
	}
	if (fsync(fd) || close(fd))
		err(1, "fsync %s", path);
	free(buf);
}

static int open_plain(const char *file, unsigned long size, char **path)
{
	int fd;

	if (asprintf(path, "%s.plain", file) < 0)
		errx(1, "out of memory");
	if (access(*path, F_OK))
		write_plain(*path, size);
	fd = open(*path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		err(1, "%s", *path);
	return fd;
}

static void clone_part(int dest, int src, unsigned long from, unsigned long to,
		       unsigned long len)
{
	struct file_clone_range range = {
		.src_fd = src,
		.src_offset = from,
		.src_length = len,
		.dest_offset = to,
	};

	if (ioctl(dest, FICLONERANGE, &range) < 0)
		err(1, "clone");
}

int main(int argc, char **argv)
{
	unsigned long block = 4096, holes = 0, part = 1, parts = 1;
	int random_order = 1, opt, plain = -1;
	enum how how = DIRECT;
	char *plain_path = NULL;

	while ((opt = getopt(argc, argv, "b:o:h:w:p:")) != -1) {
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
		case 'w':
			how = named(optarg);
			break;
		case 'p':
			if (sscanf(optarg, "%lu/%lu", &part, &parts) != 2 || part < 1 ||
			    part > parts)
				errx(2, "-p: not a part: %s", optarg);
			break;
		default:
			return 2;
		}
	}
	if (argc - optind != 2 || block < 512 || block % 512)
		errx(2, "usage: fragment [-b BLOCK] [-o random|reverse] [-h PERCENT] "
			"[-w direct|half|clone|plain] [-p I/N] FILE BLOCKS");

	unsigned long n = strtoul(argv[optind + 1], NULL, 0);
	uint32_t *order = calloc(n ? n : 1, sizeof(*order));
	uint64_t *buf = aligned_alloc(4096, (block + 4095) / 4096 * 4096);

	if (!order || !buf)
		errx(1, "out of memory");

	unsigned long size = n * block;

	if (how == HALF)
		n /= 2;
	for (unsigned long i = 0; i < n; i++)
		order[i] = (uint32_t)((how == HALF ? 2 : 1) * (n - 1 - i));
	if (random_order)
		shuffle(order, n);

	int fd = open(argv[optind],
		      O_RDWR | O_CREAT | O_CLOEXEC | (part == 1 ? O_TRUNC : 0) |
			      (how == DIRECT ? O_DIRECT : 0),
		      0600);

	if (fd < 0)
		err(1, "%s", argv[optind]);
	if (ftruncate(fd, (off_t)size))
		err(1, "ftruncate %s", argv[optind]);
	if (how == CLONE || how == PLAIN)
		plain = open_plain(argv[optind], size, &plain_path);
	if (how == PLAIN)
		return 0;
	for (unsigned long i = n * (part - 1) / parts; i < n * part / parts; i++) {
		if (holes && draw() % 100 < holes)
			continue;
		if (how == CLONE) {
			clone_part(fd, plain, i * block, order[i] * block, block);
			continue;
		}
		for (unsigned long j = 0; j < block / sizeof(*buf); j++)
			buf[j] = draw();
		if (pwrite(fd, buf, block, (off_t)order[i] * (off_t)block) !=
		    (ssize_t)block)
			err(1, "write %s", argv[optind]);
		if (how == HALF && (i + 1 == n || i % AT_ONCE == AT_ONCE - 1)) {
			if (fdatasync(fd))
				err(1, "fdatasync %s", argv[optind]);
			(void)posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
		}
	}
	if (fsync(fd))
		err(1, "fsync %s", argv[optind]);
	if (part < parts)
		return 0;
	for (unsigned long at = 0; how == HALF && at < size; at += AT_ONCE * block)
		clone_part(fd, fd, at, size + at,
			   size - at < AT_ONCE * block ? size - at : AT_ONCE * block);
	if (plain >= 0 && (close(plain) || unlink(plain_path)))
		err(1, "%s", plain_path);

	struct fiemap map = { .fm_length = FIEMAP_MAX_OFFSET };

	if (ioctl(fd, FS_IOC_FIEMAP, &map))
		err(1, "FIEMAP %s", argv[optind]);
	printf("%u\n", map.fm_mapped_extents);
	return 0;
}
