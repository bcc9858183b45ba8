/* SPDX-License-Identifier: MIT */
/* The way back: merges sidecars into their images while writers go on. */
#pragma once

#include "disks.h"

/*
 * Merges what is redirected, takes up merges that another call began, and removes
 * sidecars that hold nothing. What another run has frozen is left to it. Disks that are
 * not redirected are fine. 0 or -errno, and it was said what is not merged, why, and
 * where its sidecar is.
 */
int merge_disks(struct disks *disks, struct qmp *qmp,
		const struct settings *settings) _must_check_;

/* The same for those that this call has chosen to redirect. */
int merge_chosen(struct disks *disks, struct qmp *qmp,
		 const struct settings *settings) _must_check_;
