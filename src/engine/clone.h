/* SPDX-License-Identifier: MIT */
/* lull_clone() for those who have opened the files already. */
#pragma once

#include "lullcp.h"

struct lull_file;

/* Where a clone comes from and goes to, beside the paths. */
struct lull_place {
	int src;               /* the source, open for reading; stays open. -1: by its path */
	int dir;               /* the directory of dest, -1: by its path, links followed */
	const char *name;      /* of dest in dir */
	struct lull_file *file; /* whose attributes dest gets; NULL: as a clone alone */
	int old;               /* what dest is, open for writing; -1: nothing */
	bool replaces;         /* a new file takes dest's name, whatever other names dest has;
				  old need not be open for writing */
};

enum lull_outcome lull_clone_at(const struct lull_options *options, const char *source,
				const char *dest, const struct lull_place *place,
				const struct lull_observer *observer,
				struct lull_result *ret_result);
