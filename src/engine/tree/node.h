/* SPDX-License-Identifier: MIT */
/* Special files and links. */
#pragma once

#include "engine/file/copy_run.h"

/* Makes a symbolic link, FIFO, socket or device, or the link of -l or -s. */
bool lull_node_make(struct lull_entry *entry);

/* Returns the path, for messages, of name, which is relative to dest_root. The caller
   frees *ret_made. */
const char *lull_node_path(const struct lull_entry *entry, const char *name,
			   char **ret_made);

/* Links dest to what was copied before. */
bool lull_node_link_earlier(struct lull_entry *entry, const struct lull_named *earlier);
