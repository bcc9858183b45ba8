// SPDX-License-Identifier: MIT
/* XFS_IOC_EXCHANGE_RANGE and XFS_IOC_COMMIT_RANGE: see exchange.h. */
#include "sys/exchange.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>

/* Not in the headers of Debian 12; part of the kernel's interface since 6.10. */
struct exchange_range {
	int32_t file1;
	uint32_t zero;
	uint64_t offset1, offset2, len;
	uint64_t flags;
};

/* Part of the kernel's interface since 6.12. */
struct commit_range {
	struct exchange_range range;
	uint64_t freshness[6];
};

#define IOC_EXCHANGE_RANGE _IOW('X', 129, struct exchange_range)
#define IOC_START_COMMIT   _IOR('X', 130, struct commit_range)
#define IOC_COMMIT_RANGE   _IOW('X', 131, struct commit_range)

#define TO_EOF        (1ULL << 0)
#define DSYNC         (1ULL << 1)
#define FILE1_WRITTEN (1ULL << 3)

_Static_assert(sizeof(struct exchange_range) == 40, "as the kernel has it");
_Static_assert(sizeof(struct commit_range) == 88, "as the kernel has it");

int lull_exchange_sample(int dest, struct lull_freshness *ret_freshness)
{
	struct commit_range commit = { 0 };

	if (ioctl(dest, IOC_START_COMMIT, &commit) < 0)
		return -errno;
	ret_freshness->known = true;
	memcpy(ret_freshness->opaque, commit.freshness, sizeof(commit.freshness));
	return 0;
}

int lull_exchange(int file, int dest, const struct lull_freshness *freshness,
		  unsigned int flags)
{
	struct commit_range commit = {
		.range = {
			.file1 = file,
			.flags = TO_EOF | (flags & LULL_EXCHANGE_SYNC ? DSYNC : 0) |
				 (flags & LULL_EXCHANGE_WRITTEN ? FILE1_WRITTEN : 0),
		},
	};
	int r;

	if (freshness->known) {
		memcpy(commit.freshness, freshness->opaque, sizeof(commit.freshness));
		r = ioctl(dest, IOC_COMMIT_RANGE, &commit);
	} else {
		r = ioctl(dest, IOC_EXCHANGE_RANGE, &commit.range);
	}
	return r < 0 ? -errno : 0;
}
