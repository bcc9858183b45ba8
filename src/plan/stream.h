/* SPDX-License-Identifier: MIT */
/*
 * The stream of --export: RBD's incremental diff, version 2, as the Ceph documentation
 * has it (rbd-diff). After the banner come records: a tag, and but for the last one the
 * length of what follows.
 *
 *   f  name   what the changes are against; a full stream has none
 *   t  name   what they make
 *   s  size   of that
 *   L  "base", size, n, n offsets, checksum   of f: see struct lull_stream_base
 *   w  offset, length, data                   \ in rising order, without overlap,
 *   z  offset, length                         / up to the size
 *   L  "xx64", XXH64 of all bytes before this record
 *   e
 *
 * Numbers are little-endian, names have their length (32 bits) before them. Ceph reads
 * version 2 in what rbd import takes with --export-format 2 alone, and skips tags that it
 * does not know, L among them.
 *
 * Version 1, which is all that rbd import-diff and merge-diff read, has no lengths of
 * records, so that none can be skipped: it has no L, and nothing in it tells whether it
 * is what was written. Both were tried with Ceph 16.2.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LULL_STREAM_BANNER   "rbd diff v2\n"
#define LULL_STREAM_BANNER_1 "rbd diff v1\n"

/* The longest name, without its zero byte, and the most samples of a base. */
#define LULL_STREAM_NAME    255
#define LULL_STREAM_SAMPLES 256
/* Bytes in a sample, but for one that the end of the file cuts. */
#define LULL_STREAM_SAMPLE 4096

enum {
	LULL_STREAM_FROM = 'f',
	LULL_STREAM_TO = 't',
	LULL_STREAM_SIZE = 's',
	LULL_STREAM_DATA = 'w',
	LULL_STREAM_ZERO = 'z',
	LULL_STREAM_OWN = 'L',
	LULL_STREAM_END = 'e',
};

/* How many bytes the kind of a record of ours has, and what they are. */
#define LULL_STREAM_KIND     4
#define LULL_STREAM_KIND_SUM "xx64"
#define LULL_STREAM_KIND_OLD "base"

/*
 * By what a base is known at the other end: its size, and a checksum of samples of it. It
 * tells other files from it, and one of the same row as surely as enough has changed; it
 * does not prove that all of it is the same.
 */
struct lull_stream_base {
	uint64_t size;
	uint32_t n;                           /* samples */
	uint64_t offset[LULL_STREAM_SAMPLES]; /* ascending, LULL_STREAM_SAMPLE apart */
	uint64_t sum;                         /* XXH64 of the samples */
};

/* What a stream says before its first range. */
struct lull_stream_head {
	char from[LULL_STREAM_NAME + 1]; /* "": a full stream */
	char to[LULL_STREAM_NAME + 1];
	uint64_t size;
	bool has_base;
	struct lull_stream_base base;
};
