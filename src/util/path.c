// SPDX-License-Identifier: MIT
/* File names as text. */
#include "util/path.h"

#include <errno.h>
#include <string.h>

static int reserve(struct lull_path *path, size_t len)
{
	size_t room = path->room ? path->room : 256;
	char *text;

	if (len < path->room)
		return 0;
	while (room <= len)
		room *= 2;
	text = realloc(path->text, room);
	if (!text)
		return -ENOMEM;
	path->text = text;
	path->room = room;
	return 0;
}

int lull_path_set(struct lull_path *path, const char *text)
{
	size_t len = strlen(text);
	int r = reserve(path, len);

	if (r < 0)
		return r;
	memcpy(path->text, text, len + 1);
	path->len = len;
	return 0;
}

int lull_path_push(struct lull_path *path, const char *name)
{
	size_t len = strlen(name);
	bool slash = path->len > 0 && path->text[path->len - 1] != '/';
	int r = reserve(path, path->len + slash + len);

	if (r < 0)
		return r;
	if (slash)
		path->text[path->len++] = '/';
	memcpy(path->text + path->len, name, len + 1);
	path->len += len;
	return 0;
}

void lull_path_cut(struct lull_path *path, size_t len)
{
	path->text[len] = '\0';
	path->len = len;
}

void lull_path_done(struct lull_path *path)
{
	free(path->text);
	*path = (struct lull_path){ 0 };
}

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
	/* What lullcp and cp write has no leading zero. */
	if (*entry == '0')
		return 0;
	for (; *entry >= '0' && *entry <= '9'; entry++) {
		if (number > (UINT64_MAX - 9) / 10)
			return 0;
		number = number * 10 + (uint64_t)(*entry - '0');
	}
	return entry[0] == '~' && entry[1] == '\0' ? number : 0;
}
