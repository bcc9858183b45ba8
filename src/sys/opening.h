/* SPDX-License-Identifier: MIT */
/* open(2) of a file that others may hold a lease on: Samba's oplocks, delegations of
   nfsd. */
#pragma once

#include "util/macros.h"

#include <stdbool.h>
#include <sys/types.h>

/*
 * openat(2) that neither fails nor hangs on a lease, which the first try makes its holder
 * give back, nor on signals: with O_NONBLOCK in flags it tries again until the lease is
 * given back or /proc/sys/fs/lease-break-time is over. stop(ctx) is asked meanwhile, and
 * may be NULL. A descriptor, -ECANCELED if stop() says so, or -errno.
 */
int lull_open_patiently(int dir, const char *name, int flags, mode_t mode,
			bool (*stop)(void *ctx), void *ctx) _must_check_;
