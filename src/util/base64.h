/* SPDX-License-Identifier: MIT */
/* Base64 (RFC 4648, padded), for file names that are not UTF-8. */
#pragma once

#include <stddef.h>

/* Returns the encoded bytes as a string, to be freed, or NULL without memory. */
char *lull_base64_encode(const void *bytes, size_t len);

/*
 * Decodes into a NUL-terminated buffer, to be freed. Returns NULL if text is not base64,
 * or without memory. ret_len may be NULL.
 */
char *lull_base64_decode(const char *text, size_t *ret_len);
