// SPDX-License-Identifier: MIT
/* Backups: names as cp gives them. */
#include "engine/backup.h"

#include "util/path.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

/* How often another may take the number in between. */
#define TRIES 100

/* The largest number of a backup of last in the directory that head names. */
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
	char *made;

	/* Too long with it: the suffix takes the place of the end, and is "~". */
	if (len + strlen(suffix) > NAME_MAX) {
		len = MIN(len, (size_t)NAME_MAX - 2);
		suffix = "~";
	}
	return asprintf(&made, "%s%.*s%s", head, (int)len, last, suffix) < 0 ? NULL : made;
}

int lull_backup_name(int dir, const char *name, enum lull_backup how, const char *suffix,
		     char **ret_backup)
{
	const char *last = lull_path_last(name);
	_cleanup_free_ char *head = strndup(name, (size_t)(last - name));
	uint64_t number = 0;
	char *made;
	int r = 0;

	if (!head)
		return -ENOMEM;
	if (how != LULL_BACKUP_SIMPLE)
		r = largest(dir, head, last, &number);
	/* What cannot be read gets a simple one, if that will do. */
	if (r < 0 && how == LULL_BACKUP_NUMBERED)
		return r;
	if (how == LULL_BACKUP_SIMPLE || (how == LULL_BACKUP_EXISTING && number == 0))
		made = simple(head, last, suffix);
	else if (asprintf(&made, "%s%s.~%llu~", head, last, (unsigned long long)number + 1) < 0)
		made = NULL;
	*ret_backup = made;
	return made ? 0 : -ENOMEM;
}

int lull_backup_make(int dir, const char *name, enum lull_backup how, const char *suffix,
		     char **ret_backup)
{
	for (unsigned int i = 0; i < TRIES; i++) {
		_cleanup_free_ char *backup = NULL;
		unsigned int flags;
		int r = lull_backup_name(dir, name, how, suffix, &backup);

		if (r < 0)
			return r;
		flags = how == LULL_BACKUP_SIMPLE ? 0 : RENAME_NOREPLACE;
		/* The simple one of "existing" replaces the one before. */
		if (how == LULL_BACKUP_EXISTING && backup[strlen(backup) - 1] == suffix[strlen(suffix) - 1] &&
		    !lull_path_backup_number(name, strlen(name), backup))
			flags = 0;
		r = renameat2(dir, name, dir, backup, flags);
		if (r < 0 && errno == EINVAL && flags)
			r = renameat(dir, name, dir, backup);
		if (r < 0 && errno == EEXIST && flags)
			continue;
		if (r < 0 && errno != ENOENT)
			return -errno;
		*ret_backup = r < 0 ? NULL : backup;
		if (r == 0)
			backup = NULL;
		return 0;
	}
	return -EEXIST;
}
