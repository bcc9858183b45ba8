/* SPDX-License-Identifier: MIT */
/* Threads that leave signals to the one that waits for them. */
#pragma once

#include "util/macros.h"

#include <pthread.h>

/*
 * Starts run(arg) in a thread that all signals are blocked in, so that they end the
 * waiting of the thread that started it. 0 or -errno. pthread_create(3).
 */
int lull_thread_start(pthread_t *ret_thread, void *(*run)(void *arg),
		      void *arg) _must_check_;
