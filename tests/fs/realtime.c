// SPDX-License-Identifier: MIT
/*
 * For LD_PRELOAD: an XFS with a realtime device. The file $REALTIME lies on it, and so
 * does a new file in the directory if RTINHERIT is set; no clone works between the
 * devices. What FS_IOC_FSSETXATTR says of a file counts from then on.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <dlfcn.h>
#include <errno.h>
#include <linux/fs.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

static struct {
	ino_t inode;
	int on;
} known[100];
static unsigned int n;

static int *realtime(int fd)
{
	struct stat st, named;
	const char *path = getenv("REALTIME");

	if (fstat(fd, &st) < 0)
		abort();
	for (unsigned int i = 0; i < n; i++) {
		if (known[i].inode == st.st_ino)
			return &known[i].on;
	}
	if (n == sizeof(known) / sizeof(known[0]))
		abort();
	known[n].inode = st.st_ino;
	known[n].on = path && stat(path, &named) == 0 && named.st_ino == st.st_ino;
	if (getenv("RTINHERIT") && st.st_nlink == 0)
		known[n].on = 1;
	return &known[n++].on;
}

int ioctl(int fd, unsigned long request, ...)
{
	static int (*real)(int, unsigned long, ...);
	struct fsxattr *attr, without;
	va_list args;
	void *arg;
	int r;

	va_start(args, request);
	arg = va_arg(args, void *);
	va_end(args);
	if (!real)
		*(void **)(&real) = dlsym(RTLD_NEXT, "ioctl");
	attr = arg;
	if (request == FS_IOC_FSSETXATTR) {
		*realtime(fd) = (attr->fsx_xflags & FS_XFLAG_REALTIME) != 0;
		without = *attr;
		without.fsx_xflags &= ~(__u32)FS_XFLAG_REALTIME;
		return real(fd, request, &without);
	}
	if (request == FICLONERANGE &&
	    *realtime(fd) != *realtime((int)((struct file_clone_range *)arg)->src_fd)) {
		errno = EINVAL;
		return -1;
	}
	r = real(fd, request, arg);
	if (r == 0 && request == FS_IOC_FSGETXATTR && *realtime(fd))
		attr->fsx_xflags |= FS_XFLAG_REALTIME;
	return r;
}
