// SPDX-License-Identifier: MIT
/* Reads /proc. */
#include "sys/process.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

/*
 * Reads /proc/PID/stat, which is "PID (NAME) STATE PPID PGRP SESSION ...", with the start
 * time in its 22nd field. NAME may contain anything. Returns false for a process that has
 * ended.
 */
static bool read_process(const char *pid, struct lull_process *ret_process)
{
	char path[300], line[512] = "", state;
	const char *name, *end;
	FILE *f;

	(void)snprintf(path, sizeof(path), "/proc/%s/stat", pid);
	f = fopen(path, "re");
	if (!f)
		return false;
	name = fgets(line, sizeof(line), f) ? strchr(line, '(') : NULL;
	end = name ? strrchr(line, ')') : NULL;
	(void)fclose(f);
	if (!end ||
	    sscanf(end + 1,
		   " %c %d %d %d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d "
		   "%*d %llu",
		   &state, &ret_process->parent, &ret_process->group,
		   &ret_process->session, &ret_process->born) != 5 ||
	    state == 'Z' || state == 'X')
		return false;
	ret_process->pid = atoi(pid);
	(void)snprintf(ret_process->name, sizeof(ret_process->name), "%.*s",
		       (int)(end - name - 1), name + 1);
	return true;
}

DIR *lull_process_list(void)
{
	return opendir("/proc");
}

bool lull_process_next(DIR *list, struct lull_process *ret_process)
{
	struct dirent *entry;

	while (list && (entry = readdir(list))) {
		if (entry->d_name[0] >= '0' && entry->d_name[0] <= '9' &&
		    read_process(entry->d_name, ret_process))
			return true;
	}
	return false;
}

void lull_process_close(DIR **list)
{
	if (*list)
		(void)closedir(*list);
}

unsigned int lull_process_count(pid_t group, struct lull_process *ret_one)
{
	_cleanup_list_ DIR *list = NULL;
	struct lull_process process;
	unsigned int n = 0;

	/* This answers most calls without a walk. */
	if (kill(-group, 0) < 0 && errno == ESRCH)
		return 0;
	list = lull_process_list();
	while (lull_process_next(list, &process)) {
		if (process.group != group)
			continue;
		n++;
		if (ret_one)
			*ret_one = process;
	}
	return n;
}

int lull_process_variable(pid_t pid, const char *name, char *ret_value, size_t size)
{
	_cleanup_free_ char *word = NULL;
	size_t room = 0, len = strlen(name);
	char path[64];
	bool any = false;
	int r = 0;
	FILE *f;

	(void)snprintf(path, sizeof(path), "/proc/%d/environ", (int)pid);
	f = fopen(path, "re");
	if (!f)
		return -errno;
	errno = 0;
	while (r == 0 && getdelim(&word, &room, '\0', f) > 0) {
		any = true;
		if (strncmp(word, name, len) == 0 && word[len] == '=') {
			(void)snprintf(ret_value, size, "%s", word + len + 1);
			r = 1;
		}
	}
	/* The environment is empty: the process is just being started, or has wiped
	   it. */
	if (!any)
		r = errno ? -errno : -ENODATA;
	(void)fclose(f);
	return r;
}

int lull_process_read(pid_t pid, struct lull_process *ret_process)
{
	char name[16];

	(void)snprintf(name, sizeof(name), "%d", (int)pid);
	return read_process(name, ret_process) ? 0 : -ESRCH;
}

uint64_t lull_process_waits(void)
{
	struct rusage usage;

	return getrusage(RUSAGE_THREAD, &usage) < 0 ? 0 : (uint64_t)usage.ru_nvcsw;
}
