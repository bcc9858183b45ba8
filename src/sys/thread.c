// SPDX-License-Identifier: MIT
/* Threads without signals: see thread.h. */
#include "sys/thread.h"

#include <signal.h>

int lull_thread_start(pthread_t *ret_thread, void *(*run)(void *arg), void *arg)
{
	sigset_t all, before;
	int r;

	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_BLOCK, &all, &before);
	r = pthread_create(ret_thread, NULL, run, arg);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	return -r;
}
