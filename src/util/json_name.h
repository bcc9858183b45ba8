/* SPDX-License-Identifier: MIT */
/* Reads file names from JSON. For writing see lull_json_set_name() in lullcp.h. */
#pragma once

#include "lullcp.h"

#include <jansson.h>

/*
 * Reads the name under key. *ret_name is to be freed, or NULL for null. Returns 0,
 * -EBADMSG if key has neither a name nor null, or -ENOMEM.
 */
int lull_json_get_name(const json_t *object, const char *key, char **ret_name);
