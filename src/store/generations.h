/* SPDX-License-Identifier: MIT */
/*
 * The record of the generations of a destination: a small JSON file beside them. It lists
 * the files that lullcp made, oldest first. A name does not make a file a generation: its
 * inode, generation number and file system must be those of the record.
 */
#pragma once

#include "lullcp.h"
#include "util/macros.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LULL_GENERATIONS_SCHEMA 2
/* --keep=1000, and as many that could not be removed. */
#define LULL_GENERATIONS_MOST 2000u
/* For each, a name takes up to 1.5 KiB as JSON escapes, a third of a KiB as base64, and
   the rest 200 bytes. */
#define LULL_GENERATIONS_MAX_SIZE (5u << 20)

struct lull_generation {
	char *name;  /* in the directory of the record */
	char fs[37]; /* UUID of the file system, "" if not known */
	uint64_t inode;
	uint64_t number;  /* the inode's generation */
	uint64_t created; /* ns since the epoch */
	bool pending;     /* it does not have its name yet */
};

struct lull_generations {
	struct lull_generation *item;
	size_t n;
	struct lull_keep_rules rules; /* of the run that wrote it; none: not known */
};

/* Frees what it owns and leaves it empty. */
void lull_generations_done(struct lull_generations *generations);

/* Appends a copy. Returns 0, -ENOMEM, or -E2BIG if there are too many. */
int lull_generations_add(struct lull_generations *generations,
			 const struct lull_generation *generation) _must_check_;

/* Removes entry i from the list. */
void lull_generations_drop(struct lull_generations *generations, size_t i);

/*
 * Reads name in directory dir; no record is an empty list. 0, or
 *   -EBADMSG          damaged
 *   a refusal         (lull_state_is_refusal()) it may have been planted, and files would
 *                     be removed at its word
 *   -EPROTONOSUPPORT  written by another version
 *   or any other -errno of reading.
 */
int lull_generations_load(int dir, const char *name,
			  struct lull_generations *ret_generations) _must_check_;

/* As lull_generations_load(), from memory. */
int lull_generations_parse(const char *text, size_t len,
			   struct lull_generations *ret_generations) _must_check_;

/* Makes the text of the record, to be freed. Returns 0 or -ENOMEM. */
int lull_generations_format(const struct lull_generations *generations,
			    char **ret_text) _must_check_;

/* Replaces name in directory dir, durably, with mode 0600. Returns 0 or -errno. */
int lull_generations_save(int dir, const char *name,
			  const struct lull_generations *generations) _must_check_;
