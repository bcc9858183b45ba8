// SPDX-License-Identifier: MIT
/* Lines over a Unix socket. Nothing waits without a deadline. */
#include "wire.h"

#include "say.h"
#include "sys/clock.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

/* An answer about hundreds of disks has about 100 KiB. A line longer than this is not an
   answer. */
#define LONGEST_LINE (16U << 20)
/* Interval between attempts to connect while the socket's queue is full: the kernel does
   not report when there is space. */
#define RETRY_NS (20 * NSEC_PER_MSEC)

static int await(const struct wire *wire, short events, uint64_t deadline)
{
	struct pollfd set = { .fd = wire->fd, .events = events };

	for (;;) {
		uint64_t now = lull_clock_now();
		uint64_t left = now < deadline ? deadline - now : 0;

		if (wire->heeds_stop && say_stopped)
			return -EINTR;
		/* Poll in slices, so that a signal that comes just before a poll is
		   noticed too. */
		left = MIN(left, 100 * NSEC_PER_MSEC);

		int n = poll(&set, 1, (int)((left + NSEC_PER_MSEC - 1) / NSEC_PER_MSEC));

		if (n > 0)
			return 0;
		if (n < 0 && errno != EINTR)
			return -errno;
		if (now >= deadline)
			return -ETIMEDOUT;
	}
}

int wire_open(struct wire *ret_wire, const char *path, uint64_t deadline)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct wire wire = { .fd = -1, .heeds_stop = ret_wire->heeds_stop };

	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	memcpy(address.sun_path, path, strlen(path) + 1);
	wire.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (wire.fd < 0)
		return -errno;
	/* Ask for the sender's credentials: the process that made the socket may have
	   passed it to QEMU, or have ended. */
	if (setsockopt(wire.fd, SOL_SOCKET, SO_PASSCRED, &(int){ 1 }, sizeof(int)) < 0) {
		int r = -errno;

		(void)close(wire.fd);
		return r;
	}
	while (connect(wire.fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
		struct timespec pause = { .tv_nsec = RETRY_NS };
		int r = -errno;

		if (r == -EINTR)
			continue;
		if (r == -EAGAIN && lull_clock_now() >= deadline)
			r = -ETIMEDOUT;
		else if (r == -EAGAIN && wire.heeds_stop && say_stopped)
			r = -EINTR;
		if (r != -EAGAIN) {
			(void)close(wire.fd);
			return r;
		}
		(void)nanosleep(&pause, NULL);
	}
	*ret_wire = wire;
	return 0;
}

void wire_close(struct wire *wire)
{
	if (wire->fd >= 0)
		(void)close(wire->fd);
	free(wire->data);
	*wire = (struct wire){ .fd = -1 };
}

int wire_send(struct wire *wire, const char *data, size_t len, uint64_t deadline)
{
	while (len > 0) {
		ssize_t n = send(wire->fd, data, len, MSG_NOSIGNAL);

		if (n > 0) {
			data += n;
			len -= (size_t)n;
			continue;
		}
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return errno == ECONNRESET ? -EPIPE : -errno;

		int r = await(wire, POLLOUT, deadline);

		if (r < 0)
			return r;
	}
	return 0;
}

/* As recv(2); also takes the sender's credentials. */
static ssize_t receive(struct wire *wire)
{
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(struct ucred))];
	} control;
	struct iovec vector = {
		.iov_base = wire->data + wire->len,
		.iov_len = wire->room - wire->len,
	};
	struct msghdr message = {
		.msg_iov = &vector,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	ssize_t n = recvmsg(wire->fd, &message, MSG_CMSG_CLOEXEC);
	struct cmsghdr *header = n > 0 ? CMSG_FIRSTHDR(&message) : NULL;

	if (header && header->cmsg_level == SOL_SOCKET &&
	    header->cmsg_type == SCM_CREDENTIALS) {
		struct ucred sender;

		memcpy(&sender, CMSG_DATA(header), sizeof(sender));
		wire->peer = sender.pid;
		wire->peer_user = sender.uid;
	}
	return n;
}

static int fill(struct wire *wire, uint64_t deadline)
{
	if (wire->len == wire->room) {
		size_t room = wire->room ? 2 * wire->room : 4096;
		char *data = room > LONGEST_LINE ? NULL : realloc(wire->data, room);

		if (!data)
			return room > LONGEST_LINE ? -EMSGSIZE : -ENOMEM;
		wire->data = data;
		wire->room = room;
	}

	for (;;) {
		ssize_t n = receive(wire);

		if (n > 0) {
			wire->len += (size_t)n;
			return 0;
		}
		if (n == 0 || errno == ECONNRESET)
			return -EPIPE;
		if (errno != EAGAIN && errno != EINTR)
			return -errno;

		int r = await(wire, POLLIN, deadline);

		if (r < 0)
			return r;
	}
}

int wire_line(struct wire *wire, uint64_t deadline, char **ret_line, size_t *ret_len)
{
	size_t searched = 0;

	if (wire->taken > 0) /* wire->data is allocated then */
		memmove(wire->data, wire->data + wire->taken, wire->len - wire->taken);
	wire->len -= wire->taken;
	wire->taken = 0;
	for (;;) {
		/* Check here too: a peer that never stops sending gets no more time than
		   a silent one. */
		if (wire->heeds_stop && say_stopped)
			return -EINTR;
		if (lull_clock_now() >= deadline)
			return -ETIMEDOUT;

		char *end = wire->len > searched ? memchr(wire->data + searched, '\n',
							  wire->len - searched)
						 : NULL;

		if (end) {
			*end = '\0';
			wire->taken = (size_t)(end - wire->data) + 1;
			*ret_line = wire->data;
			*ret_len = wire->taken - 1;
			return 0;
		}
		searched = wire->len;

		int r = fill(wire, deadline);

		if (r < 0)
			return r;
	}
}
