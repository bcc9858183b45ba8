/* SPDX-License-Identifier: MIT */
/* The redirect: from one moment on writes go to sidecars. */
#pragma once

#include "disks.h"

/*
 * Redirects all disks in one moment. After 0 nobody writes to any source, and all that
 * was written before is in them. Fine if they are redirected already. On failure -errno,
 * it was said why, and what could be undone was.
 */
int redirect_disks(struct disks *disks, struct qmp *qmp,
		   const struct settings *settings) _must_check_;
