// SPDX-License-Identifier: MIT
/* The directory for the caller's private files: see private.h. */
#include "private.h"

#include "words_format.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NAME "lullcp"

static const char *absolute(const char *variable)
{
	const char *path = getenv(variable);

	return path && path[0] == '/' ? path : NULL;
}

char *private_directory(void)
{
	/* With several directories in StateDirectory=, systemd separates them by
	   colons. */
	const char *state = absolute("STATE_DIRECTORY");
	const char *xdg = absolute("XDG_STATE_HOME");
	const char *home = absolute("HOME");

	if (state)
		return strndup(state, strcspn(state, ":"));
	if (geteuid() == 0)
		return strdup("/var/lib/" NAME);
	if (xdg)
		return format("%s/" NAME, xdg);
	return home ? format("%s/.local/state/" NAME, home) : NULL;
}
