/* SPDX-License-Identifier: MIT */
/* Preserves the attributes that the options request. */
#pragma once

#include "engine/file/copy_run.h"
#include "sys/metadata.h"

struct lull_preserve {
	const struct lull_cp *cp;
	const struct lull_observer *observer;
	mode_t umask;
	struct lull_file_at from;
	struct lull_file_at to;
	const char *from_path; /* for messages */
	const char *to_path;
	const struct stat *src;
	struct stat dst; /* of to, before the change */
	bool fresh;      /* to was made by this run */
	bool is_link;    /* a symbolic link, which has no mode */
	mode_t omitted;  /* permissions that were left out when to was made */
	/* set by lull_preserve_attributes(): dst has the present mode */
	bool mode_known;
	/* to had to be made accessible: dst has the mode that it must get back */
	bool restore_mode;
};

/*
 * Preserves times, owner, extended attributes and permissions, in this order. Permissions
 * are last, because a change of owner clears the setuid bits, and because a wrong owner
 * must not have them even for a moment. Returns false, after a message, if something
 * failed that must not.
 */
bool lull_preserve_attributes(struct lull_preserve *keep);
