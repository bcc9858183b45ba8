// SPDX-License-Identifier: MIT
#include "sys/kernel.h"

#include "util/macros.h"

#include <stdio.h>
#include <sys/utsname.h>

uint32_t lull_kernel_version(void)
{
	unsigned int major = 0, minor = 0, patch = 0;
	struct utsname name;

	if (uname(&name) < 0 || sscanf(name.release, "%u.%u.%u", &major, &minor, &patch) < 2)
		return 0;
	/* As the kernel itself does with stable releases beyond 255, see its Makefile. */
	return KERNEL_VERSION(major, minor, MIN(patch, 255u));
}
