/* SPDX-License-Identifier: MIT */
/* What is neither a regular file nor a directory. */
#pragma once

#include "engine/file/copy_run.h"

/* A symbolic link, fifo, socket or device; -l and -s. */
bool lull_node_make(struct lull_entry *entry);

/* For people: what name, from dest_root, is called in this run. The caller frees
   *ret_made. */
const char *lull_node_path(const struct lull_entry *entry, const char *name,
			   char **ret_made);

/* dest becomes another name of what was copied already. */
bool lull_node_link_earlier(struct lull_entry *entry, const struct lull_named *earlier);
