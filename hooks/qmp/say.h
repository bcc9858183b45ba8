/* SPDX-License-Identifier: MIT */
/* Messages of the hook on standard error, and whether it was told to stop. */
#pragma once

#include "util/macros.h"

#include <signal.h>

/* Prints one line: lullcp-hook-qmp: ... */
void say(const char *format, ...) _printf_(1, 2);

/* Set by SIGTERM, SIGINT and SIGHUP. */
extern volatile sig_atomic_t say_stopped;
