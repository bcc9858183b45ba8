// SPDX-License-Identifier: MIT
/* Handles file names as text. */
#include "util/path.h"

#include "util/text.h"

#include <string.h>

const char *lull_path_last(const char *path)
{
	const char *last = path;
	bool slash = false;

	while (*path == '/')
		path++;
	last = path;
	for (; *path; path++) {
		if (*path == '/') {
			slash = true;
		} else if (slash) {
			last = path;
			slash = false;
		}
	}
	return last;
}

char *lull_path_beside(const char *path, const char *name)
{
	return lull_text("%.*s%s", (int)(lull_path_last(path) - path), path,
			 lull_path_last(name));
}

char *lull_path_head(const char *path)
{
	const char *last = lull_path_last(path);

	return last == path ? strdup(".") : strndup(path, (size_t)(last - path));
}

bool lull_path_strip(char *path)
{
	size_t len = strlen(path);
	bool any = false;

	while (len > 1 && path[len - 1] == '/') {
		path[--len] = '\0';
		any = true;
	}
	return any;
}

bool lull_path_is_dots(const char *name)
{
	return name[0] == '.' && (name[1] == '\0' || (name[1] == '.' && name[2] == '\0'));
}

uint64_t lull_path_backup_number(const char *name, size_t len, const char *entry)
{
	uint64_t number = 0;

	if (strncmp(entry, name, len) != 0 || entry[len] != '.' || entry[len + 1] != '~')
		return 0;
	entry += len + 2;
	/* Numbers written by lullcp and cp have no leading zero. */
	if (*entry == '0')
		return 0;
	for (; *entry >= '0' && *entry <= '9'; entry++) {
		if (number > (UINT64_MAX - 9) / 10)
			return 0;
		number = number * 10 + (uint64_t)(*entry - '0');
	}
	return entry[0] == '~' && entry[1] == '\0' ? number : 0;
}
