// SPDX-License-Identifier: MIT
/* Properties of file systems: see traits.h. */
#include "sys/traits.h"

#include <linux/magic.h>
#include <sys/vfs.h>

uint32_t lull_traits_on(uint64_t magic)
{
	switch (magic) {
	case XFS_SUPER_MAGIC:
		return LULL_TRAIT_KNOWN | LULL_TRAIT_KEEPS_ORDER |
		       LULL_TRAIT_SYNCS_UNNAMED | LULL_TRAIT_LISTS_ACLS |
		       LULL_TRAIT_LACKS_NOCOW;
	case EXT4_SUPER_MAGIC:
		return LULL_TRAIT_KNOWN | LULL_TRAIT_SYNCS_UNNAMED |
		       LULL_TRAIT_LISTS_ACLS;
	case BTRFS_SUPER_MAGIC:
		return LULL_TRAIT_KNOWN | LULL_TRAIT_LISTS_ACLS |
		       LULL_TRAIT_LACKS_COWEXTSIZE;
	default:
		return LULL_TRAIT_KNOWN;
	}
}

uint32_t lull_traits_at(int fd)
{
	struct statfs fs;

	return fstatfs(fd, &fs) < 0 ? 0 : lull_traits_on((uint32_t)fs.f_type);
}
