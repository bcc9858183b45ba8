/* SPDX-License-Identifier: MIT */
/*
 * A thread that speaks while the engine is in a call that nothing interrupts: a device
 * that stands still for seconds holds the main thread up in the kernel, where it hears no
 * signal and draws no line. The kernel lets go of it when the call is over, and nothing
 * is published or removed before.
 */
#pragma once

#include "render.h"

#include <signal.h>

/* Starts it. Without a thread nobody speaks meanwhile, and nothing else changes. */
void vigil_begin(struct render *render, volatile sig_atomic_t *stop_signal,
		 volatile sig_atomic_t *status_wanted);

/* Ends it, before what is said last. */
void vigil_end(void);

/* Who speaks has the word: the main thread, in each callback that may print. */
void vigil_take_word(void);
void vigil_give_word(void);

/* From the main thread: how far it is, and that a call begins or is over. */
void vigil_progress(const struct lull_progress *progress);
void vigil_call(enum lull_call call);
