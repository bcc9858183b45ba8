// SPDX-License-Identifier: MIT
/*
 * scribble FILE SIZE BLOCK...
 *
 * Writes SIZE new bytes, no two alike, at SIZE times each BLOCK. One process for what a
 * shell would start two for each block for.
 */
#include <err.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	size_t size = argc > 3 ? strtoul(argv[2], NULL, 10) : 0;
	unsigned char *bytes = size > 0 ? malloc(size) : NULL;
	int fd = size > 0 ? open(argv[1], O_WRONLY | O_CREAT | O_CLOEXEC, 0666) : -1;

	if (!bytes)
		errx(2, "usage: scribble FILE SIZE BLOCK...");
	if (fd < 0)
		err(1, "%s", argv[1]);
	for (int i = 3; i < argc; i++) {
		off_t off = (off_t)size * strtoll(argv[i], NULL, 10);

		for (size_t at = 0; at < size;) {
			ssize_t n = getrandom(bytes + at, size - at, 0);

			if (n < 0)
				err(1, "getrandom");
			at += (size_t)n;
		}
		for (size_t at = 0; at < size;) {
			ssize_t n = pwrite(fd, bytes + at, size - at, off + (off_t)at);

			if (n < 0)
				err(1, "%s", argv[1]);
			at += (size_t)n;
		}
	}
	return close(fd) < 0 ? 1 : 0;
}
