/* SPDX-License-Identifier: MIT */
/*
 * Identifies a file across reboots and mounts, and its file system. st_dev is not used:
 * on Btrfs it changes with each mount.
 */
#pragma once

#include "util/macros.h"

#include <stdbool.h>
#include <stdint.h>

/* A file system, as the kernel describes it. */
struct lull_fs {
	uint64_t magic; /* statfs.f_type; a name would be less reliable */
	char uuid[37];  /* "" if the file system has none that can be read */
	uint64_t block; /* FIGETBSZ */
	/* the file system, or the mount through which fd was opened, is read-only */
	bool read_only;
};

/*
 * Describes the file system of fd, with statfs(2), FIGETBSZ, FS_IOC_GETFSUUID (6.9),
 * XFS_IOC_FSGEOMETRY and BTRFS_IOC_FS_INFO. What is not known stays empty. Returns 0, or
 * -errno if fd cannot be examined at all.
 */
int lull_identity_fs(int fd, struct lull_fs *ret_fs) _must_check_;

/*
 * Returns true only if the kernel says that both files are on one mounted file system, so
 * that equal places in their extent maps are the same blocks. A UUID alone is not enough:
 * a copy of an XFS image can be mounted beside the original (-o nouuid). st_dev must be
 * equal too. On Btrfs, where each subvolume has its own, the number of the superblock in
 * /proc/self/mountinfo must be. Returns false if the file system has no UUID.
 */
bool lull_identity_same_fs(int a, int b);

/* A mount, as libmount reads it. */
struct lull_mount {
	char type[32];         /* "xfs"; "" if not known */
	char mount_point[256]; /* shortened if longer; "" if not known */
};

/* Describes the mount through which fd was opened. Reads all of /proc/self/mountinfo,
   which can be long, so use it only for messages. What is not known stays empty. */
void lull_identity_mount(int fd, struct lull_mount *ret_mount);

/* Properties of an XFS. */
struct lull_xfs {
	/* rmapbt=1: a clone of an extent costs several times as much */
	bool reverse_map;
	bool exchanges;     /* exchange=1, and the kernel supports it: see exchange.h */
	uint64_t log_bytes; /* 0: the log is external, or its size is not known */
};

/* Returns 0, or -errno if fd is not on XFS. */
int lull_identity_xfs(int fd, struct lull_xfs *ret_xfs) _must_check_;

/* Returns the number of the Btrfs subvolume of fd, which no other ever gets, or 0
   elsewhere. Two subvolumes have the same inode numbers, and a snapshot even has the same
   generations. BTRFS_IOC_INO_LOOKUP. */
uint64_t lull_identity_subvolume(int fd);

/*
 * Makes a short name that distinguishes this machine from others, from /etc/machine-id.
 * "" if there is none, as in a small chroot.
 */
#define LULL_MACHINE_SIZE 17
void lull_identity_machine(char ret_machine[LULL_MACHINE_SIZE]);

/* Makes a new run ID: a random UUID in lower case. */
void lull_identity_run_id(char ret_id[37]);

/* Returns true if text is a UUID like those of lull_identity_run_id(). */
bool lull_identity_is_uuid(const char *text);
