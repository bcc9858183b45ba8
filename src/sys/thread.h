/* SPDX-License-Identifier: MIT */
/* Threads that leave signals to the thread that waits for them. */
#pragma once

#include "util/macros.h"

#include <pthread.h>

/*
 * Starts run(arg) in a thread with all signals blocked, so that signals interrupt the
 * thread that started it. Returns 0 or -errno. pthread_create(3).
 */
int lull_thread_start(pthread_t *ret_thread, void *(*run)(void *arg),
		      void *arg) _must_check_;
