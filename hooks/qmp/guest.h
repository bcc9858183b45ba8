/* SPDX-License-Identifier: MIT */
/* The guest as a whole: whether it is in this QEMU, and whether it runs. */
#pragma once

#include "qmp.h"

enum guest_place {
	GUEST_STAYS,
	GUEST_LEAVES,  /* a migration is under way */
	GUEST_IS_GONE, /* another QEMU has the guest and its disks */
	GUEST_ARRIVES, /* another QEMU still has the guest */
};

/*
 * Finds out where the guest is. A storage daemon, which has no guest, counts as
 * GUEST_STAYS. Returns 0 or -errno; a refusal by QEMU is not an error.
 */
int guest_find(struct qmp *qmp, enum guest_place *ret_place) _must_check_;

/* Lets a guest continue that QEMU paused because the sidecar's file system was full.
   Returns 0 or -errno as qmp_run(). */
int guest_wake(struct qmp *qmp) _must_check_;
