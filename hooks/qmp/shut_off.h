/* SPDX-License-Identifier: MIT */
/* What a call does if no QEMU listens at the monitor: the guest is shut off. */
#pragma once

#include "disks.h"

#include <stdbool.h>

/*
 * Removes each sidecar that is completely in the image, and says what can be done with
 * the others. Leaves alone what another run has frozen. Returns true if no other sidecar
 * is left.
 */
bool shut_off_settle(struct disks *disks);

/*
 * Returns the exit status of a freeze by settings->shut_off: 0, EX_TEMPFAIL, or 1 having
 * said why. Refuses, whatever shut_off says, a disk that somebody has open for writing or
 * whose sidecar is still there: its guest may have another monitor. why: the error of the
 * connection.
 */
int shut_off_freeze(struct disks *disks, const struct settings *settings,
		    const char *why);
