/* SPDX-License-Identifier: MIT */
/* What a service manager is told: states, and how its journal knows a line's priority. */
#pragma once

#include "command.h"

enum service_level { SERVICE_ERROR = 3, SERVICE_WARNING = 4, SERVICE_INFO = 6 };

/* If standard error leads to the journal, lines on it are marked with a level from here
   on. */
void service_begin(void);

/* The level of what is said next, until it is set again. Errors, unless it is set. */
void service_level(enum service_level level);

/* Nothing, unless there is a manager that wants to hear (NOTIFY_SOCKET). */
void service_ready(const struct command *command);
void service_progress(const struct lull_progress *progress);

/* At the end; or, when it was asked to stop, with word of how long a thaw may take. */
void service_stopping(const struct command *command, bool asked);
