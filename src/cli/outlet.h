/* SPDX-License-Identifier: MIT */
/*
 * Standard output and error that do not wait for their reader. While writers are frozen,
 * a stopped terminal (Ctrl-S, a connection that hangs) or a pager that nobody scrolls
 * would keep them frozen.
 */
#pragma once

#include "command.h"

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>

/* If command may freeze or thaw writers, output that finds no space is kept from now on,
   and written when there is space. *stops becomes nonzero when the program must not wait
   for a reader any more. Call after service_begin(). */
void outlet_begin(const struct command *command, const volatile sig_atomic_t *stops);

/* Returns true if output to STDOUT_FILENO or STDERR_FILENO would be written at once. If
   not, output that is soon out of date can be left out. */
bool outlet_has_room(int fd);

/* Writes or keeps the text; stdio calls it. Returns false with errno on an error. */
bool outlet_put(int fd, const char *text, size_t len);

/* Writes what is kept, as far as there is space. */
void outlet_drain(void);

/* Ends the keeping of output once nobody is frozen any more: writes what is kept and lets
   later output wait for its reader. Returns false with errno if not everything could be
   written to standard output. */
bool outlet_end(void);
