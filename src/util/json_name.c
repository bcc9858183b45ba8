// SPDX-License-Identifier: MIT
/* Stores file names, which may be any bytes, in JSON, which must be UTF-8. */
#include "util/json_name.h"

#include "util/base64.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TWIN_ROOM 64

static void twin_of(const char *key, char ret_twin[TWIN_ROOM])
{
	(void)snprintf(ret_twin, TWIN_ROOM, "%s_base64", key);
}

/* Returns the length of the UTF-8 character at s, or 0 if it is not valid. */
static size_t utf8_len(const char *s)
{
	json_t *probe;

	for (size_t len = 1; len <= 4 && (len == 1 || s[len - 1] != '\0'); len++) {
		probe = json_stringn(s, len); /* NULL unless it is valid */
		if (probe) {
			json_decref(probe);
			return len;
		}
	}
	return 0;
}

/* Returns the name with U+FFFD instead of each invalid byte. */
static char *readable(const char *name)
{
	char *text = malloc(strlen(name) * 3 + 1);
	char *out = text;

	while (text && *name) {
		size_t len = utf8_len(name);

		memcpy(out, len ? name : "\xef\xbf\xbd", len ? len : 3);
		out += len ? len : 3;
		name += len ? len : 1;
	}
	if (text)
		*out = '\0';
	return text;
}

int lull_json_set_name(json_t *object, const char *key, const char *name)
{
	char twin[TWIN_ROOM];
	char *text, *encoded;
	int r;

	if (!object)
		return -ENOMEM;
	if (!name)
		return json_object_set_new(object, key, json_null()) < 0 ? -ENOMEM : 0;
	if (json_object_set_new(object, key, json_string(name)) == 0)
		return 0;

	twin_of(key, twin);
	text = readable(name);
	encoded = lull_base64_encode(name, strlen(name));
	r = text && encoded && json_object_set_new(object, key, json_string(text)) == 0 &&
			    json_object_set_new(object, twin, json_string(encoded)) == 0
		    ? 0
		    : -ENOMEM;
	free(text);
	free(encoded);
	return r;
}

int lull_json_get_name(const json_t *object, const char *key, char **ret_name)
{
	char twin[TWIN_ROOM];
	const json_t *value = json_object_get(object, key);
	char *name;
	size_t len;

	*ret_name = NULL;
	if (json_is_null(value))
		return 0;
	if (!json_is_string(value))
		return -EBADMSG;

	twin_of(key, twin);

	const json_t *encoded = json_object_get(object, twin);

	if (encoded) {
		name = json_is_string(encoded)
			       ? lull_base64_decode(json_string_value(encoded), &len)
			       : NULL;
		if (name && strlen(name) != len) {
			free(name);
			name = NULL;
		}
		if (!name)
			return -EBADMSG;
	} else {
		if (strlen(json_string_value(value)) != json_string_length(value))
			return -EBADMSG;
		name = strdup(json_string_value(value));
		if (!name)
			return -ENOMEM;
	}
	*ret_name = name;
	return 0;
}
