/* SPDX-License-Identifier: MIT */
/*
 * Small files that lullcp keeps beside the user's. They are replaced as a whole: temporary
 * file, fsync, rename, fsync of the directory, so that at any moment the old or the new one
 * is there. What somebody else owns or may write to is not believed.
 */
#pragma once

#include "util/macros.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * Reads name in directory dir: *ret_text, which the caller frees, of *ret_len bytes. 0, or
 * -ENOENT; -EPERM if it is not the caller's alone to write; -EBADMSG if it is no regular
 * file or has max bytes or more; or any other -errno.
 */
int lull_state_read(int dir, const char *name, size_t max, char **ret_text,
		    size_t *ret_len) _must_check_;

/* Replaces name in directory dir by text, durably, mode 0600. 0 or -errno. */
int lull_state_write(int dir, const char *name, const char *text) _must_check_;

/* Removes it, and syncs the directory if durable. 0, also if there is none, or -errno. */
int lull_state_remove(int dir, const char *name, bool durable) _must_check_;
