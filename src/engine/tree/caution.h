/* SPDX-License-Identifier: MIT */
/* Warns about a source before it is cloned. */
#pragma once

#include "lullcp.h"

/*
 * Warns, once, if one of the sources will be cloned on XFS by a kernel that is known to
 * lack the fix of CVE-2026-64600.
 */
void lull_caution(const struct lull_options *options, const char *const *sources,
		  unsigned int n_sources, const struct lull_observer *observer);
