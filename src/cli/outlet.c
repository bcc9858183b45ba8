// SPDX-License-Identifier: MIT
/*
 * INVARIANTS
 *  1. Between outlet_begin() and outlet_end() no write waits unless more than MOST bytes
 *     are kept: so many come from a slow reader, and not from one freeze.
 *  2. No output is lost, except for progress (outlet_has_room()).
 */
#include "outlet.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MOST (1U << 20)

struct outlet {
	int fd;
	/* the same pipe or terminal, opened again with O_NONBLOCK; -1: none */
	int quick;
	int err; /* errno of a write that failed */
	char *kept;
	size_t len, room;
};

static struct outlet outlets[] = {
	{ .fd = STDOUT_FILENO, .quick = -1 },
	{ .fd = STDERR_FILENO, .quick = -1 },
};
static bool holds;
static const volatile sig_atomic_t never;
static const volatile sig_atomic_t *stop_signal = &never;

static struct outlet *outlet_of(int fd)
{
	return &outlets[fd == STDERR_FILENO];
}

/* Returns true also on an error, which the write then reports. */
static bool is_open_for(int fd)
{
	struct pollfd set = { .fd = fd, .events = POLLOUT };

	return poll(&set, 1, 0) != 0;
}

static ssize_t write_some(const struct outlet *o, bool waits)
{
	/* poll(2) reports a pipe as writable only if PIPE_BUF bytes fit */
	size_t len = o->len < PIPE_BUF ? o->len : PIPE_BUF;

	if (waits)
		return write(o->fd, o->kept, len);
	if (!is_open_for(o->fd)) {
		errno = EAGAIN;
		return -1;
	}
	return write(o->quick >= 0 ? o->quick : o->fd, o->kept, len);
}

/* Waits until a descriptor opened with O_NONBLOCK can be written to. Returns false with
   errno. */
static bool is_waited_for(const struct outlet *o)
{
	struct pollfd set = { .fd = o->fd, .events = POLLOUT };

	return poll(&set, 1, -1) > 0;
}

/* Writes what is kept. Returns false on an error, and then keeps nothing. */
static bool pass_on(struct outlet *o, bool waits)
{
	while (o->len > 0) {
		ssize_t n = write_some(o, waits);

		if (n > 0) {
			o->len -= (size_t)n;
			memmove(o->kept, o->kept + n, o->len);
			continue;
		}
		if (n < 0 && errno == EAGAIN && !waits)
			return true;
		if (n < 0 && errno == EAGAIN && is_waited_for(o))
			continue;
		/* once the user has asked for the end, do not wait for a reader */
		if (n < 0 && errno == EINTR && *stop_signal == 0)
			continue;
		o->err = n < 0 ? errno : EIO;
		o->len = 0;
		return false;
	}
	return true;
}

static bool keep(struct outlet *o, const char *text, size_t len)
{
	if (o->len + len > o->room) {
		size_t room = 2 * (o->len + len);
		char *longer = realloc(o->kept, room);

		if (!longer)
			return false;
		o->kept = longer;
		o->room = room;
	}
	memcpy(o->kept + o->len, text, len);
	o->len += len;
	return true;
}

bool outlet_put(int fd, const char *text, size_t len)
{
	struct outlet *o = outlet_of(fd);

	return keep(o, text, len) && pass_on(o, !holds || o->len > MOST);
}

static ssize_t put(void *cookie, const char *text, size_t len)
{
	const struct outlet *o = cookie;

	return outlet_put(o->fd, text, len) ? (ssize_t)len : 0;
}

/* Opens a pipe or terminal again. Not a file, which always has space and whose offset a
   second open would not share, and not a socket, which cannot be opened. */
static int open_quick(int fd)
{
	char path[64];
	struct stat st;

	if (fstat(fd, &st) < 0 || !(S_ISFIFO(st.st_mode) || S_ISCHR(st.st_mode)) ||
	    (fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDONLY)
		return -1;
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

static FILE *open_stream(struct outlet *o, FILE *old, int mode)
{
	FILE *stream = fopencookie(o, "w", (cookie_io_functions_t){ .write = put });

	if (!stream)
		return old;
	(void)fflush(old);
	(void)setvbuf(stream, NULL, mode, BUFSIZ);
	return stream;
}

static void finish(void)
{
	(void)outlet_end();
}

static bool may_freeze(const struct command *c)
{
	return c->engine.hook || c->mode == MODE_RECOVER || c->mode == MODE_CHECK_HOOK ||
	       (c->mode == MODE_CLONE && (c->engine.resume || c->engine.restart));
}

void outlet_begin(const struct command *command, const volatile sig_atomic_t *stops)
{
	stop_signal = stops;
	if (!may_freeze(command) || atexit(finish) != 0)
		return;
	for (size_t i = 0; i < sizeof(outlets) / sizeof(outlets[0]); i++)
		outlets[i].quick = open_quick(outlets[i].fd);
	stdout = open_stream(&outlets[0], stdout,
			     isatty(STDOUT_FILENO) ? _IOLBF : _IOFBF);
	/* else service.c has replaced it */
	if (fileno(stderr) == STDERR_FILENO)
		stderr = open_stream(&outlets[1], stderr, _IOLBF);
	holds = true;
	/* a terminal with tostop would stop a background process that writes to it */
	(void)signal(SIGTTOU, SIG_IGN);
}

bool outlet_has_room(int fd)
{
	return !holds || (outlet_of(fd)->len == 0 && is_open_for(fd));
}

void outlet_drain(void)
{
	for (size_t i = 0; holds && i < sizeof(outlets) / sizeof(outlets[0]); i++)
		(void)pass_on(&outlets[i], false);
}

bool outlet_end(void)
{
	struct outlet *out = &outlets[0];
	bool good;
	int err;

	holds = false;
	(void)fflush(stderr);
	(void)pass_on(&outlets[1], true);
	good = fflush(stdout) == 0 && pass_on(out, true) && !ferror(stdout) && !out->err;
	err = out->err ? out->err : errno;
	for (size_t i = 0; i < sizeof(outlets) / sizeof(outlets[0]); i++) {
		if (outlets[i].quick >= 0)
			(void)close(outlets[i].quick);
		outlets[i].quick = -1;
	}
	errno = err;
	return good;
}
