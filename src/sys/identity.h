/* SPDX-License-Identifier: MIT */
/*
 * What a file is known by across reboots and mounts, and what file system it lies on.
 * st_dev is no part of it: on Btrfs it changes from mount to mount.
 */
#pragma once

#include "util/macros.h"

#include <stdbool.h>
#include <stdint.h>

/* A file system, as the kernel describes it. */
struct lull_fs {
	uint64_t magic; /* statfs.f_type: no name can be trusted with more */
	char uuid[37];  /* "" where the file system has none that can be read */
	uint64_t block; /* FIGETBSZ */
	bool read_only; /* it, or the mount that fd was opened through */
};

/*
 * Describes the file system of fd. Rests on statfs(2), FIGETBSZ, FS_IOC_GETFSUUID (6.9),
 * XFS_IOC_FSGEOMETRY and BTRFS_IOC_FS_INFO. What cannot be found out stays empty; -errno
 * only if fd cannot be looked at at all.
 */
int lull_identity_fs(int fd, struct lull_fs *ret_fs) _must_check_;

/*
 * True only if the kernel says that both descriptors are open on one mounted file system,
 * so that equal places in their extent maps are the same blocks. A UUID alone does not
 * say it: the copy of an XFS image can be mounted beside the original (-o nouuid). st_dev
 * must be equal as well, or on Btrfs, where each subvolume has its own, the number of the
 * superblock in /proc/self/mountinfo. False where the file system has no UUID.
 */
bool lull_identity_same_fs(int a, int b);

/* A mount, as libmount reads it. */
struct lull_mount {
	char type[32];         /* "xfs"; "" if not known */
	char mount_point[256]; /* shortened if longer; "" if not known */
};

/* Describes the mount that fd was opened through. Reads all of /proc/self/mountinfo,
   which can be long: only for what people read. What cannot be found out stays empty. */
void lull_identity_mount(int fd, struct lull_mount *ret_mount);

/* What XFS says of itself. */
struct lull_xfs {
	/* rmapbt=1: a clone of an extent costs several times as much */
	bool reverse_map;
	bool exchanges;     /* exchange=1, and the kernel knows it: see exchange.h */
	uint64_t log_bytes; /* 0: outside the file system, or not known */
};

/* 0, or -errno where fd is not on XFS. */
int lull_identity_xfs(int fd, struct lull_xfs *ret_xfs) _must_check_;

/* The number of the Btrfs subvolume that fd lies in, which no other ever gets; 0
   elsewhere. Two subvolumes have the same inode numbers, a snapshot even the same
   generations. BTRFS_IOC_INO_LOOKUP. */
uint64_t lull_identity_subvolume(int fd);

/*
 * What tells this machine from another: made of /etc/machine-id, and short. "" where
 * there is none, in a small chroot, say.
 */
#define LULL_MACHINE_SIZE 17
void lull_identity_machine(char ret_machine[LULL_MACHINE_SIZE]);

/* A new run id: a random UUID in lower case. */
void lull_identity_run_id(char ret_id[37]);

/* True if text is a UUID as lull_identity_run_id() makes them. */
bool lull_identity_is_uuid(const char *text);
