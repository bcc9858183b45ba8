// SPDX-License-Identifier: MIT
/*
 * For LD_PRELOAD: a writer that is at work while bytes are copied. After a read of
 * $WRITES_TO it changes the first byte of the file and the last: the reader has the old
 * first one and gets the new last one. $WRITES_TIMES copies meet it (1), told apart by
 * their reads at offset 0.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void *next(const char *name)
{
	return dlsym(RTLD_NEXT, name);
}

static void change(int fd)
{
	static int n;
	const char *path = getenv("WRITES_TO"), *times = getenv("WRITES_TIMES");
	struct stat a, b;
	char byte;
	int to;

	if (!path || stat(path, &a) < 0 || fstat(fd, &b) < 0 || a.st_ino != b.st_ino ||
	    a.st_dev != b.st_dev || n >= (times ? atoi(times) : 1))
		return;
	n++;
	byte = (char)('0' + n % 10);
	to = open(path, O_WRONLY | O_CLOEXEC);
	if (to < 0 || pwrite(to, &byte, 1, 0) != 1 ||
	    pwrite(to, &byte, 1, a.st_size - 1) != 1)
		_exit(99);
	close(to);
}

ssize_t pread64(int fd, void *buffer, size_t size, off64_t off)
{
	static ssize_t (*real)(int, void *, size_t, off64_t);
	ssize_t n;

	(void)pthread_mutex_lock(&lock);
	if (!real)
		*(void **)(&real) = next("pread64");
	n = real(fd, buffer, size, off);
	if (off == 0)
		change(fd);
	(void)pthread_mutex_unlock(&lock);
	return n;
}

ssize_t copy_file_range(int from, off64_t *off, int to, off64_t *to_off, size_t len,
			unsigned int flags)
{
	static ssize_t (*real)(int, off64_t *, int, off64_t *, size_t, unsigned int);
	off64_t at = off ? *off : 0;
	ssize_t n;

	(void)pthread_mutex_lock(&lock);
	if (!real)
		*(void **)(&real) = next("copy_file_range");
	n = real(from, off, to, to_off, len, flags);
	if (at == 0 && n > 0)
		change(from);
	(void)pthread_mutex_unlock(&lock);
	return n;
}
