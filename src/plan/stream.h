/* SPDX-License-Identifier: MIT */
/*
 * The stream of --export: RBD's incremental diff, version 2, as the Ceph documentation
 * has it (rbd-diff). After the banner come records. Each has a tag and, except for the
 * last one, the length of what follows.
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
 * Numbers are little-endian. A name has its length (32 bits) before it. Ceph reads
 * version 2 only within the input of rbd import --export-format 2. It skips tags that it
 * does not know, such as L.
 *
 * Version 1 is the only one that rbd import-diff and merge-diff read. Its records have no
 * lengths, so none can be skipped. So it has no L, and nothing in it shows whether it is
 * what was written. Both versions were tried with Ceph 16.2.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LULL_STREAM_BANNER   "rbd diff v2\n"
#define LULL_STREAM_BANNER_1 "rbd diff v1\n"

/* The longest name, without its NUL, and the most samples of a base. */
#define LULL_STREAM_NAME    255
#define LULL_STREAM_SAMPLES 256
/* Bytes in a sample, unless it is cut off by the end of the file. */
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

/* The length of the kind of a record L, and the kinds. */
#define LULL_STREAM_KIND     4
#define LULL_STREAM_KIND_SUM "xx64"
#define LULL_STREAM_KIND_OLD "base"

/*
 * Identifies a base at the other end, by its size and a checksum of samples. That shows
 * that a file is another one. It recognizes another generation of the same row only if
 * enough has changed. It does not prove that all bytes are the same.
 */
struct lull_stream_base {
	uint64_t size;
	uint32_t n;                           /* samples */
	uint64_t offset[LULL_STREAM_SAMPLES]; /* ascending, LULL_STREAM_SAMPLE apart */
	uint64_t sum;                         /* XXH64 of the samples */
};

/* The records before the first range. */
struct lull_stream_head {
	char from[LULL_STREAM_NAME + 1]; /* "": a full stream */
	char to[LULL_STREAM_NAME + 1];
	uint64_t size;
	bool has_base;
	struct lull_stream_base base;
};
