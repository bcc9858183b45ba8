// SPDX-License-Identifier: MIT
/* Reads /proc. */
#include "sys/process.h"

#include "util/macros.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

/*
 * /proc/PID/stat is "PID (NAME) STATE PPID PGRP SESSION ...", with the time of the start
 * as its 22nd field; NAME may hold anything.
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

void lull_process_walk(bool (*see)(void *ctx, const struct lull_process *process),
		       void *ctx)
{
	DIR *proc = opendir("/proc");
	struct lull_process process;
	struct dirent *entry;

	while (proc && (entry = readdir(proc))) {
		if (entry->d_name[0] < '0' || entry->d_name[0] > '9' ||
		    !read_process(entry->d_name, &process))
			continue;
		if (!see(ctx, &process))
			break;
	}
	if (proc)
		(void)closedir(proc);
}

struct count {
	pid_t group;
	unsigned int n;
	struct lull_process one;
};

static bool count(void *ctx, const struct lull_process *process)
{
	struct count *c = ctx;

	if (process->group == c->group) {
		c->n++;
		c->one = *process;
	}
	return true;
}

unsigned int lull_process_count(pid_t group, struct lull_process *ret_one)
{
	struct count c = { .group = group };

	/* The answer to most questions, for less than a walk. */
	if (kill(-group, 0) < 0 && errno == ESRCH)
		return 0;
	lull_process_walk(count, &c);
	if (c.n > 0 && ret_one)
		*ret_one = c.one;
	return c.n;
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
	/* Nothing at all: it is just being started, or has wiped it. */
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
