/* SPDX-License-Identifier: MIT */
/* The names of what a run keeps beside a file. */
#pragma once

/* ".NAME" and suffix, shortened to what a directory takes; to be freed, NULL. */
char *lull_beside(const char *name, const char *suffix);

/* The name that the checkpoint of a DEST of this name has by default; to be freed,
   NULL. */
char *lull_beside_checkpoint(const char *name);

/* The same for the temporary file, which is the lock as well. */
char *lull_beside_temporary(const char *name);
