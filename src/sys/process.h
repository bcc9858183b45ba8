/* SPDX-License-Identifier: MIT */
/* Processes and their groups, from /proc (proc(5)). Without /proc no process is found. */
#pragma once

#include "util/macros.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct lull_process {
	pid_t pid;
	pid_t parent;
	pid_t group;
	pid_t session;
	unsigned long long born; /* clock ticks since the boot */
	char name[32];
};

/* Opens the list of all processes, for lull_process_next() and closedir(3). NULL on
   failure. */
DIR *lull_process_list(void);

/* Reads the next process of the list that has not ended (a zombie has). Returns false at
   the end. May miss processes that start or end in the meantime. */
bool lull_process_next(DIR *list, struct lull_process *ret_process);

/* Closes a list at the end of its scope. */
#define _cleanup_list_ _cleanup_(lull_process_close)
void lull_process_close(DIR **list);

/* Returns how many processes of a group have not ended. Sets *ret_one to one of them,
   unless it is NULL. */
unsigned int lull_process_count(pid_t group, struct lull_process *ret_one);

/*
 * Reads a variable from the environment with which a process was started. Returns 1 with
 * its value in ret_value (cut off at size), 0 if it is not set, or -errno if it cannot be
 * read.
 */
int lull_process_variable(pid_t pid, const char *name, char *ret_value, size_t size);

/* Returns how often the calling thread has had to wait so far: getrusage(2). */
uint64_t lull_process_waits(void);

/* Reads one process. Returns 0, or -ESRCH if there is none with that ID or it has
   ended. */
int lull_process_read(pid_t pid, struct lull_process *ret_process);
