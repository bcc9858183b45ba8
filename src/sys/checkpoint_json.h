/* SPDX-License-Identifier: MIT */
/* The checkpoint as text. */
#pragma once

#include "sys/checkpoint.h"

/* JSON text that the caller frees. 0 or -ENOMEM. */
int lull_checkpoint_format(const struct lull_checkpoint *checkpoint,
			   char **ret_text) _must_check_;

/* The same of n files. */
int lull_checkpoint_format_set(const struct lull_checkpoint *of, unsigned int n,
			       char **ret_text) _must_check_;

/* The text of a pointer to the checkpoint at an absolute path. 0 or -ENOMEM. */
int lull_checkpoint_format_pointer(const char *path, char **ret_text) _must_check_;

/* Where a pointer leads, to be freed. 0; -ENOENT if it is no pointer; -EPROTONOSUPPORT if
   another version wrote it; -EBADMSG if it is damaged. */
int lull_checkpoint_parse_pointer(const char *text, size_t len, char **ret_path) _must_check_;
