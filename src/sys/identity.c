// SPDX-License-Identifier: MIT
/* Identifies file systems and runs. */
#include "sys/identity.h"

#include "sys/inode.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libmount.h>
#include <linux/btrfs.h>
#include <linux/btrfs_tree.h>
#include <linux/fs.h>
#include <linux/magic.h>
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

/* The oldest form of XFS's geometry, which every kernel returns. */
struct xfs_geometry {
	uint32_t block, rt_extent, ag_blocks, ag_count, log_blocks, sector, inode, imax;
	uint64_t data_blocks, rt_blocks, rt_extents, log_start;
	uint8_t uuid[16];
	uint32_t sunit, swidth;
	int32_t version;
	uint32_t flags, log_sector, rt_sector, dir_block;
};
#define IOC_XFS_GEOMETRY _IOR('X', 100, struct xfs_geometry)

#define XFS_HAS_RMAPBT   (1u << 19)
#define XFS_HAS_EXCHANGE (1u << 24)

int lull_identity_xfs(int fd, struct lull_xfs *ret_xfs)
{
	struct xfs_geometry xfs = { 0 };

	if (ioctl(fd, IOC_XFS_GEOMETRY, &xfs) < 0)
		return -errno;
	*ret_xfs = (struct lull_xfs){
		.reverse_map = xfs.flags & XFS_HAS_RMAPBT,
		.exchanges = xfs.flags & XFS_HAS_EXCHANGE,
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

/* Returns the ID of the mount through which a descriptor was opened, from
   /proc/self/fdinfo. */
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

/*
 * Calls see() with the line of /proc/self/mountinfo for the mount through which fd was
 * opened. Returns false if there is none: the mount is detached or in another namespace,
 * or the root of a chroot is not a mount point.
 */
static bool look_up_mount(int fd, void (*see)(struct libmnt_fs *mount, void *ret),
			  void *ret)
{
	int id = mount_id(fd);
	struct libmnt_table *table = NULL;
	struct libmnt_iter *iter = NULL;
	struct libmnt_fs *mount;
	bool found = false;

	if (id < 0)
		return false;
	table = mnt_new_table_from_file("/proc/self/mountinfo");
	iter = mnt_new_iter(MNT_ITER_FORWARD);
	while (table && iter && !found && mnt_table_next_fs(table, iter, &mount) == 0) {
		found = mnt_fs_get_id(mount) == id;
		if (found)
			see(mount, ret);
	}
	mnt_free_iter(iter);
	mnt_unref_table(table);
	return found;
}

static void see_names(struct libmnt_fs *mount, void *ret)
{
	struct lull_mount *names = ret;
	const char *type = mnt_fs_get_fstype(mount);
	const char *target = mnt_fs_get_target(mount);

	(void)snprintf(names->type, sizeof(names->type), "%s", type ? type : "");
	(void)snprintf(names->mount_point, sizeof(names->mount_point), "%s",
		       target ? target : "");
}

void lull_identity_mount(int fd, struct lull_mount *ret_mount)
{
	*ret_mount = (struct lull_mount){ 0 };
	(void)look_up_mount(fd, see_names, ret_mount);
}

/* Reads the number of the superblock: the kernel prints s_dev there, not st_dev. */
static void see_superblock(struct libmnt_fs *mount, void *ret)
{
	*(dev_t *)ret = mnt_fs_get_devno(mount);
}

bool lull_identity_same_fs(int a, int b)
{
	struct lull_fs fs[2];
	struct stat st[2];
	dev_t superblock[2] = { 0 };

	if (lull_identity_fs(a, &fs[0]) < 0 || lull_identity_fs(b, &fs[1]) < 0 ||
	    fstat(a, &st[0]) < 0 || fstat(b, &st[1]) < 0)
		return false;
	if (fs[0].magic != fs[1].magic || !fs[0].uuid[0] ||
	    strcmp(fs[0].uuid, fs[1].uuid) != 0)
		return false;
	if (st[0].st_dev == st[1].st_dev)
		return true;
	/* On Btrfs, each subvolume has its own st_dev. */
	if (fs[0].magic != BTRFS_SUPER_MAGIC)
		return false;
	/* If the table does not show both mounts, the UUID decides. Btrfs does not mount
	   a second file system with the UUID of a mounted one: it refuses, or since 6.7
	   gives it another UUID while it is mounted. */
	if (!look_up_mount(a, see_superblock, &superblock[0]) ||
	    !look_up_mount(b, see_superblock, &superblock[1]))
		return true;
	return superblock[0] == superblock[1];
}

int lull_identity_fs(int fd, struct lull_fs *ret_fs)
{
	struct lull_fs fs = { 0 };
	struct statvfs vfs;
	struct statfs kernel;
	uint8_t uuid[16];

	if (fstatvfs(fd, &vfs) < 0 || fstatfs(fd, &kernel) < 0)
		return -errno;
	fs.magic = (uint32_t)kernel.f_type;
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

uint64_t lull_identity_subvolume(int fd)
{
	/* With this object ID, anybody may ask for the tree of the inode. */
	struct btrfs_ioctl_ino_lookup_args args = { .objectid =
							    BTRFS_FIRST_FREE_OBJECTID };

	return ioctl(fd, BTRFS_IOC_INO_LOOKUP, &args) < 0 ? 0 : args.treeid;
}

void lull_identity_machine(char ret_machine[LULL_MACHINE_SIZE])
{
	_cleanup_close_ int fd = open("/etc/machine-id", O_RDONLY | O_NOCTTY | O_CLOEXEC);
	/* FNV-1a, because machine-id(5) asks not to expose it unhashed */
	uint64_t h = 0xcbf29ce484222325ULL;
	char id[32];

	ret_machine[0] = '\0';
	if (fd < 0 || read(fd, id, sizeof(id)) != (ssize_t)sizeof(id))
		return;
	for (size_t i = 0; i < sizeof(id); i++)
		h = (h ^ (unsigned char)id[i]) * 0x100000001b3ULL;
	(void)snprintf(ret_machine, LULL_MACHINE_SIZE, "%016" PRIx64, h);
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
