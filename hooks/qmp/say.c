// SPDX-License-Identifier: MIT
/* Messages to the user: see say.h. */
#include "say.h"

#include <stdarg.h>
#include <stdio.h>

volatile sig_atomic_t say_stopped;

void say(const char *format, ...)
{
	_cleanup_free_ char *text = NULL;
	va_list args;

	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		text = NULL;
	va_end(args);
	/* One write, so that lines of several hooks do not mix. */
	(void)fprintf(stderr, "lullcp-hook-qmp: %s\n", text ? text : "out of memory");
}
