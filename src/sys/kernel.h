/* SPDX-License-Identifier: MIT */
/* The version of the kernel, for what cannot be found out by trying. */
#pragma once

#include <linux/version.h>
#include <stdint.h>

/* Returns its release as in uname(2), or "" if that is not known. */
const char *lull_kernel_release(void);

/* Returns its version, to compare with KERNEL_VERSION(6, 1, 128), or 0 if that is not
   known. uname(2). */
uint32_t lull_kernel_version(void);
