/* SPDX-License-Identifier: MIT */
/* Bytes from one file to another, in bounded pieces, holes respected. */
#pragma once

#include "lullcp.h"
#include "sys/bytes.h"
#include "util/macros.h"

struct lull_byte_copy {
	int src;
	int dest;
	enum lull_sparse sparse;
	bool may_share; /* copy_file_range(2), which shares blocks where it can */
	bool has_holes; /* src is a regular file with holes */
	bool src_seeks; /* regular */
	bool dest_seeks;
	/* After each piece; off is where it ends. False: stop. May be NULL. */
	bool (*step)(void *ctx, uint64_t off);
	void *ctx;
	uint64_t copied;           /* bytes of data so far */
	bool offloaded;            /* some by copy_file_range(2) */
	bool refused;              /* it did not work */
	enum lull_bytes_side side; /* what failed */
	char *buffer;              /* freed by lull_byte_copy_done() */
};

/*
 * Copies from start on: up to size, or to the end of src if it ends elsewhere. dest
 * holds nothing after start. 0, 1 if step stopped it, or -errno with copying->side set.
 */
int lull_byte_copy_run(struct lull_byte_copy *copying, uint64_t start,
		       uint64_t size) _must_check_;

/* Frees the buffer. All zeroes are fine. */
void lull_byte_copy_done(struct lull_byte_copy *copying);
