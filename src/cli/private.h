/* SPDX-License-Identifier: MIT */
/* The directory that only the caller uses, from the environment. */
#pragma once

/*
 * Returns the first of: the first directory in $STATE_DIRECTORY; /var/lib/lullcp for
 * root; $XDG_STATE_HOME/lullcp; $HOME/.local/state/lullcp. Skips variables that are not
 * absolute paths. To be freed; NULL if there is none, or without memory.
 */
char *private_directory(void);
