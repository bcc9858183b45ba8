// SPDX-License-Identifier: MIT
/* Reads the names in a directory: see names.h. */
#include "engine/tree/names.h"

#include "util/path.h"

#include <errno.h>
#include <string.h>

/* The most names to read at a time: half a megabyte, if they have the usual length. */
#define MOST 10000u

int lull_names_open(struct lull_names *names, int fd)
{
	*names = (struct lull_names){ .stream = fdopendir(fd) };
	if (names->stream)
		return 0;

	int r = -errno;

	(void)close(fd);
	return r;
}

static void forget(struct lull_names *names)
{
	for (unsigned int i = 0; i < names->n; i++)
		free(names->name[i].text);
	names->n = names->at = 0;
}

static int by_inode(const void *a, const void *b)
{
	uint64_t x = ((const struct lull_name *)a)->inode;
	uint64_t y = ((const struct lull_name *)b)->inode;

	return x < y ? -1 : x > y;
}

static int add(struct lull_names *names, unsigned int *room, const struct dirent *entry)
{
	if (!names->name || names->n == *room) {
		unsigned int larger = *room ? *room * 2 : 32;
		struct lull_name *name = realloc(names->name, larger * sizeof(*name));

		if (!name)
			return -ENOMEM;
		names->name = name;
		*room = larger;
	}
	names->name[names->n].inode = entry->d_ino;
	names->name[names->n].text = strdup(entry->d_name);
	if (!names->name[names->n].text)
		return -ENOMEM;
	names->n++;
	return 0;
}

static int fill(struct lull_names *names)
{
	unsigned int room = 0;
	int r = 0;

	forget(names);
	free(names->name);
	names->name = NULL;
	while (r == 0 && names->n < MOST) {
		struct dirent *entry;

		errno = 0;
		entry = readdir(names->stream);
		if (!entry) {
			r = -errno;
			/* Close the directory when it is read: a deep tree needs the
			   descriptor. */
			(void)closedir(names->stream);
			names->stream = NULL;
			break;
		}
		if (!lull_path_is_dots(entry->d_name))
			r = add(names, &room, entry);
	}
	if (names->name)
		qsort(names->name, names->n, sizeof(*names->name), by_inode);
	return r;
}

int lull_names_next(struct lull_names *names, const char **ret_name)
{
	if (names->at == names->n && names->stream) {
		int r = fill(names);

		if (r < 0)
			return r;
	}
	if (!names->name || names->at == names->n)
		return 0;
	*ret_name = names->name[names->at++].text;
	return 1;
}

void lull_names_close(struct lull_names *names)
{
	forget(names);
	free(names->name);
	if (names->stream)
		(void)closedir(names->stream);
	*names = (struct lull_names){ 0 };
}
