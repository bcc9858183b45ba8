// SPDX-License-Identifier: MIT
/*
 * pieces BYTES SOURCE DEST
 *
 * Clones SOURCE to the new file DEST in pieces of BYTES each, whatever is in them, without a rest:
 * the proof of concept that the proposal of FICLONERANGE2 measured. Prints how many calls it made.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <err.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/fs.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	uint64_t piece = argc == 4 ? strtoull(argv[1], NULL, 10) : 0, calls = 0;
	struct stat st;
	int src, dest;

	if (piece == 0 || piece % 4096 != 0)
		errx(2, "usage: pieces BYTES SOURCE DEST, BYTES a multiple of 4096");
	src = open(argv[2], O_RDONLY | O_CLOEXEC);
	if (src < 0 || fstat(src, &st) < 0)
		err(1, "%s", argv[2]);
	dest = open(argv[3], O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (dest < 0 || ftruncate(dest, st.st_size) < 0)
		err(1, "%s", argv[3]);
	for (uint64_t at = 0; at < (uint64_t)st.st_size; at += piece, calls++) {
		uint64_t left = (uint64_t)st.st_size - at;
		struct file_clone_range range = {
			.src_fd = src,
			.src_offset = at,
			.src_length = left < piece ? left : piece,
			.dest_offset = at,
		};

		if (ioctl(dest, FICLONERANGE, &range) < 0)
			err(1, "%s", argv[3]);
	}
	printf("%" PRIu64 "\n", calls);
	return close(dest) < 0 ? 1 : 0;
}
