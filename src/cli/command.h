/* SPDX-License-Identifier: MIT */
/* The contents of a command line. */
#pragma once

#include "lullcp.h"

#include <stdbool.h>

enum mode {
	MODE_CLONE,
	MODE_VERIFY,
	MODE_PROBE,
	MODE_STATUS,
	MODE_RECOVER,
	MODE_CHECK_HOOK,
	MODE_LIST,
	MODE_DISCARD,
	MODE_RESTORE,
	MODE_DIFF,
	MODE_EXPORT,
	MODE_APPLY,
	MODE_HELP,
	MODE_VERSION,
};

enum progress_when { PROGRESS_AUTO, PROGRESS_ALWAYS, PROGRESS_NEVER };

struct command {
	enum mode mode;
	struct lull_options engine;
	enum progress_when progress; /* --progress */
	bool json;                   /* --json */
	bool histogram;              /* --histogram */
	bool summary;                /* --summary */
	bool quiet;                  /* -q */
	bool no_target_directory;    /* -T */
	/* -t, or NULL; with MODE_CLONE the directory to copy into */
	const char *target_directory;
	int target_fd;              /* descriptor of target_directory */
	bool backup;                /* -b, --backup, -S */
	const char *backup_control; /* --backup=CONTROL, or NULL */
	const char *backup_suffix;  /* -S, or NULL */
	bool keep_context;          /* --preserve=context */
	bool copy_contents;         /* --copy-contents */
	bool reflink_given;         /* --reflink, whatever its value */
	bool said;                  /* the mistake was reported completely */
	const char *check_hook;     /* --check-hook, or NULL */
	const char *metrics;        /* --metrics, or NULL */
	bool list_quick;            /* --list=quick */
	bool dry_run;               /* --dry-run */
	bool format_given;          /* --format, whatever its value */
	/* MODE_CLONE: the operands without DEST; also MODE_CHECK_HOOK */
	const char *const *sources;
	unsigned int n_sources;
	const char *program; /* the beginning of messages */
	const char *source;  /* operands as given */
	const char *dest;
	/* allocated string of dest if it was made from a directory */
	char *made_dest;
	char *private_directory; /* allocated string of engine.state_directory */
};
