/* SPDX-License-Identifier: MIT */
/* Notifications for a service manager, and priorities of lines for its journal. */
#pragma once

#include "command.h"

enum service_level { SERVICE_ERROR = 3, SERVICE_WARNING = 4, SERVICE_INFO = 6 };

/* If standard error leads to the journal, marks its lines with a level from now on. */
void service_begin(void);

/* Sets the level of later lines. It is SERVICE_ERROR at first. */
void service_level(enum service_level level);

/* These functions do nothing unless a service manager listens (NOTIFY_SOCKET). */
void service_ready(const struct command *command);
void service_progress(const struct lull_progress *progress);

/* Call at the end; and with asked, when a stop was requested, to announce how long a thaw
   may take. */
void service_stopping(const struct command *command, bool asked);
