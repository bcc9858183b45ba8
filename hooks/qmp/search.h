/* SPDX-License-Identifier: MIT */
/* Finds the sidecar of an image that has another name than when it was frozen. */
#pragma once

#include "util/macros.h"

#include <stdbool.h>
#include <sys/stat.h>

/*
 * The first file in directory that has the name of a sidecar and says that it is of that
 * image, by its inode: by its own record, or by the name of its backing file. Its path,
 * to be freed, or NULL.
 */
char *search_sidecar(const char *directory, const struct stat *source);

/* True if the file says so. */
bool search_is_of(const char *path, const struct stat *source);
