/* SPDX-License-Identifier: MIT */
/* The directory that only the caller uses: what the environment says of it. */
#pragma once

/*
 * The first of: the first directory of $STATE_DIRECTORY, /var/lib/lullcp for root,
 * $XDG_STATE_HOME/lullcp, $HOME/.local/state/lullcp. Names that are not absolute are
 * passed over. To be freed; NULL if there is none, or no memory.
 */
char *private_directory(void);
