/* SPDX-License-Identifier: MIT */
/* The names in a directory, a bounded number at a time, by inode: the order of the
   disk. */
#pragma once

#include "util/macros.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdint.h>

struct lull_name {
	uint64_t inode;
	char *text;
};

struct lull_names {
	DIR *stream; /* NULL at the end of the directory */
	struct lull_name *name;
	unsigned int n;
	unsigned int at;
};

/* fd is an open directory, which is taken over. 0 or -errno. */
int lull_names_open(struct lull_names *names, int fd) _must_check_;

/* 1 with the next name, which lives until the next call; 0 at the end; -errno. */
int lull_names_next(struct lull_names *names, const char **ret_name) _must_check_;

/* Closes the directory too. */
void lull_names_close(struct lull_names *names);
