/* SPDX-License-Identifier: MIT */
/*
 * Properties of an inode that decide whether and how well a clone works, and that
 * FICLONERANGE does not copy: the NOCOW flag of Btrfs, and the copy-on-write extent size
 * of XFS.
 */
#pragma once

#include "util/macros.h"

#include <stdbool.h>
#include <sys/stat.h>

/*
 * fstat(2) without the times, which are set to 0, for a file that will be written to. To
 * ask for the times makes the kernel give the file new ones with the next change
 * (multigrain timestamps, since 6.13), which takes XFS another transaction. Returns 0 or
 * -errno.
 */
int lull_inode_look(int fd, struct stat *ret) _must_check_;

/* Returns true for a Btrfs file without copy-on-write (chattr +C); false if that is not
   known. */
bool lull_inode_is_nocow(int fd);

/* True for an XFS file on the real-time device. */
bool lull_inode_is_realtime(int fd);

/* Returns true for a file that bypasses the page cache (DAX). Needs Linux 5.8. */
bool lull_inode_is_dax(int fd);

/* True if two struct stat * are of the same file. */
#define SAME_INODE(a, b) ((a)->st_ino == (b)->st_ino && (a)->st_dev == (b)->st_dev)

/* Returns true if name in directory dir is the file fd. A link is not followed. */
bool lull_inode_is_named(int fd, int dir, const char *name);

/* Returns true if path leads to the file fd. It does not if something was mounted over a
   directory of the path, or if the file was replaced. stat(2). */
bool lull_inode_is_at(int fd, const char *path);

/* Returns true if the file has its own copy-on-write extent size (XFS). */
bool lull_inode_has_cowextsize(int fd);

/* Returns true if the directory path, relative to dir, is append-only (chattr +a), so
   that nothing in it can be renamed or removed. False if that is not known. */
bool lull_inode_only_grows(int dir, const char *path);

/*
 * Returns true if path is a link, or leads by links, to an open file of a process
 * (/proc/PID/fd/N): then the file is meant, not its name. False if that is not known.
 */
bool lull_inode_is_open_file_link(const char *path);

/* True if name in directory dir is immutable or append-only (chattr +i, +a). */
bool lull_inode_is_immutable(int dir, const char *name);

/*
 * Returns true if the directory head keeps files to one project (XFS: chattr +P), and the
 * file name in it has another. Then the kernel returns EXDEV for a rename or a link
 * within the directory. Both paths are relative to dir. False if that is not known.
 */
bool lull_inode_is_of_other_project(int dir, const char *head, const char *name);

/* Returns true if something is mounted on name in directory dir, so that no file can be
   renamed to it. */
bool lull_inode_is_mounted_on(int dir, const char *name);

/*
 * Gives dest, which must be empty, the properties of src that a clone needs: the NOCOW
 * flag, set or cleared (Btrfs clones only between files that have the same), and
 * cowextsize, without which the clone would fragment faster. Returns 0, also if the file
 * system has neither, or -errno if it has and refuses. traits: of dest's file system
 * (traits.h), which saves asking for what that lacks, or 0.
 */
int lull_inode_inherit(int src, int dest, uint32_t traits) _must_check_;

/* Returns the block size to which clone ranges must be aligned (FIGETBSZ). 0 or
   -errno. */
int lull_inode_block_size(int fd, uint64_t *ret_size) _must_check_;

/* Returns how many extents the file has (fsx_nextents), which XFS knows without a walk; 0
   elsewhere. */
uint64_t lull_inode_extents(int fd);

/* Returns false only if the file is known to have no data at or after from
   (SEEK_DATA). */
bool lull_inode_has_data(int fd, uint64_t from);

/* How others have a file open. */
enum lull_inode_use {
	LULL_INODE_UNUSED,
	LULL_INODE_READ,    /* only for reading */
	LULL_INODE_WRITTEN, /* for writing */
	LULL_INODE_UNKNOWN, /* the caller may not ask, without CAP_LEASE */
};

/*
 * Determines how others have the file open at this moment (F_SETLEASE). If fd is open for
 * writing as well, all others count as writers.
 */
enum lull_inode_use lull_inode_use(int fd);

/* Returns the inode's generation number (FS_IOC_GETVERSION), or 0 if there is none. */
uint64_t lull_inode_generation(int fd);

/* Sets *ret_generation, to 0 only if the file system has no generations. Returns 0 or
   -errno. */
int lull_inode_read_generation(int fd, uint64_t *ret_generation) _must_check_;
