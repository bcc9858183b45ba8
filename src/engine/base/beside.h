/* SPDX-License-Identifier: MIT */
/* The names of what a run keeps beside a file. */
#pragma once

/* ".NAME" and suffix, shortened to what a directory takes; to be freed, NULL. */
char *lull_beside(const char *name, const char *suffix);

/*
 * The path of a file or link beside the one that name, a path from the directory dir,
 * leads to, in which one of lullcp's hooks keeps what a guest writes while it is
 * redirected: to be freed, NULL if there is none. last is the last part of name.
 */
char *lull_beside_sidecar(int dir, const char *name, const char *last);

/* The name that the checkpoint of a DEST of this name has by default; to be freed,
   NULL. */
char *lull_beside_checkpoint(const char *name);

/* The same for the temporary file, which is the lock as well. */
char *lull_beside_temporary(const char *name);
