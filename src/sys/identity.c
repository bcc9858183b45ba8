// SPDX-License-Identifier: MIT
/* Names for file systems and runs. */
#include "sys/identity.h"

#include "sys/inode.h"

#include <errno.h>
#include <fcntl.h>
#include <libmount.h>
#include <linux/btrfs.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <uuid.h>

/* Not in the headers of Debian 12; part of the kernel's interface since 6.9. */
struct fsuuid {
	uint8_t len;
	uint8_t uuid[16];
};
#define IOC_GETFSUUID _IOR(0x15, 0, struct fsuuid)

/* The oldest form of XFS's geometry, which every kernel answers. */
struct xfs_geometry {
	uint32_t block, rt_extent, ag_blocks, ag_count, log_blocks, sector, inode, imax;
	uint64_t data_blocks, rt_blocks, rt_extents, log_start;
	uint8_t uuid[16];
	uint32_t sunit, swidth;
	int32_t version;
	uint32_t flags, log_sector, rt_sector, dir_block;
};
#define IOC_XFS_GEOMETRY _IOR('X', 100, struct xfs_geometry)

#define XFS_HAS_RMAPBT (1u << 19)

int lull_identity_xfs(int fd, struct lull_xfs *ret_xfs)
{
	struct xfs_geometry xfs = { 0 };

	if (ioctl(fd, IOC_XFS_GEOMETRY, &xfs) < 0)
		return -errno;
	*ret_xfs = (struct lull_xfs){
		.reverse_map = xfs.flags & XFS_HAS_RMAPBT,
		.log_bytes = xfs.log_start ? (uint64_t)xfs.log_blocks * xfs.block : 0,
	};
	return 0;
}

static bool read_uuid(int fd, uint8_t uuid[16])
{
	struct fsuuid generic = { 0 };
	struct xfs_geometry xfs = { 0 };
	struct btrfs_ioctl_fs_info_args btrfs = { 0 };

	if (ioctl(fd, IOC_GETFSUUID, &generic) == 0 && generic.len == 16)
		memcpy(uuid, generic.uuid, 16);
	else if (ioctl(fd, BTRFS_IOC_FS_INFO, &btrfs) == 0)
		memcpy(uuid, btrfs.fsid, 16);
	else if (ioctl(fd, IOC_XFS_GEOMETRY, &xfs) == 0)
		memcpy(uuid, xfs.uuid, 16);
	else
		return false;
	return true;
}

/* The mount that a descriptor was opened through: its id is in /proc/self/fdinfo. */
static int mount_id(int fd)
{
	char path[64], line[128];
	int id = -1;

	(void)snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);

	FILE *f = fopen(path, "re");

	if (!f)
		return -1;
	while (id < 0 && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "mnt_id: %d", &id) != 1)
			id = -1;
	}
	(void)fclose(f);
	return id;
}

void lull_identity_mount(int fd, struct lull_mount *ret_mount)
{
	int id = mount_id(fd);
	struct libmnt_table *table = NULL;
	struct libmnt_iter *iter = NULL;
	struct libmnt_fs *mount;

	*ret_mount = (struct lull_mount){ 0 };
	if (id < 0)
		return;
	table = mnt_new_table_from_file("/proc/self/mountinfo");
	iter = mnt_new_iter(MNT_ITER_FORWARD);
	while (table && iter && mnt_table_next_fs(table, iter, &mount) == 0) {
		const char *type = mnt_fs_get_fstype(mount);
		const char *target = mnt_fs_get_target(mount);

		if (mnt_fs_get_id(mount) != id)
			continue;
		(void)snprintf(ret_mount->type, sizeof(ret_mount->type), "%s", type ? type : "");
		(void)snprintf(ret_mount->mount_point, sizeof(ret_mount->mount_point), "%s",
			       target ? target : "");
		break;
	}
	mnt_free_iter(iter);
	mnt_unref_table(table);
}

int lull_identity_fs(int fd, struct lull_fs *ret_fs)
{
	struct lull_fs fs = { 0 };
	struct statvfs vfs;
	struct statfs kernel;
	uint8_t uuid[16];

	if (fstatvfs(fd, &vfs) < 0 || fstatfs(fd, &kernel) < 0)
		return -errno;
	fs.magic = (uint64_t)kernel.f_type;
	fs.read_only = vfs.f_flag & ST_RDONLY;
	if (lull_inode_block_size(fd, &fs.block) < 0)
		fs.block = vfs.f_bsize;
	if (fs.block < 512 || (fs.block & (fs.block - 1)) != 0)
		fs.block = 4096;
	if (read_uuid(fd, uuid))
		uuid_unparse_lower(uuid, fs.uuid);
	*ret_fs = fs;
	return 0;
}

void lull_identity_run_id(char ret_id[37])
{
	uuid_t id;

	uuid_generate(id);
	uuid_unparse_lower(id, ret_id);
}

bool lull_identity_is_uuid(const char *text)
{
	uuid_t id;

	return strlen(text) == 36 && uuid_parse(text, id) == 0;
}
