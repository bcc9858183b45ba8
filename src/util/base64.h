/* SPDX-License-Identifier: MIT */
/* Base64 (RFC 4648, padded), for file names that are not UTF-8. */
#pragma once

#include <stddef.h>

/* The encoded bytes as a string that the caller frees; NULL: out of memory. */
char *lull_base64_encode(const void *bytes, size_t len);

/*
 * Decodes into a NUL-terminated buffer that the caller frees; NULL if text is no base64
 * or memory is out. ret_len may be NULL.
 */
char *lull_base64_decode(const char *text, size_t *ret_len);
