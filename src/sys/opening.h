/* SPDX-License-Identifier: MIT */
/* open(2) of a file on which others may hold a lease: Samba's oplocks, delegations of
   nfsd. */
#pragma once

#include "util/macros.h"

#include <fcntl.h>
#include <stdbool.h>
#include <sys/types.h>

/* Flags to open a name that somebody else may have made: do not follow a link, wait for a
   FIFO, or become the controlling process of a terminal. */
#define LULL_OPEN_WARILY (O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)

/*
 * openat(2) that neither fails nor hangs because of a lease or a signal. The first
 * attempt makes the holder release the lease. With O_NONBLOCK in flags, tries again until
 * it is released, or the time of /proc/sys/fs/lease-break-time has passed. Calls
 * stop(ctx) meanwhile, unless it is NULL. Returns a descriptor, -ECANCELED if stop()
 * returns true, or -errno.
 */
int lull_open_patiently(int dir, const char *name, int flags, mode_t mode,
			bool (*stop)(void *ctx), void *ctx) _must_check_;

/* Opens the directory of path. how: O_RDONLY or O_PATH. Returns a descriptor or
   -errno. */
int lull_open_parent(const char *path, int how) _must_check_;
