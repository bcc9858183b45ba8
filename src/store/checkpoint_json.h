/* SPDX-License-Identifier: MIT */
/* A checkpoint as JSON text. */
#pragma once

#include "store/checkpoint.h"

/* Makes the text for n files, which the caller frees. Returns 0 or -ENOMEM. */
int lull_checkpoint_format_set(const struct lull_checkpoint *of, unsigned int n,
			       char **ret_text) _must_check_;

/* Makes the text of a pointer to the checkpoint at an absolute path. Returns 0 or
   -ENOMEM. */
int lull_checkpoint_format_pointer(const char *path, char **ret_text) _must_check_;

/* Reads the path of a pointer, to be freed. Returns 0; -ENOENT if it is not a pointer;
   -EPROTONOSUPPORT if another version wrote it; -EBADMSG if it is damaged. */
int lull_checkpoint_parse_pointer(const char *text, size_t len,
				  char **ret_path) _must_check_;

/* Read the text, and return as lull_checkpoint_load_set() and lull_checkpoint_load()
   do. */
int lull_checkpoint_parse_set(const char *text, size_t len,
			      struct lull_checkpoint **ret_of,
			      unsigned int *ret_n) _must_check_;
int lull_checkpoint_parse(const char *text, size_t len,
			  struct lull_checkpoint *ret_checkpoint) _must_check_;
