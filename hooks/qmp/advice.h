/* SPDX-License-Identifier: MIT */
/* Decides what becomes of a sidecar that no QEMU uses: what can be proven, and what the
   user can do. */
#pragma once

#include "disks.h"

/* Returns text quoted as one word for a shell, to be freed; NULL without memory. */
char *advice_quoted(const char *text);

/*
 * Removes the sidecar if nobody uses it and it either holds nothing or only what is in
 * the image too: the merge was seen to end, and nobody has written to the sidecar since.
 * Returns 0; -EEXIST if it holds more, -EBUSY if somebody uses it, -EBADMSG if it is not
 * a sidecar of this image, or another -errno.
 */
int advice_remove(struct disk *disk) _must_check_;

/*
 * Says what is in the sidecar and what is safe to do with it. If a line contains ": run:
 * ", the rest of it is a command for a shell. runs: a QEMU uses the image without the
 * sidecar.
 */
void advice_give(const struct disk *disk, bool runs);

/* Says what is at the sidecar's name and is not a sidecar. */
void advice_foreign(const struct disk *disk);

/*
 * For a disk without a QEMU: removes the sidecar if all of it is in the image, else says
 * what can be done. Returns false if the sidecar is still there.
 */
bool advice_settle(struct disk *disk);

/*
 * For a QEMU that ended during a merge: records the state that it left, so that a later
 * call can tell whether anybody has written to the image since. Returns false if QEMU has
 * not ended, or that cannot be told.
 */
bool advice_take_down(struct disk *disk);
