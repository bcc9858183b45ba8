/* SPDX-License-Identifier: MIT */
/* lull_clone() for those who have opened the files already. */
#pragma once

#include "engine/base/place.h"
#include "lullcp.h"

enum lull_outcome lull_clone_at(const struct lull_options *options, const char *source,
				const char *dest, const struct lull_place *place,
				const struct lull_observer *observer,
				struct lull_result *ret_result);
