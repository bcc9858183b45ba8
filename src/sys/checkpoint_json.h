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
