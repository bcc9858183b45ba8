/* SPDX-License-Identifier: MIT */
/*
 * What the process at the other side of the monitor has open, by a look of our own
 * (proc(5)): the names that QEMU tells may stand for other files now, or for other files
 * where QEMU lives.
 */
#pragma once

#include "util/macros.h"

#include <stdbool.h>
#include <sys/stat.h>
#include <sys/types.h>

/* Whether both are the same inode. */
bool peer_same_file(const struct stat *a, const struct stat *b);

/*
 * stat(2) of a path as the process has it: below its root, or from where it works. 0 or
 * -errno, -ESRCH if its root cannot be seen.
 */
int peer_stat(pid_t process, const char *path, struct stat *ret_st) _must_check_;

/* How many of its descriptors are of that file, or -errno if that cannot be seen. */
int peer_holds(pid_t process, const struct stat *file) _must_check_;

/*
 * A descriptor of the process, as /proc/PID/fd/N, of a file that has, or had, the name
 * path, but is another than file. NULL: none is seen, or out of memory.
 */
char *peer_replaced(pid_t process, const char *path, const struct stat *file);

/* Whether some process holds the locks on the file that QEMU takes. -errno if not known.
 */
int peer_locks(const char *path) _must_check_;

/* Whether it has the file open for writing. False where that cannot be seen. */
bool peer_writes(pid_t process, const struct stat *file);

/*
 * Another process than that one that has the file open for writing, or a loop device on
 * it, as far as they can be seen: a description for people, which the caller frees, or
 * NULL.
 */
char *peer_other_writer(pid_t process, const struct stat *file);

/* Whether some process holds QEMU's lock of who writes to the file. -errno if not known.
 */
int peer_locks_writes(const char *path) _must_check_;
