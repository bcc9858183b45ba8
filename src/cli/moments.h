/* SPDX-License-Identifier: MIT */
/* Several files without a hook are each of another moment: whether that deserves a
   warning. */
#pragma once

#include "command.h"

/*
 * The warning about the SOURCEs of a copy without a hook, to be freed; NULL if there is
 * nothing to warn about, or no memory. written: a SOURCE that somebody wrote to while it
 * was cloned, or NULL. ret_path: the SOURCE that it is about, owned by the caller.
 */
char *moments_warning(const struct command *command, const char *written,
		      const char **ret_path);
