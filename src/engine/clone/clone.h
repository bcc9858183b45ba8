/* SPDX-License-Identifier: MIT */
/* lull_clone() for those who have opened the files already. */
#pragma once

#include "engine/base/place.h"
#include "lullcp.h"

/*
 * As lull_clone(), with the files that the caller has opened: place stays the caller's and outlives
 * the call, and so do its descriptors. source and dest are their paths, for people and for the record.
 * lull_result_done() frees *ret_result, whatever the outcome.
 */
enum lull_outcome lull_clone_at(const struct lull_options *options, const char *source,
				const char *dest, const struct lull_place *place,
				const struct lull_observer *observer,
				struct lull_result *ret_result);
