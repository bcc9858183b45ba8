/* SPDX-License-Identifier: MIT */
/* The attributes that options say to preserve. */
#pragma once

#include "engine/file/copy_run.h"
#include "sys/metadata.h"

struct lull_preserve {
	const struct lull_cp *cp;
	const struct lull_observer *observer;
	mode_t umask;
	struct lull_file_at from;
	struct lull_file_at to;
	const char *from_path; /* for people */
	const char *to_path;
	const struct stat *src;
	struct stat dst;   /* of to, before */
	bool fresh;        /* to was made by this run */
	bool is_link;      /* a symbolic link: no mode */
	mode_t omitted;    /* permissions that were left out when it was made */
	bool mode_known;   /* set here: dst has the mode as it is */
	bool restore_mode; /* to had to be made accessible: its mode is dst's */
};

/*
 * Times, owner, extended attributes, permissions, in this order: the permissions last,
 * for a change of owner takes the setuid bits away, and no moment may give a wrong owner
 * them. False if something failed that must not: said already.
 */
bool lull_preserve_attributes(struct lull_preserve *keep);
