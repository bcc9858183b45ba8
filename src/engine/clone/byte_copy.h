/* SPDX-License-Identifier: MIT */
/* Copies bytes from one file to another in bounded pieces. Handles holes. */
#pragma once

#include "lullcp.h"
#include "sys/bytes.h"
#include "util/macros.h"

struct lull_byte_copy {
	int src;
	int dest;
	enum lull_sparse sparse;
	bool may_share; /* use copy_file_range(2), which may share blocks */
	bool has_holes; /* src is a regular file with holes */
	bool src_seeks; /* src is a regular file */
	bool dest_seeks;
	/* Called after each piece, which ends at off. Returns false to stop. May be
	   NULL. */
	bool (*step)(void *ctx, uint64_t off);
	void *ctx;
	uint64_t copied;           /* bytes of data so far */
	bool offloaded;            /* copy_file_range(2) has copied something */
	bool refused;              /* copy_file_range(2) does not work here */
	enum lull_bytes_side side; /* the call that failed */
	char *buffer;              /* freed by lull_byte_copy_done() */
};

/*
 * Copies from start to size, or to the end of src if that is elsewhere. dest must have no
 * data after start. Returns 0, 1 if step stopped it, or -errno with copying->side set.
 */
int lull_byte_copy_run(struct lull_byte_copy *copying, uint64_t start,
		       uint64_t size) _must_check_;

/* Frees the buffer. A struct of zeroes is fine. */
void lull_byte_copy_done(struct lull_byte_copy *copying);
