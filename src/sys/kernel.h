/* SPDX-License-Identifier: MIT */
/* Which Linux runs: for what cannot be found out by trying it. */
#pragma once

#include <linux/version.h>
#include <stdint.h>

/* Its release as uname(2) has it, "" if it is not known. */
const char *lull_kernel_release(void);

/* Of Linux 6.1.128, to compare with KERNEL_VERSION(6, 1, 128); 0 if it is not known.
   uname(2). */
uint32_t lull_kernel_version(void);
