/* SPDX-License-Identifier: MIT */
/*
 * A thread that reports while the engine is in a system call that nothing interrupts. A
 * device that stalls for seconds holds the main thread in the kernel, where it handles no
 * signal and draws no line. The kernel returns when the call is done; before that nothing
 * is published or removed.
 */
#pragma once

#include "render.h"

#include <signal.h>

/* Starts the thread. If that fails, only the reports are missing. */
void vigil_begin(struct render *render, volatile sig_atomic_t *stop_signal,
		 volatile sig_atomic_t *status_wanted);

/* Stops the thread. Call before the last messages. */
void vigil_end(void);

/* Lock and unlock output: the main thread does so in every callback that may print. */
void vigil_take_word(void);
void vigil_give_word(void);

/* For the main thread: report progress, and the begin and end of a call. */
void vigil_progress(const struct lull_progress *progress);
void vigil_call(enum lull_call call);
