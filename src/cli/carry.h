/* SPDX-License-Identifier: MIT */
/* --diff, --export and --apply: the call of the engine, and what is said of it. */
#pragma once

#include "render.h"

#include <signal.h>

/* For the observer: a range of --diff. */
void carry_change(struct render *render, const struct lull_change *change);

/* Does what command->mode, one of the three, says. *stop_signal is what has ended it. */
enum lull_outcome carry_run(struct render *render, const struct lull_observer *observer,
			    const volatile sig_atomic_t *stop_signal);
