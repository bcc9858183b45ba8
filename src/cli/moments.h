/* SPDX-License-Identifier: MIT */
/* Decides whether cloning several files without a hook deserves a warning: each is of
   another point in time. */
#pragma once

#include "command.h"

/*
 * Returns the warning about the SOURCEs of a copy without a hook, to be freed; NULL if
 * there is none, or without memory. written: a SOURCE that somebody wrote to while it was
 * cloned, or NULL. Sets *ret_path to the SOURCE that the warning is about, owned by the
 * caller.
 */
char *moments_warning(const struct command *command, const char *written,
		      const char **ret_path);
