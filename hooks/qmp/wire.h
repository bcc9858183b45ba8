/* SPDX-License-Identifier: MIT */
/* A Unix stream socket that carries lines, with a deadline for every operation. */
#pragma once

#include "util/macros.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct wire {
	int fd;
	bool heeds_stop; /* waiting returns -EINTR once say_stopped is set */
	char *data;
	size_t len, room;
	size_t taken;    /* bytes of the line that was returned last */
	pid_t peer;      /* the process that sent last, 0 if unknown */
	uid_t peer_user; /* its user; valid if peer is known */
};

/*
 * Deadlines are times of lull_clock_now().
 *
 * Connects; waits if others are in the socket's queue. Takes heeds_stop from *ret_wire.
 * Returns 0 or -errno: -ETIMEDOUT after deadline, -ENAMETOOLONG if path does not fit an
 * address.
 */
int wire_open(struct wire *ret_wire, const char *path, uint64_t deadline) _must_check_;

/* Safe for a wire that was never opened if its fd is -1. */
void wire_close(struct wire *wire);

/* Sends len bytes. Returns 0 or -errno: -ETIMEDOUT, -EINTR, -EPIPE. */
int wire_send(struct wire *wire, const char *data, size_t len,
	      uint64_t deadline) _must_check_;

/*
 * Reads the next line, without its newline, valid until the next call. Returns 0 or
 * -errno: -ETIMEDOUT, -EINTR, -EPIPE if the other side hung up, -EMSGSIZE if the line is
 * too long.
 */
int wire_line(struct wire *wire, uint64_t deadline, char **ret_line,
	      size_t *ret_len) _must_check_;
