// SPDX-License-Identifier: MIT
/*
 * Reads without changing the page cache: see uncached.h. RWF_NOWAIT is of no use to find
 * out what is cached, because Linux 6.18 reads ahead for it.
 */
#include "sys/uncached.h"

#include "sys/bytes.h"

#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>

/* Pages of 4 KiB in 1 MiB, and one for a start within a page. */
#define MOST_PAGES 257

struct cached {
	uint64_t from; /* offset of the first page */
	uint64_t page;
	size_t n;
	unsigned char is[MOST_PAGES]; /* bit 0: cached */
};

void lull_uncached_begin(int fd)
{
	(void)posix_fadvise(fd, 0, 0, POSIX_FADV_RANDOM);
}

/* Finds out which pages of the range are cached; n is 0 if the kernel does not tell. */
static void look(int fd, uint64_t off, uint64_t len, struct cached *ret)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE), end = off + len, span;
	void *at;

	ret->page = page;
	ret->from = off - off % page;
	ret->n = 0;
	span = (end - ret->from + page - 1) / page * page;
	if (span / page > MOST_PAGES)
		return;
	at = mmap(NULL, span, PROT_READ, MAP_SHARED, fd, (off_t)ret->from);
	if (at == MAP_FAILED)
		return;
	if (mincore(at, span, ret->is) == 0)
		ret->n = span / page;
	(void)munmap(at, span);
}

static bool is_cached(const struct cached *c, size_t i)
{
	return c->is[i] & 1;
}

static void drop_others(int fd, const struct cached *c)
{
	for (size_t i = 0; i < c->n;) {
		size_t first = i;

		while (i < c->n && is_cached(c, i) == is_cached(c, first))
			i++;
		if (!is_cached(c, first))
			(void)posix_fadvise(fd, (off_t)(c->from + first * c->page),
					    (off_t)((i - first) * c->page),
					    POSIX_FADV_DONTNEED);
	}
}

int lull_uncached_read(int fd, uint64_t off, void *buffer, uint64_t len)
{
	struct cached before;
	int r;

	look(fd, off, len, &before);
	r = lull_bytes_read_all(fd, off, buffer, len);
	drop_others(fd, &before);
	return r;
}
