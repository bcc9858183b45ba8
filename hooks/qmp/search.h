/* SPDX-License-Identifier: MIT */
/* Finds the sidecar of an image under another name than it would be given now. */
#pragma once

#include "util/macros.h"

#include <stdbool.h>
#include <sys/stat.h>

/*
 * The first file in directory that has the name of a sidecar and says that it is of that
 * image, by its inode in its own record; or that a pointer in directory leads to. Its
 * path, to be freed, or NULL.
 */
char *search_sidecar(const char *directory, const struct stat *source);

/* True if the file says so. */
bool search_is_of(const char *path, const struct stat *source);
