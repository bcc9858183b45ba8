/* SPDX-License-Identifier: MIT */
/* File names in JSON, read back: for writing see lull_json_set_name() in lullcp.h. */
#pragma once

#include "lullcp.h"

#include <jansson.h>

/*
 * The name under key: *ret_name is a string that the caller frees, or NULL for null.
 * 0, -EBADMSG if there is neither a name nor null, -ENOMEM.
 */
int lull_json_get_name(const json_t *object, const char *key, char **ret_name);
