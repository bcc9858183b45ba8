// SPDX-License-Identifier: MIT
/* Copies bytes from one file to another: see byte_copy.h. */
#include "engine/clone/byte_copy.h"

#include <errno.h>
#include <sys/stat.h>

/* A slow disk takes some milliseconds for a piece, and a fast one still works
   efficiently. */
#define BUFFER        (1u << 20)
#define OFFLOAD_PIECE (16u << 20)
/* The unit in which runs of zeroes become holes: the block size of nearly all file
   systems. */
#define GRAIN 4096u

static bool go_on(const struct lull_byte_copy *c, uint64_t off)
{
	return !c->step || c->step(c->ctx, off);
}

static int failed(struct lull_byte_copy *c, enum lull_bytes_side side, int64_t r)
{
	c->side = side;
	return (int)r;
}

/* Writes len bytes of the buffer to off. With LULL_SPARSE_ALWAYS it skips runs of zeroes,
   which become holes. */
static int put(struct lull_byte_copy *c, uint64_t off, uint64_t len)
{
	uint64_t done = 0;

	while (done < len) {
		bool zero = false;
		uint64_t n = len - done;
		int r;

		if (c->sparse == LULL_SPARSE_ALWAYS && c->dest_seeks)
			n = lull_bytes_run(c->buffer + done, n, GRAIN, &zero);
		if (!zero) {
			r = lull_bytes_write(c->dest,
					     c->dest_seeks ? (int64_t)(off + done) : -1,
					     c->buffer + done, n);
			if (r < 0)
				return failed(c, LULL_BYTES_WRITE, r);
		}
		done += n;
	}
	c->copied += len;
	return 0;
}

/* Copies [*at, end), or less if src ends earlier. Advances *at. */
static int copy_range(struct lull_byte_copy *c, uint64_t *at, uint64_t end)
{
	while (*at < end) {
		int64_t n;

		if (c->may_share && !c->refused && c->sparse != LULL_SPARSE_ALWAYS) {
			n = lull_bytes_offload(c->src, c->dest, *at,
					       MIN(end - *at, OFFLOAD_PIECE));
			/* A file that has no data even at its beginning may be one like
			   those of /proc, whose size is 0 although they can be read. */
			if (n == 0 && *at > 0 && c->offloaded)
				return 0;
			c->refused = n == 0 || (n < 0 && lull_bytes_is_refusal((int)-n));
			if (n < 0 && !c->refused)
				return failed(c, LULL_BYTES_OFFLOAD, n);
			if (n > 0) {
				c->offloaded = true;
				c->copied += (uint64_t)n;
			}
		} else {
			n = lull_bytes_read(c->src, c->src_seeks ? (int64_t)*at : -1,
					    c->buffer, MIN(end - *at, BUFFER));
			if (n < 0)
				return failed(c, LULL_BYTES_READ, n);
			if (n == 0)
				return 0;

			int r = put(c, *at, (uint64_t)n);

			if (r < 0)
				return r;
		}
		*at += n > 0 ? (uint64_t)n : 0;
		if (n > 0 && !go_on(c, *at))
			return 1;
	}
	return 0;
}

static int write_zeroes(struct lull_byte_copy *c, uint64_t at, uint64_t end)
{
	static const char zeroes[65536];

	while (at < end) {
		uint64_t n = MIN(end - at, sizeof(zeroes));
		int r = lull_bytes_write(c->dest, c->dest_seeks ? (int64_t)at : -1,
					 zeroes, n);

		if (r < 0)
			return failed(c, LULL_BYTES_WRITE, r);
		at += n;
		if (!go_on(c, at))
			return 1;
	}
	return 0;
}

static int copy_data(struct lull_byte_copy *c, uint64_t *at, uint64_t size)
{
	uint64_t start, end;
	struct stat st;
	int r;

	while ((r = lull_bytes_next_data(c->src, *at, size, &start, &end)) > 0) {
		if (start > *at && (c->sparse == LULL_SPARSE_NEVER || !c->dest_seeks)) {
			r = write_zeroes(c, *at, start);
			if (r != 0)
				return r;
		}
		*at = start;
		r = copy_range(c, at, end);
		if (r != 0)
			return r;
		/* The source was truncated. */
		if (*at < end)
			return 0;
	}
	if (r < 0)
		return failed(c, LULL_BYTES_READ, r);
	/* What follows is a hole, or nothing if the source was truncated. */
	if (fstat(c->src, &st) < 0)
		return failed(c, LULL_BYTES_READ, -errno);
	size = MAX(MIN(size, (uint64_t)st.st_size), *at);
	if (*at < size && (c->sparse == LULL_SPARSE_NEVER || !c->dest_seeks)) {
		r = write_zeroes(c, *at, size);
		if (r != 0)
			return r;
	}
	*at = size;
	return 0;
}

int lull_byte_copy_run(struct lull_byte_copy *c, uint64_t start, uint64_t size)
{
	uint64_t at = start;
	int r;

	if (!c->buffer)
		c->buffer = malloc(BUFFER);
	if (!c->buffer)
		return failed(c, LULL_BYTES_READ, -ENOMEM);
	r = c->has_holes ? copy_data(c, &at, size) : copy_range(c, &at, UINT64_MAX);
	/* If the file ends in a hole, no write has set its length. */
	if (r == 0 && c->dest_seeks && ftruncate(c->dest, (off_t)at) < 0)
		return failed(c, LULL_BYTES_WRITE, -errno);
	return r;
}

void lull_byte_copy_done(struct lull_byte_copy *c)
{
	free(c->buffer);
	c->buffer = NULL;
}
