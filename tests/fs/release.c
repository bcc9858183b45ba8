// SPDX-License-Identifier: MIT
/* For LD_PRELOAD: the kernel calls itself what LULL_TEST_RELEASE says. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

int uname(struct utsname *name)
{
	const char *release = getenv("LULL_TEST_RELEASE");
	int r = (int)syscall(SYS_uname, name);

	if (r == 0 && release)
		(void)snprintf(name->release, sizeof(name->release), "%s", release);
	return r;
}
