/* SPDX-License-Identifier: MIT */
/*
 * Reads from proc(5) what the process at the other end of the monitor has open. The names
 * that QEMU gives may lead to other files by now, or to other files where QEMU runs.
 */
#pragma once

#include "util/macros.h"

#include <stdbool.h>
#include <sys/stat.h>
#include <sys/types.h>

/* Returns true if both are the same inode. */
bool peer_same_file(const struct stat *a, const struct stat *b);

/*
 * stat(2) of a path as the process sees it: below its root, or relative to its working
 * directory. Returns 0 or -errno; -ESRCH if its root cannot be seen.
 */
int peer_stat(pid_t process, const char *path, struct stat *ret_st) _must_check_;

/* Returns how many of its descriptors have that file open, or -errno if they cannot be
   seen. */
int peer_holds(pid_t process, const struct stat *file) _must_check_;

/*
 * Finds a descriptor of the process whose file has, or had, the name path, but is not
 * file. Returns /proc/PID/fd/N, to be freed, or NULL if none is seen or memory is short.
 */
char *peer_replaced(pid_t process, const char *path, const struct stat *file);

/* Returns 1 if some process holds locks on the file, as QEMU does, 0 if not, or -errno if
   that is unknown. */
int peer_locks(const char *path) _must_check_;

/* Returns true if the process has the file open for writing; false also if that cannot be
   seen. */
bool peer_writes(pid_t process, const struct stat *file);

/*
 * Finds another process that has the file open for writing, or a loop device on it, as
 * far as they can be seen. Returns a description for messages, to be freed, or NULL.
 */
char *peer_other_writer(pid_t process, const struct stat *file);

/* Returns 1 if some process holds QEMU's lock for writing to the file, 0 if not, or
   -errno if that is unknown. */
int peer_locks_writes(const char *path) _must_check_;
