// SPDX-License-Identifier: MIT
/* Makes backups, with names like those of cp. */
#include "engine/file/backup.h"

#include "engine/file/temporary.h"
#include "util/path.h"
#include "util/text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

/* How often another program may take the number in the meantime. */
#define TRIES 100

static bool ends_in(const char *name, const char *end)
{
	size_t len = strlen(name), tail = strlen(end);

	return len >= tail && strcmp(name + len - tail, end) == 0;
}

bool lull_backup_is_name(const char *name, const char *suffix)
{
	return ends_in(name, "~") || ends_in(name, suffix);
}

/* Finds the largest number of a backup of last in the directory head. */
static int largest(int dir, const char *head, const char *last, uint64_t *ret_number)
{
	int fd = openat(dir, *head ? head : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	uint64_t number = 0;
	struct dirent *entry;
	DIR *stream;

	if (fd < 0)
		return -errno;
	stream = fdopendir(fd);
	if (!stream) {
		(void)close(fd);
		return -ENOMEM;
	}
	while ((entry = readdir(stream))) {
		uint64_t n = lull_path_backup_number(last, strlen(last), entry->d_name);

		number = MAX(number, n);
	}
	(void)closedir(stream);
	*ret_number = number;
	return 0;
}

static char *simple(const char *head, const char *last, const char *suffix)
{
	size_t len = strlen(last);

	/* If the name would be too long, the backup loses its end and gets "~" instead of
	   the suffix. */
	if (len + strlen(suffix) > NAME_MAX) {
		len = MIN(len, (size_t)NAME_MAX - 2);
		suffix = "~";
	}
	return lull_text("%s%.*s%s", head, (int)len, last, suffix);
}

/* As lull_backup_name(). *ret_numbered: the backup is numbered, and replaces nothing. */
static int choose(int dir, const char *name, enum lull_backup how, const char *suffix,
		  char **ret_backup, bool *ret_numbered)
{
	const char *last = lull_path_last(name);
	_cleanup_free_ char *head = strndup(name, (size_t)(last - name));
	uint64_t number = 0;
	int r = 0;

	if (!head)
		return -ENOMEM;
	if (how != LULL_BACKUP_SIMPLE)
		r = largest(dir, head, last, &number);
	/* If the directory cannot be read, make a simple backup, unless that is not
	   allowed. */
	if (r < 0 && how == LULL_BACKUP_NUMBERED)
		return r;
	*ret_numbered = how == LULL_BACKUP_NUMBERED || number > 0;
	*ret_backup = *ret_numbered
			      ? lull_text("%s%s.~%" PRIu64 "~", head, last, number + 1)
			      : simple(head, last, suffix);
	return *ret_backup ? 0 : -ENOMEM;
}

int lull_backup_name(int dir, const char *name, enum lull_backup how, const char *suffix,
		     char **ret_backup)
{
	bool numbered;

	return choose(dir, name, how, suffix, ret_backup, &numbered);
}

int lull_backup_make(int dir, const char *name, enum lull_backup how, const char *suffix,
		     char **ret_backup)
{
	for (unsigned int i = 0; i < TRIES; i++) {
		_cleanup_free_ char *backup = NULL;
		bool numbered;
		int r = choose(dir, name, how, suffix, &backup, &numbered);

		if (r < 0)
			return r;
		r = renameat2(dir, name, dir, backup, numbered ? RENAME_NOREPLACE : 0);
		if (r < 0 && errno == EINVAL && numbered)
			r = renameat(dir, name, dir, backup);
		if (r < 0 && errno == EEXIST && numbered)
			continue;
		if (r < 0 && errno != ENOENT)
			return -errno;
		*ret_backup = r < 0 ? NULL : lull_steal(&backup);
		return 0;
	}
	return -EEXIST;
}

/* Makes another a link to the file name in dir. */
static int link_to(int dir, const char *another, const void *name)
{
	return linkat(dir, name, dir, another, 0) < 0 ? -errno : 0;
}

int lull_backup_link(int dir, const char *name, enum lull_backup how, const char *suffix,
		     char **backup)
{
	for (unsigned int i = 0; i < TRIES; i++) {
		int r = link_to(dir, *backup, name);
		char *other = NULL;
		bool numbered;

		if (r == 0 || r == -ENOENT)
			return 0;
		/* Hard links are not possible on this file system, not to this file for
		   this user, or there are too many. */
		if (r == -EPERM || r == -EOPNOTSUPP || r == -EMLINK)
			return renameat(dir, name, dir, *backup) < 0 ? -errno : 0;
		if (r != -EEXIST)
			return r;
		r = choose(dir, name, how, suffix, &other, &numbered);
		if (r < 0)
			return r;
		if (!numbered) {
			free(other);
			return lull_temporary_replace(dir, *backup, link_to, name);
		}
		free(*backup);
		*backup = other;
	}
	return -EEXIST;
}
