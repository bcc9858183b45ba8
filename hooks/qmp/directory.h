/* SPDX-License-Identifier: MIT */
/* Who may replace the files of a directory. */
#pragma once

#include "util/macros.h"

#include <sys/types.h>

/*
 * Whether nobody but root, the caller and that user can put another file in the place of
 * path (absolute, without links): by its directory, or by one above. 0; -EPERM, and in
 * *ret_which, which the caller frees, the directory; or another -errno.
 */
int directory_judge(const char *path, uid_t user, char **ret_which) _must_check_;
