/* SPDX-License-Identifier: MIT */
/* open(2) of a file that others may hold a lease on: Samba's oplocks, delegations of
   nfsd. */
#pragma once

#include "util/macros.h"

#include <fcntl.h>
#include <stdbool.h>
#include <sys/types.h>

/* Flags for a name that anybody may have given to anything: no link is followed, no fifo
   waited for, no terminal taken. */
#define LULL_OPEN_WARILY (O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)

/*
 * openat(2) that neither fails nor hangs on a lease, which the first try makes its holder
 * give back, nor on signals: with O_NONBLOCK in flags it tries again until the lease is
 * given back or /proc/sys/fs/lease-break-time is over. stop(ctx) is asked meanwhile, and
 * may be NULL. A descriptor, -ECANCELED if stop() says so, or -errno.
 */
int lull_open_patiently(int dir, const char *name, int flags, mode_t mode,
			bool (*stop)(void *ctx), void *ctx) _must_check_;

/* The directory that path lies in. how: O_RDONLY or O_PATH. A descriptor or -errno. */
int lull_open_parent(const char *path, int how) _must_check_;
