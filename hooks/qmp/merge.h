/* SPDX-License-Identifier: MIT */
/* The thaw: merges sidecars into their images while writers continue. */
#pragma once

#include "disks.h"

/*
 * Merges redirected disks, takes up merges that another call began, and removes sidecars
 * that hold nothing. Leaves alone what another run has frozen. A disk that is not
 * redirected is no error. Returns 0, or -errno having said what is not merged, why, and
 * where its sidecar is.
 */
int merge_disks(struct disks *disks, struct qmp *qmp,
		const struct settings *settings) _must_check_;

/* As merge_disks(), for the disks that this call chose to redirect. */
int merge_chosen(struct disks *disks, struct qmp *qmp,
		 const struct settings *settings) _must_check_;
