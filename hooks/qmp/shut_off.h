/* SPDX-License-Identifier: MIT */
/* What is done where no QEMU listens at the monitor: the guest is shut off. */
#pragma once

#include "disks.h"

#include <stdbool.h>

/*
 * Removes each sidecar that a thaw does not leave if all of it is in the image, and says
 * of the others what can be done. True if none of these is left.
 */
bool shut_off_settle(struct disks *disks);

/*
 * The exit status of a freeze by settings->shut_off: 0 or EX_TEMPFAIL, or 1, and it was
 * said why. A disk that somebody has open for writing, or whose sidecar is still there,
 * is refused in any case: the guest may be one that has its monitor elsewhere. why: what
 * connecting has failed with.
 */
int shut_off_freeze(struct disks *disks, const struct settings *settings,
		    const char *why);
