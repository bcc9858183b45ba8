/* SPDX-License-Identifier: MIT */
/* What becomes of a sidecar that no QEMU uses: what can be proven, and what a person may
 * do. */
#pragma once

#include "disks.h"

/* text as one word for a shell; to be freed, NULL without memory. */
char *advice_quoted(const char *text);

/*
 * Removes the sidecar if nobody uses it and it holds nothing, or if all that is in it is
 * in the image: the merge was seen to be over, and nobody has written to the sidecar
 * since. 0; -EEXIST if it holds more; -EBUSY if somebody uses it; -EBADMSG if it is none
 * of this image's; or another -errno.
 */
int advice_remove(struct disk *disk) _must_check_;

/*
 * Says what is in the sidecar and what is safe to do with it. The last words of a line
 * that has ": run: " in it are a command for a shell. runs: a QEMU uses the image without
 * it.
 */
void advice_give(const struct disk *disk, bool runs);

/* Says what stands at the sidecar's name that is none. */
void advice_foreign(const struct disk *disk);

/*
 * There is no QEMU: removes the sidecar if all of it is in the image, else says what can
 * be done. False if it is still there.
 */
bool advice_settle(struct disk *disk);

/*
 * QEMU is gone in the midst of a merge: takes down what it left, so that later it can be
 * told whether anybody has written to the image since. False if it is not gone, or that
 * cannot be told.
 */
bool advice_take_down(struct disk *disk);
