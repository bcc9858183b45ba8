/* SPDX-License-Identifier: MIT */
/*
 * fork(2) from any thread, without what the other threads have open.
 *
 * A child that goes on without execve(2) inherits every descriptor of the process: the
 * locks that other threads hold stay held after they have let go of them, files that they
 * have closed are still in use, and a socket whose other end waits for its end of file
 * stays open. Here the child closes what it was not given.
 *
 * What a child of a process with threads may do: POSIX allows it only what is
 * async-signal-safe. glibc allows more: fork() holds the locks of malloc and of stdio
 * while it forks and makes them anew in the child (since 2.24), and musl does the same
 * for malloc (since 1.2.2); so memory, strings, directories and threads of its own are at
 * hand. All other locks may be held for ever by a thread that is not there: the child
 * takes no lock of ours that another thread takes, and sets no locale, environment or
 * time zone. A library that makes something on its first call must have been called by
 * the forking thread before.
 */
#pragma once

#include "util/macros.h"

#include <stddef.h>
#include <sys/types.h>

/*
 * In the child, which this returns 0 to, standard input, output and error are open, what
 * is not close-on-exec (the caller of the program has passed it on), and the n
 * descriptors of keep, of which -1 is none. In the parent it returns, with the pid, only
 * when the rest is closed in the child. Or -errno. All signals that the calling thread
 * blocks are blocked in the child.
 */
pid_t lull_child_fork(const int *keep, size_t n) _must_check_;

/* Waits until no child has more open than it should. */
void lull_child_settle(void);
