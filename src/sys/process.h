/* SPDX-License-Identifier: MIT */
/* Processes and their groups, as /proc shows them (proc(5)). Without /proc there are
   none. */
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

/* The list of all processes, for lull_process_next() and closedir(3); NULL: there is
   none. */
DIR *lull_process_list(void);

/* The next one of the list that has not ended (a zombie has). False at the end. What
   starts or ends meanwhile may be missed. */
bool lull_process_next(DIR *list, struct lull_process *ret_process);

/* Closes a list at the end of its scope. */
#define _cleanup_list_ _cleanup_(lull_process_close)
void lull_process_close(DIR **list);

/* How many processes of a group have not ended; one of them in *ret_one, unless it is
   NULL. */
unsigned int lull_process_count(pid_t group, struct lull_process *ret_one);

/*
 * What the environment with which a process was started says of a variable: 1 and its
 * value in ret_value (cut off at size), 0 if it is not set, -errno if it cannot be read.
 */
int lull_process_variable(pid_t pid, const char *name, char *ret_value, size_t size);

/* How often the calling thread has slept for something so far: getrusage(2). */
uint64_t lull_process_waits(void);

/* One process: 0, or -ESRCH if there is none with that number or it has ended. */
int lull_process_read(pid_t pid, struct lull_process *ret_process);
