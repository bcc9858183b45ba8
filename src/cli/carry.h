/* SPDX-License-Identifier: MIT */
/* --diff, --export and --apply: calls the engine and reports the result. */
#pragma once

#include "render.h"

#include <signal.h>

/* Prints a range of --diff, for the observer. */
void carry_change(struct render *render, const struct lull_change *change);

/* Carries out command->mode, one of the three. *stop_signal is the signal that
   interrupted it. */
enum lull_outcome carry_run(struct render *render, const struct lull_observer *observer,
			    const volatile sig_atomic_t *stop_signal);
