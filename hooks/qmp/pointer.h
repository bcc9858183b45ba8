/* SPDX-License-Identifier: MIT */
/*
 * The pointer: a symbolic link to a sidecar elsewhere (--sidecar-dir). It has the name
 * that a sidecar beside the image would have. It leads a thaw that is not given the
 * directory to the sidecar when no QEMU knows where it is.
 */
#pragma once

#include "util/macros.h"

#include <sys/types.h>

/*
 * Makes, durably, the pointer of source (an absolute path without symbolic links) to
 * sidecar (an absolute path). Returns 0, also if none is needed, or -errno: -EEXIST if
 * the name is taken, even if only by the pointer to a missing sidecar. Rests on
 * symlink(2) and fsync(2).
 */
int pointer_make(const char *source, const char *sidecar) _must_check_;

/*
 * Removes, durably, the pointer to the sidecar and then the sidecar: a pointer that
 * outlived its sidecar in a power failure would make every later freeze fail. held is the
 * path from sidecar_hold() under which the sidecar was checked. Returns 0 or -errno.
 */
int pointer_remove_sidecar(const char *source, const char *sidecar,
			   const char *held) _must_check_;

/* Returns the path of source's pointer if it leads to sidecar, to be freed; else NULL. */
char *pointer_of(const char *source, const char *sidecar);

/* Returns the path of source's pointer if its target does not exist, to be freed; else
   NULL. */
char *pointer_of_lost(const char *source);

/*
 * Returns the target of the symbolic link path, absolute and to be freed. Returns NULL if
 * path is not a symbolic link or does not belong to root, the caller or user: whoever may
 * make a link there could have a foreign file merged.
 */
char *pointer_follow(const char *path, uid_t user);
