// SPDX-License-Identifier: MIT
/*
 * spread FILE BLOCKS SIZE
 *
 * Makes FILE of SIZE bytes with BLOCKS blocks of 4 KiB at equal distances and holes between them,
 * written directly and in an order like that of a guest: neighbours in the file are none on disk.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <err.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BLOCK 4096u

/* A step that has no factor in common with n goes through all of them. */
static uint64_t step_for(uint64_t n)
{
	uint64_t step = n * 618 / 1000 | 1;

	for (;; step += 2) {
		uint64_t a = step, b = n;

		while (b) {
			uint64_t rest = a % b;

			a = b;
			b = rest;
		}
		if (a == 1)
			return step;
	}
}

int main(int argc, char **argv)
{
	uint64_t n = argc == 4 ? strtoull(argv[2], NULL, 10) : 0;
	uint64_t size = argc == 4 ? strtoull(argv[3], NULL, 10) : 0;
	uint64_t apart, step, at = 0;
	unsigned char *block = aligned_alloc(BLOCK, BLOCK);
	int fd;

	if (n == 0 || size / n < BLOCK || !block)
		errx(2, "usage: spread FILE BLOCKS SIZE, of at least 4096 bytes for each block");
	apart = size / n / BLOCK * BLOCK;
	step = step_for(n);
	fd = open(argv[1], O_WRONLY | O_CREAT | O_EXCL | O_DIRECT | O_CLOEXEC, 0644);
	if (fd < 0 || ftruncate(fd, (off_t)size) < 0)
		err(1, "%s", argv[1]);
	for (uint64_t i = 0; i < n; i++) {
		for (unsigned int j = 0; j < BLOCK; j += sizeof(uint64_t)) {
			uint64_t word = (at << 12 | j) * 0x9e3779b97f4a7c15ULL;

			memcpy(block + j, &word, sizeof(word));
		}
		if (pwrite(fd, block, BLOCK, (off_t)(at * apart)) != BLOCK)
			err(1, "%s", argv[1]);
		at = (at + step) % n;
	}
	if (fsync(fd) < 0 || close(fd) < 0)
		err(1, "%s", argv[1]);
	free(block);
	return 0;
}
