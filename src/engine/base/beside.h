/* SPDX-License-Identifier: MIT */
/* The names of the files that a run keeps beside a file. */
#pragma once

/* Returns ".NAME" and suffix, shortened to the longest name that a directory allows. To
   be freed; NULL without memory. */
char *lull_beside(const char *name, const char *suffix);

/*
 * Finds a file or link in which one of lullcp's hooks keeps the writes of a guest while
 * they are redirected. It is beside the file to which name, a path from the directory
 * dir, leads. Returns its path, to be freed, or NULL if there is none. last is the last
 * part of name.
 */
char *lull_beside_sidecar(int dir, const char *name, const char *last);

/* Returns the default name of the checkpoint of a DEST of this name, to be freed, or
   NULL. */
char *lull_beside_checkpoint(const char *name);

/* Returns the name of its temporary file, which is also the lock, to be freed, or
   NULL. */
char *lull_beside_temporary(const char *name);
