/* SPDX-License-Identifier: MIT */
/*
 * Standard output and error where nobody may wait for whoever reads them: while writers
 * are frozen, a terminal that was halted (Ctrl-S, a connection that hangs), or a pager
 * that nobody scrolls, would keep them so.
 */
#pragma once

#include "command.h"

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>

/* From here on, if command may freeze writers or thaw them, what finds no room is kept,
   and goes out when there is some. *stops is not 0 once nobody is to be waited for any
   more. After service_begin(). */
void outlet_begin(const struct command *command, const volatile sig_atomic_t *stops);

/* Whether what is said now to STDOUT_FILENO or STDERR_FILENO goes out at once: else what
   will soon be out of date need not be said. */
bool outlet_has_room(int fd);

/* Writes, or keeps; what stdio does below. False with errno on an error. */
bool outlet_put(int fd, const char *text, size_t len);

/* What is kept goes out, as far as there is room. */
void outlet_drain(void);

/* Nobody is frozen any more: what is kept goes out, and all that is said waits for its
   reader. False with errno if not all could be written to standard output. */
bool outlet_end(void);
