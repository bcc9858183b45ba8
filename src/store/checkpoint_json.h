/* SPDX-License-Identifier: MIT */
/* The checkpoint as text. */
#pragma once

#include "store/checkpoint.h"

/* The JSON text of n files, that the caller frees. 0 or -ENOMEM. */
int lull_checkpoint_format_set(const struct lull_checkpoint *of, unsigned int n,
			       char **ret_text) _must_check_;

/* The text of a pointer to the checkpoint at an absolute path. 0 or -ENOMEM. */
int lull_checkpoint_format_pointer(const char *path, char **ret_text) _must_check_;

/* Where a pointer leads, to be freed. 0; -ENOENT if it is no pointer; -EPROTONOSUPPORT if
   another version wrote it; -EBADMSG if it is damaged. */
int lull_checkpoint_parse_pointer(const char *text, size_t len,
				  char **ret_path) _must_check_;

/* Reads that: as lull_checkpoint_load_set() and lull_checkpoint_load() do. */
int lull_checkpoint_parse_set(const char *text, size_t len,
			      struct lull_checkpoint **ret_of,
			      unsigned int *ret_n) _must_check_;
int lull_checkpoint_parse(const char *text, size_t len,
			  struct lull_checkpoint *ret_checkpoint) _must_check_;
