// SPDX-License-Identifier: MIT
#include "sys/kernel.h"

#include "util/macros.h"

#include <pthread.h>
#include <stdio.h>
#include <sys/utsname.h>

static uint32_t version;
static struct utsname name;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void find_out(void)
{
	unsigned int major = 0, minor = 0, patch = 0;

	if (uname(&name) < 0 ||
	    sscanf(name.release, "%u.%u.%u", &major, &minor, &patch) < 2)
		return;
	/* The kernel itself does this for stable releases above 255, see its Makefile. */
	version = KERNEL_VERSION(major, minor, MIN(patch, 255u));
}

/* Cached, because this is called for each of many small files. */
uint32_t lull_kernel_version(void)
{
	(void)pthread_once(&once, find_out);
	return version;
}

const char *lull_kernel_release(void)
{
	(void)pthread_once(&once, find_out);
	return name.release;
}
