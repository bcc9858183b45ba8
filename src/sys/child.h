/* SPDX-License-Identifier: MIT */
/*
 * fork(2) from any thread, without what the other threads have open.
 *
 * A child that continues without execve(2) inherits every descriptor of the process. So
 * locks of other threads stay held after these have released them, files that they have
 * closed are still in use, and a socket stays open although its other end waits for end
 * of file. Here, the child closes what it must not have.
 *
 * In a child of a process with threads, POSIX allows only async-signal-safe calls. glibc
 * allows more: fork() holds the locks of malloc and of stdio while it forks, and
 * initializes them in the child (since 2.24). musl does the same for malloc (since
 * 1.2.2). So the child may use memory, strings, directories and its own threads. Any
 * other lock may be held for ever by a thread that does not exist in the child. So the
 * child must take no lock of ours that another thread takes, and must not set locale,
 * environment or time zone. A library that initializes something on its first call must
 * have been called before the fork.
 */
#pragma once

#include "util/macros.h"

#include <stddef.h>
#include <sys/types.h>

/*
 * Forks. Returns 0 in the child. There, only these are open: standard input, output and
 * error, what is not close-on-exec (it was passed to the program), and the n descriptors
 * of keep, of which -1 is ignored. In the parent, returns the pid when all others are
 * closed in the child, or -errno. Signals that the calling thread blocks are blocked in
 * the child.
 */
pid_t lull_child_fork(const int *keep, size_t n) _must_check_;

/* Waits until no child has files open that it must not have. */
void lull_child_settle(void);
