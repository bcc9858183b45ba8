/* SPDX-License-Identifier: MIT */
/*
 * Two files of one XFS exchange their contents in one step: who reads sees all of the old
 * bytes or all of the new ones, and so does whoever looks after a crash. Inode, owner,
 * names and attributes stay where they are. Needs the feature "exchange" of the file
 * system (lull_identity_xfs()) and Linux 6.10.
 */
#pragma once

#include "util/macros.h"

#include <stdbool.h>
#include <stdint.h>

/* What a file was at some moment, as the kernel has it. */
struct lull_freshness {
	bool known;
	uint64_t opaque[6];
};

/*
 * Notes what dest is now: contents, and everything else that has a change time. dest is
 * open for reading and writing. A store through mmap into a page that is dirty already is
 * not seen, so flush before; and without multigrain times (before 6.13) nor is a write
 * within the same tick of the coarse clock. 0; -ENOTTY before Linux 6.12; or another
 * -errno.
 */
int lull_exchange_sample(int dest, struct lull_freshness *ret_freshness) _must_check_;

/* How two files exchange what they hold. */
enum lull_exchange_flags {
	LULL_EXCHANGE_SYNC = 1 << 0, /* it is on disk when the call returns */
	/* only where file holds data; both are of one size */
	LULL_EXCHANGE_WRITTEN = 1 << 1,
};

/*
 * Exchanges all of file, its size included, with dest. Both are open for reading and
 * writing. Parts that lie in the same place of the disk are passed over. With freshness
 * known, only if nobody has changed dest since.
 *
 * 0; -EBUSY: dest has changed, and nothing was exchanged; or another -errno, with nothing
 * exchanged either. Readers and writers of both wait meanwhile.
 */
int lull_exchange(int file, int dest, const struct lull_freshness *freshness,
		  unsigned int flags) _must_check_;
