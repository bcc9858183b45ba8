/* SPDX-License-Identifier: MIT */
/* The guest as a whole: whether it is here, and whether it runs. */
#pragma once

#include "qmp.h"

enum guest_place {
	GUEST_STAYS,
	GUEST_LEAVES,  /* a migration is under way */
	GUEST_IS_GONE, /* another QEMU has it, and its disks */
	GUEST_ARRIVES, /* another QEMU has it yet */
};

/*
 * Where it is; a storage daemon, which has none, stays. 0 or -errno, but not for what
 * QEMU refuses.
 */
int guest_find(struct qmp *qmp, enum guest_place *ret_place) _must_check_;

/* Lets a guest go on that was paused because the sidecar's disk was full. 0 or -errno, as
   qmp_run(). */
int guest_wake(struct qmp *qmp) _must_check_;
