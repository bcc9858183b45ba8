// SPDX-License-Identifier: MIT
/* Encodes and decodes base64. */
#include "util/base64.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static const char digits[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

char *lull_base64_encode(const void *bytes, size_t len)
{
	const unsigned char *in = bytes;
	char *text = malloc((len + 2) / 3 * 4 + 1);
	char *out = text;

	if (!text)
		return NULL;
	for (size_t i = 0; i < len; i += 3) {
		size_t n = len - i < 3 ? len - i : 3;
		uint32_t word = (uint32_t)in[i] << 16;

		if (n > 1)
			word |= (uint32_t)in[i + 1] << 8;
		if (n > 2)
			word |= in[i + 2];
		*out++ = digits[word >> 18];
		*out++ = digits[word >> 12 & 63];
		*out++ = n > 1 ? digits[word >> 6 & 63] : '=';
		*out++ = n > 2 ? digits[word & 63] : '=';
	}
	*out = '\0';
	return text;
}

char *lull_base64_decode(const char *text, size_t *ret_len)
{
	size_t len = strlen(text);
	size_t n = 0;

	if (len % 4 != 0)
		return NULL;

	char *bytes = malloc(len / 4 * 3 + 1);

	if (!bytes)
		return NULL;
	for (size_t i = 0; i < len; i += 4) {
		uint32_t word = 0;
		unsigned int pad = 0;

		for (size_t j = 0; j < 4; j++) {
			const char *at = NULL;

			if (text[i + j] == '=' && i + 4 == len && j >= 2)
				pad++;
			else if (pad > 0 || !(at = strchr(digits, text[i + j])))
				goto bad;
			word = word << 6 | (at ? (uint32_t)(at - digits) : 0);
		}
		bytes[n++] = (char)(word >> 16);
		if (pad < 2)
			bytes[n++] = (char)(word >> 8);
		if (pad < 1)
			bytes[n++] = (char)word;
	}
	bytes[n] = '\0';
	if (ret_len)
		*ret_len = n;
	return bytes;
bad:
	free(bytes);
	return NULL;
}
