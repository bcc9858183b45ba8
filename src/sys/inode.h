/* SPDX-License-Identifier: MIT */
/*
 * Properties of an inode that decide whether and how well a clone works, and that
 * FICLONERANGE does not carry over: the NOCOW flag of Btrfs, the copy-on-write extent
 * size of XFS.
 */
#pragma once

#include "util/macros.h"

#include <stdbool.h>
#include <sys/stat.h>

/*
 * fstat(2) of a file that will be written to, without its times, which are 0: whoever
 * asks for those of a file makes the kernel give it new ones with the next change
 * (multigrain timestamps, since 6.13), which costs XFS a transaction of its own. 0 or
 * -errno.
 */
int lull_inode_look(int fd, struct stat *ret) _must_check_;

/* True for a Btrfs file without copy-on-write (chattr +C); false if nobody knows. */
bool lull_inode_is_nocow(int fd);

/* True for an XFS file on the real-time device. */
bool lull_inode_is_realtime(int fd);

/* True for a file that is accessed in memory past the page cache (DAX), which needs Linux
   5.8. */
bool lull_inode_is_dax(int fd);

/* Whether two files are one, by what stat(2) says of each (struct stat *). */
#define SAME_INODE(a, b) ((a)->st_ino == (b)->st_ino && (a)->st_dev == (b)->st_dev)

/* True if name in directory dir is what fd is open on; a link is what it is itself. */
bool lull_inode_is_named(int fd, int dir, const char *name);

/* True if path leads to what fd is open on: not so where something was mounted over a
   directory of the path, or where it was replaced since. stat(2). */
bool lull_inode_is_at(int fd, const char *path);

/* True if the file has a copy-on-write extent size of its own (XFS). */
bool lull_inode_has_cowextsize(int fd);

/* True if nothing in the directory that path, from dir on, leads to can be renamed or
   removed: it is append-only (chattr +a). False if nobody knows. */
bool lull_inode_only_grows(int dir, const char *path);

/*
 * True if name is a link, or leads by links, to an open file of a process
 * (/proc/PID/fd/N): the file is meant then, and not its name. False if nobody knows.
 */
bool lull_inode_is_open_file_link(const char *path);

/* True if name in directory dir is immutable or append-only (chattr +i, +a). */
bool lull_inode_is_immutable(int dir, const char *name);

/*
 * True if the directory at path head keeps to one project (XFS: chattr +P) and the file
 * at path name in it is of another: then the kernel answers EXDEV to a rename or a link
 * within it. Both paths begin at dir. False also if nobody knows.
 */
bool lull_inode_is_of_other_project(int dir, const char *head, const char *name);

/* True if something is mounted on name in directory dir: then no file can take its
   name. */
bool lull_inode_is_mounted_on(int dir, const char *name);

/*
 * Gives dest, which must be empty, what of src's properties a clone needs: the NOCOW
 * flag, set or cleared (Btrfs clones only between files that agree), and cowextsize,
 * without which the clone would fragment faster. 0 also where the file system knows
 * neither; -errno if it does and refuses. traits: of dest's file system (traits.h), which
 * saves asking for what that lacks, or 0.
 */
int lull_inode_inherit(int src, int dest, uint32_t traits) _must_check_;

/* The block size that clone ranges are aligned to (FIGETBSZ). 0 or -errno. */
int lull_inode_block_size(int fd, uint64_t *ret_size) _must_check_;

/* How many extents the file has (fsx_nextents): XFS knows without a walk; 0 elsewhere. */
uint64_t lull_inode_extents(int fd);

/* False only if the file is known to hold no data at from or after it (SEEK_DATA). */
bool lull_inode_has_data(int fd, uint64_t from);

/* Who else has a file open. */
enum lull_inode_use {
	LULL_INODE_UNUSED,
	LULL_INODE_READ,    /* for reading only */
	LULL_INODE_WRITTEN, /* for writing */
	LULL_INODE_UNKNOWN, /* not the caller's to ask, without CAP_LEASE */
};

/*
 * As it is in this moment (F_SETLEASE). fd is open for reading alone, or for both: then
 * all others count as writers.
 */
enum lull_inode_use lull_inode_use(int fd);

/* The inode's generation number (FS_IOC_GETVERSION), 0 where there is none. */
uint64_t lull_inode_generation(int fd);

/* The same, in *ret_generation, which is 0 only where the file system has none. 0 or
   -errno. */
int lull_inode_read_generation(int fd, uint64_t *ret_generation) _must_check_;
