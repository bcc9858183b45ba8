/* SPDX-License-Identifier: MIT */
/* The names in a directory, read a bounded number at a time, and sorted by inode, which
   is their order on disk. */
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

/* Opens the directory fd, of which it takes ownership. Returns 0 or -errno. */
int lull_names_open(struct lull_names *names, int fd) _must_check_;

/* Returns 1 with the next name, which is valid until the next call; 0 at the end; or
   -errno. */
int lull_names_next(struct lull_names *names, const char **ret_name) _must_check_;

/* Frees the names and closes the directory. */
void lull_names_close(struct lull_names *names);
