/* SPDX-License-Identifier: MIT */
/*
 * Exchanges the contents of two files of one XFS in one step. Readers see all of the old
 * bytes or all of the new ones, and so it is after a crash. Inode, owner, names and
 * attributes do not change. Needs the feature "exchange" of the file system
 * (lull_identity_xfs()) and Linux 6.10.
 */
#pragma once

#include "util/macros.h"

#include <stdbool.h>
#include <stdint.h>

/* The state of a file at one moment, in the kernel's format. */
struct lull_freshness {
	bool known;
	uint64_t opaque[6];
};

/*
 * Samples the state of dest: its contents, and everything else that changes its ctime.
 * dest must be open for reading and writing. Flush first: a store through mmap into a
 * page that is dirty already is not noticed. Without multigrain timestamps (before 6.13),
 * nor is a write within the same tick of the coarse clock. Returns 0; -ENOTTY before
 * Linux 6.12; or another -errno.
 */
int lull_exchange_sample(int dest, struct lull_freshness *ret_freshness) _must_check_;

/* How two files exchange what they hold. */
enum lull_exchange_flags {
	LULL_EXCHANGE_SYNC = 1 << 0, /* the result is on disk when the call returns */
	/* exchange only where file has data; both must have the same size */
	LULL_EXCHANGE_WRITTEN = 1 << 1,
};

/*
 * Exchanges the whole of file, including its size, with dest. Both must be open for
 * reading and writing. Skips parts that are at the same place on disk. If freshness is
 * known, does it only if dest has not changed since. Readers and writers of both files
 * wait in the meantime.
 *
 * Returns 0; -EBUSY if dest has changed; or another -errno. On failure, nothing was
 * exchanged.
 */
int lull_exchange(int file, int dest, const struct lull_freshness *freshness,
		  unsigned int flags) _must_check_;
