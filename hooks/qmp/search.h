/* SPDX-License-Identifier: MIT */
/* Finds the sidecar of an image under another name than it would be given now. */
#pragma once

#include "util/macros.h"

#include <stdbool.h>
#include <sys/stat.h>

/*
 * Finds the first file in directory that has the name of a sidecar, or to which a pointer
 * in directory leads, and whose mark has the image's inode. Returns its path, to be
 * freed, or NULL.
 */
char *search_sidecar(const char *directory, const struct stat *source);

/* Returns true if the file is a sidecar of source by its mark and its backing file. */
bool search_is_of(const char *path, const struct stat *source);
