/* SPDX-License-Identifier: MIT */
/*
 * The pointer: a symbolic link, under the name that a sidecar has beside the image, to
 * one that lies elsewhere (--sidecar-dir). It leads a thaw there that is not told the
 * directory, when there is no QEMU that knows.
 */
#pragma once

#include "util/macros.h"

#include <sys/types.h>

/*
 * Makes that of source, an absolute path without links, to sidecar, an absolute path too,
 * durably. 0, also where none is needed; or -errno, -EEXIST if something else has the
 * name, if only the pointer to a sidecar that is not there. Rests on symlink(2) and
 * fsync(2).
 */
int pointer_make(const char *source, const char *sidecar) _must_check_;

/*
 * Removes the sidecar, and before it the pointer to it, both durably: a pointer that
 * outlived its sidecar in a power failure would have every later freeze refused. held is
 * the sidecar by sidecar_hold(), and was looked at by that path. 0 or -errno.
 */
int pointer_remove_sidecar(const char *source, const char *sidecar,
			   const char *held) _must_check_;

/* The path of source's pointer if it leads to sidecar, to be freed; or NULL. */
char *pointer_of(const char *source, const char *sidecar);

/* The path of source's pointer if nothing can be seen where it leads, to be freed; or
   NULL. */
char *pointer_of_lost(const char *source);

/*
 * Where the link path leads, to be freed: an absolute path. NULL if it is no link, or
 * neither the caller's, root's nor user's: who may make one there could have a foreign
 * file merged.
 */
char *pointer_follow(const char *path, uid_t user);
