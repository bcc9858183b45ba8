/* SPDX-License-Identifier: MIT */
/*
 * Small files with what lullcp will act on later: a command to run, files to remove. They
 * are replaced as a whole, by temporary file, fsync, rename, and fsync of the directory.
 * So at any moment the old or the new one exists.
 *
 * A file is trusted only if nobody but the caller can have put it there:
 *
 *   - it is a regular file with one name, reached without following a link in the last
 *     part
 *   - it belongs to the caller, and nobody else may write to it
 *   - its directory belongs to the caller or to root, and nobody else can rename or
 *     remove the caller's files in it: see trusted.h
 *   - its text is a JSON object whose "self" is what the file is: inode number,
 *     generation and time of birth. A file that holds the same text is another file,
 *     however it came there: copied with its owner, cloned, unpacked from an archive,
 *     restored from a backup.
 *
 * A file that is refused is never overwritten and never removed.
 */
#pragma once

#include "util/macros.h"

#include <stdbool.h>
#include <stddef.h>

/* The "self" of a text to be written; lull_state_write() fills it in. */
#define LULL_STATE_BLANK     "00000000000000000000:0000000000:0000000000000000000"
#define LULL_STATE_SELF_SIZE sizeof(LULL_STATE_BLANK)

/*
 * Reads name in directory dir. *ret_text has *ret_len bytes, and the caller frees it.
 * ret_self is what its "self" must be; the caller must check that with
 * lull_state_is_itself(), once it knows that the text's schema has one. Returns 0, or
 *   -ENOENT   there is none
 *   -EUSERS   others may put files of theirs in its place
 *   -ELOOP    it is a symbolic link
 *   -EMLINK   it has several names
 *   -EPERM    it belongs to somebody else, or others may write to it
 *   -EBADMSG  it is no regular file, or has max bytes or more
 *   or any other -errno. lull_state_is_refusal() is true of the four in the middle and of
 *   -ESTALE.
 */
int lull_state_read(int dir, const char *name, size_t max, char **ret_text,
		    size_t *ret_len, char ret_self[LULL_STATE_SELF_SIZE]) _must_check_;

/* Returns 0 if the text's "self" is self, or -ESTALE if it was written in another
   file. */
int lull_state_is_itself(const char *text, size_t len, const char *self) _must_check_;

/* Returns true if err says that the file is valid as such, but may have been planted. */
bool lull_state_is_refusal(int err);

/*
 * Replaces name in directory dir by text, with mode 0600. Without durable, a power
 * failure may leave the old file, but never anything else. Returns 0; -EEXIST if a file
 * that is not trusted has the name; -EUSERS as above; or another -errno.
 */
int lull_state_write(int dir, const char *name, const char *text,
		     bool durable) _must_check_;

/*
 * Removes name, and syncs the directory if durable. Returns 0, also if it does not exist.
 * If it is not trusted, it stays, and this returns an error of lull_state_read() or
 * -ESTALE. Or returns another -errno.
 */
int lull_state_remove(int dir, const char *name, bool durable) _must_check_;

/* Removes the temporary file of a run that was killed while it wrote name. The caller has
   the lock of that run. */
void lull_state_sweep(int dir, const char *name);
