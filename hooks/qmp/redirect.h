/* SPDX-License-Identifier: MIT */
/* The freeze: redirects writes to sidecars from one point in time. */
#pragma once

#include "disks.h"

/*
 * Redirects all disks at one point in time. After it returns 0 nobody writes to any
 * source, and the sources hold all that was written before. Disks that are redirected
 * already are no error. On failure returns -errno, having said why, and having undone
 * what could be undone.
 */
int redirect_disks(struct disks *disks, struct qmp *qmp,
		   const struct settings *settings) _must_check_;
