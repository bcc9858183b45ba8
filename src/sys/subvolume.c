// SPDX-License-Identifier: MIT
#include "sys/subvolume.h"

#include "util/text.h"

#include <errno.h>
#include <fcntl.h>
#include <libmount.h>
#include <linux/btrfs.h>
#include <linux/capability.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>

/* BTRFS_FIRST_FREE_OBJECTID: the root directory of a subvolume. */
#define ROOT_INODE 256

bool lull_subvolume_is_root(int fd)
{
	struct statfs fs;
	struct stat st;

	return fstatfs(fd, &fs) == 0 && (uint32_t)fs.f_type == BTRFS_SUPER_MAGIC &&
	       fstat(fd, &st) == 0 && st.st_ino == ROOT_INODE;
}

/* Returns true if inside leads from root to the file without crossing a mount. A bind
   mount of a directory of the same subvolume looks like a part of it, but is not in a
   snapshot. */
static bool leads_to(int root, const char *inside, const struct stat *file)
{
	struct open_how how = {
		.flags = O_PATH | O_CLOEXEC,
		.resolve = RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS | RESOLVE_BENEATH,
	};
	_cleanup_close_ int fd = (int)syscall(SYS_openat2, root, inside, &how,
					      sizeof(how));
	struct stat st;

	return fd >= 0 && fstat(fd, &st) == 0 && st.st_ino == file->st_ino &&
	       st.st_dev == file->st_dev;
}

int lull_subvolume_find(int fd, const char *path, int *ret_root, const char **ret_inside)
{
	_cleanup_free_ char *dir = strdup(path);
	struct statfs fs;
	struct stat file, st;

	if (!dir)
		return -ENOMEM;
	if (fstatfs(fd, &fs) < 0 || fstat(fd, &file) < 0)
		return -errno;
	if ((uint32_t)fs.f_type != BTRFS_SUPER_MAGIC)
		return -EOPNOTSUPP;
	/* Go up as long as it is the same subvolume, each of which has its own st_dev. */
	for (;;) {
		char *slash = strrchr(dir, '/');

		if (!slash)
			return -EXDEV;
		*slash = '\0';

		_cleanup_close_ int at = open(*dir ? dir : "/",
					      O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		if (at < 0 || fstat(at, &st) < 0)
			return -errno;
		if (st.st_dev != file.st_dev)
			return -EXDEV;
		if (st.st_ino == ROOT_INODE) {
			if (!leads_to(at, path + (slash - dir) + 1, &file))
				return -EXDEV;
			*ret_inside = path + (slash - dir) + 1;
			*ret_root = lull_steal_fd(&at);
			return 0;
		}
	}
}

/* Reads the first line of the file system's file in sysfs; "" if there is none. */
static void read_line(const char *uuid, const char *file, char *ret_line, int room)
{
	_cleanup_free_ char *path = lull_text("/sys/fs/btrfs/%s/%s", uuid, file);
	FILE *f = path ? fopen(path, "re") : NULL;

	ret_line[0] = '\0';
	if (!f)
		return;
	if (!fgets(ret_line, room, f))
		ret_line[0] = '\0';
	(void)fclose(f);
}

bool lull_subvolume_has_quotas(const char *uuid)
{
	char enabled[16], mode[16];

	read_line(uuid, "qgroups/enabled", enabled, sizeof(enabled));
	read_line(uuid, "qgroups/mode", mode, sizeof(mode)); /* since Linux 6.7 */
	return enabled[0] == '1' && strncmp(mode, "squota", 6) != 0;
}

/* Undoes the octal escapes of /proc/swaps. */
static void unescape(char *text)
{
	char *to = text;
	unsigned int c;

	for (char *from = text; *from; to++) {
		if (sscanf(from, "\\%3o", &c) == 1) {
			*to = (char)c;
			from += 4;
		} else {
			*to = *from++;
		}
	}
	*to = '\0';
}

/* Returns true if a swap file in the subvolume is active. Finds only those that the
   caller can reach by their paths; the kernel knows all. */
static bool has_swap_file(dev_t dev)
{
	FILE *f = fopen("/proc/swaps", "re");
	_cleanup_free_ char *line = NULL;
	size_t room = 0;
	bool found = false;

	while (f && !found && getline(&line, &room, f) > 0) {
		char *end = strchr(line, ' ');
		struct stat st;

		if (line[0] != '/' || !end)
			continue;
		*end = '\0';
		unescape(line);
		found = stat(line, &st) == 0 && S_ISREG(st.st_mode) && st.st_dev == dev;
	}
	if (f)
		(void)fclose(f);
	return found;
}

int lull_subvolume_may_snapshot(int root)
{
	/* O_NOATIME has the same requirement as a snapshot: to be the owner, or to have
	   CAP_FOWNER over the owner (inode_owner_or_capable()), also in user namespaces
	   and on idmapped mounts. */
	_cleanup_close_ int fd = openat(root, ".",
					O_RDONLY | O_DIRECTORY | O_NOATIME | O_CLOEXEC);
	struct stat st;

	if (fd < 0 && errno == EPERM)
		return -EPERM;
	/* create_snapshot() refuses, because extents of a swap file must not move. */
	return fstat(root, &st) == 0 && has_swap_file(st.st_dev) ? -ETXTBSY : 0;
}

static bool may_administer(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { 0 };

	return syscall(SYS_capget, &head, data) == 0 &&
	       data[CAP_TO_INDEX(CAP_SYS_ADMIN)].effective & CAP_TO_MASK(CAP_SYS_ADMIN);
}

static bool users_may_delete(int dir)
{
	struct libmnt_table *table = mnt_new_table();
	_cleanup_free_ char *link = lull_text("/proc/self/fd/%d", dir);
	_cleanup_free_ char *path = link ? realpath(link, NULL) : NULL;
	struct libmnt_fs *fs = NULL;
	bool found = false;
	char *value;
	size_t len;

	if (table && path && mnt_table_parse_mtab(table, "/proc/self/mountinfo") == 0) {
		/* The file system is mounted on the longest prefix of the path that is a
		   mount point. */
		for (char *end = path + strlen(path); !fs && end;) {
			fs = mnt_table_find_target(table, *path ? path : "/",
						   MNT_ITER_BACKWARD);
			if (*path == '\0')
				break;
			end = strrchr(path, '/');
			if (!fs && end)
				*end = '\0';
		}
	}
	if (fs && mnt_fs_get_fs_options(fs))
		found = mnt_optstr_get_option(mnt_fs_get_fs_options(fs),
					      "user_subvol_rm_allowed", &value,
					      &len) == 0;
	mnt_unref_table(table);
	return found;
}

bool lull_subvolume_deletable(int dir, int root)
{
	/* In a user namespace, Btrfs ignores the capability. Only a search shows that. */
	union {
		struct btrfs_ioctl_search_args_v2 args;
		char room[sizeof(struct btrfs_ioctl_search_args_v2) + 256];
	} probe = { .args = { .key = { .tree_id = 1, .nr_items = 1 }, .buf_size = 256 } };

	if (may_administer() &&
	    (ioctl(dir, BTRFS_IOC_TREE_SEARCH_V2, &probe) == 0 || errno != EPERM))
		return true;
	return users_may_delete(dir) &&
	       faccessat(root, ".", W_OK | X_OK, AT_EACCESS) == 0;
}

bool lull_subvolume_has_hole_items(int fd)
{
	struct btrfs_ioctl_feature_flags flags = { 0 };

	return ioctl(fd, BTRFS_IOC_GET_FEATURES, &flags) == 0 &&
	       !(flags.incompat_flags & BTRFS_FEATURE_INCOMPAT_NO_HOLES);
}
