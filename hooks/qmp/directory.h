/* SPDX-License-Identifier: MIT */
/* Checks who may replace the files of a directory. */
#pragma once

#include "util/macros.h"

#include <sys/types.h>

/*
 * Checks that only root, the caller and user can put another file in the place of path
 * (absolute, without symbolic links), through its directory or one above. Returns 0;
 * -EPERM, with the directory in *ret_which, to be freed; or another -errno.
 */
int directory_judge(const char *path, uid_t user, char **ret_which) _must_check_;
