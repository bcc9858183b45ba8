// SPDX-License-Identifier: MIT
/*
 * numbers write FILE KINDS SEED PROGRESS     changes FILE until it is killed
 * numbers check COPY FIRST KINDS SEED LIMIT  is COPY what FILE was after some change?
 *
 * The changes form a sequence that SEED and KINDS determine. Each writes its number, into
 * the head and the tail of a block, or moves and removes blocks. A copy of one point in
 * time is what FILE was after the first K changes, for some K: check makes the changes
 * again in memory, from FIRST (a copy of FILE before) on, and compares after each one.
 * It prints K, or ends with status 1 if no K up to LIMIT fits: then the copy is torn.
 *
 * KINDS is a string of letters, one of which is drawn for each change:
 *   b buffered  d direct  s synchronous  a asynchronous direct  m store through mmap
 *   p punch     t truncate or extend     f fallocate or zero range
 *   c collapse range      i insert range
 *
 * PROGRESS is a file to which the number of changes begun is written.
 */
#include <err.h>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <linux/falloc.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define BLOCK 4096
#define WORDS (BLOCK / sizeof(uint64_t))
#define SLACK 64 /* blocks that the file may grow by */

struct model {
	uint64_t *head, *tail; /* what each block begins and ends with */
	uint64_t blocks, most, least;
	uint64_t hash;
};

struct change {
	char kind;
	bool grow;
	uint64_t block, n;
	uint64_t number;
};

static uint64_t mix(uint64_t z)
{
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

static uint64_t cell(uint64_t place, uint64_t value)
{
	return value ? mix(mix(place + 1) ^ value * 0x9e3779b97f4a7c15ULL) : 0;
}

static void set(struct model *m, uint64_t block, uint64_t head, uint64_t tail)
{
	m->hash ^= cell(2 * block, m->head[block]) ^ cell(2 * block, head);
	m->hash ^= cell(2 * block + 1, m->tail[block]) ^ cell(2 * block + 1, tail);
	m->head[block] = head;
	m->tail[block] = tail;
}

static void load(struct model *m, const char *path)
{
	int fd = open(path, O_RDONLY);
	uint64_t words[WORDS];
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		err(2, "%s", path);
	if (st.st_size % BLOCK != 0)
		errx(1, "%s: %lld bytes are no whole blocks", path,
		     (long long)st.st_size);
	m->blocks = (uint64_t)st.st_size / BLOCK;
	if (m->most == 0) {
		m->most = m->blocks + SLACK;
		m->least = m->blocks - m->blocks / 4;
	}
	m->head = calloc(m->most + m->blocks, sizeof(uint64_t));
	m->tail = calloc(m->most + m->blocks, sizeof(uint64_t));
	if (!m->head || !m->tail)
		err(2, "memory");
	for (uint64_t i = 0; i < m->blocks; i++) {
		if (pread(fd, words, BLOCK, (off_t)(i * BLOCK)) != BLOCK)
			err(2, "%s", path);
		set(m, i, words[0], words[WORDS - 1]);
	}
	(void)close(fd);
}

static struct change draw(const struct model *m, const char *kinds, uint64_t seed,
			  uint64_t number)
{
	uint64_t r = mix(seed * 0x9e3779b97f4a7c15ULL + number);
	struct change c = {
		.kind = kinds[r % strlen(kinds)],
		.number = number,
		.block = (r >> 20) % m->blocks,
		.n = 1 + (r >> 8) % 4,
	};

	if (strchr("ci", c.kind))
		c.n = 1;
	/* Size changes swing between least and most. */
	c.grow = m->blocks + 8 >= m->most    ? false
		 : m->blocks <= m->least + 8 ? true
					     : r >> 60 & 1;
	if (c.kind == 'c' && m->blocks <= m->least + 8)
		c.kind = 'b';
	if (c.kind == 'i' && m->blocks + 8 >= m->most)
		c.kind = 'b';
	/* What reaches the end of the file is refused by collapse. */
	if (strchr("pfci", c.kind) && c.block + c.n >= m->blocks)
		c.block = m->blocks - c.n - 1;
	return c;
}

static void move_blocks(struct model *m, uint64_t from, int64_t by)
{
	uint64_t blocks = m->blocks;
	size_t bytes = (blocks - from) * sizeof(uint64_t);

	memmove(m->head + from + by, m->head + from, bytes);
	memmove(m->tail + from + by, m->tail + from, bytes);
	if (by > 0)
		m->head[from] = m->tail[from] = 0;
	m->blocks = blocks + (uint64_t)by;
	m->hash = 0;
	for (uint64_t i = 0; i < m->blocks; i++)
		m->hash ^= cell(2 * i, m->head[i]) ^ cell(2 * i + 1, m->tail[i]);
}

static void change_model(struct model *m, const struct change *c)
{
	uint64_t i;

	switch (c->kind) {
	case 'm':
		set(m, c->block, c->number, m->tail[c->block]);
		break;
	case 'p':
		for (i = 0; i < c->n; i++)
			set(m, c->block + i, 0, 0);
		break;
	case 't':
	case 'f':
		if (c->grow) {
			for (i = 0; i < c->n; i++)
				m->head[m->blocks + i] = m->tail[m->blocks + i] = 0;
			m->blocks += c->n;
		} else if (c->kind == 't') {
			for (i = 1; i <= c->n; i++)
				set(m, m->blocks - i, 0, 0);
			m->blocks -= c->n;
		} else {
			for (i = 0; i < c->n; i++)
				set(m, c->block + i, 0, 0);
		}
		break;
	case 'c':
		move_blocks(m, c->block + 1, -1);
		break;
	case 'i':
		move_blocks(m, c->block, 1);
		break;
	default:
		set(m, c->block, c->number, c->number);
	}
}

/* ---- the writer ---- */

struct target {
	int fd, direct, sync;
	char *map;
	uint64_t *buffer;
	aio_context_t aio;
};

static void asynchronous(struct target *t, off_t off)
{
	struct iocb cb = {
		.aio_fildes = (uint32_t)t->direct,
		.aio_lio_opcode = IOCB_CMD_PWRITE,
		.aio_buf = (uint64_t)(uintptr_t)t->buffer,
		.aio_nbytes = BLOCK,
		.aio_offset = off,
	};
	struct iocb *list = &cb;
	struct io_event event;

	if (syscall(SYS_io_submit, t->aio, 1, &list) != 1)
		err(2, "io_submit");
	if (syscall(SYS_io_getevents, t->aio, 1, 1, &event, NULL) != 1 ||
	    event.res != BLOCK)
		err(2, "io_getevents");
}

static void change_file(struct target *t, const struct model *m, const struct change *c)
{
	off_t off = (off_t)(c->block * BLOCK), len = (off_t)(c->n * BLOCK);
	off_t end = (off_t)(m->blocks * BLOCK);
	int fd = c->kind == 'd' ? t->direct : c->kind == 's' ? t->sync : t->fd;
	int r = 0;

	t->buffer[0] = t->buffer[WORDS - 1] = c->number;
	switch (c->kind) {
	case 'm':
		*(volatile uint64_t *)(void *)(t->map + off) = c->number;
		break;
	case 'a':
		asynchronous(t, off);
		break;
	case 'p':
		r = fallocate(t->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, off,
			      len);
		break;
	case 't':
		r = ftruncate(t->fd, c->grow ? end + len : end - len);
		break;
	case 'f':
		r = c->grow ? fallocate(t->fd, 0, end, len)
			    : fallocate(t->fd, FALLOC_FL_ZERO_RANGE, off, len);
		break;
	case 'c':
		r = fallocate(t->fd, FALLOC_FL_COLLAPSE_RANGE, off, BLOCK);
		break;
	case 'i':
		r = fallocate(t->fd, FALLOC_FL_INSERT_RANGE, off, BLOCK);
		break;
	default:
		r = pwrite(fd, t->buffer, BLOCK, off) == BLOCK ? 0 : -1;
	}
	if (r < 0)
		err(2, "change %llu, kind %c, block %llu", (unsigned long long)c->number,
		    c->kind, (unsigned long long)c->block);
}

static void run_writer(const char *path, const char *kinds, uint64_t seed,
		       const char *progress)
{
	struct model m = { 0 };
	struct target t = {
		.fd = open(path, O_RDWR),
		.direct = open(path, O_RDWR | O_DIRECT),
		.sync = open(path, O_RDWR | O_DSYNC),
	};
	int fd = open(progress, O_RDWR | O_CREAT, 0600);
	uint64_t *begun;

	if (t.fd < 0 || t.direct < 0 || t.sync < 0 || fd < 0 || ftruncate(fd, BLOCK) < 0)
		err(2, "%s", path);
	load(&m, path);
	begun = mmap(NULL, BLOCK, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	t.map = mmap(NULL, m.most * BLOCK, PROT_READ | PROT_WRITE, MAP_SHARED, t.fd, 0);
	t.buffer = aligned_alloc(BLOCK, BLOCK);
	if (begun == MAP_FAILED || t.map == MAP_FAILED || !t.buffer ||
	    syscall(SYS_io_setup, 1, &t.aio) < 0)
		err(2, "set-up");
	memset(t.buffer, 0x5a, BLOCK);
	for (uint64_t number = 1;; number++) {
		struct change c = draw(&m, kinds, seed, number);

		*(volatile uint64_t *)begun = number;
		change_file(&t, &m, &c);
		change_model(&m, &c);
	}
}

static int run_check(const char *copy, const char *first, const char *kinds,
		     uint64_t seed, const char *limit_file)
{
	struct model m = { 0 }, wanted = { 0 };
	uint64_t limit = 0;
	int fd = open(limit_file, O_RDONLY);

	if (fd < 0 || read(fd, &limit, sizeof(limit)) != sizeof(limit))
		err(2, "%s", limit_file);
	load(&m, first);
	wanted.most = m.most;
	load(&wanted, copy);
	for (uint64_t number = 0; number <= limit; number++) {
		if (number > 0) {
			struct change c = draw(&m, kinds, seed, number);

			change_model(&m, &c);
		}
		if (m.hash == wanted.hash && m.blocks == wanted.blocks) {
			printf("%llu\n", (unsigned long long)number);
			return 0;
		}
	}
	printf("%s is torn: no state up to change %llu\n", copy,
	       (unsigned long long)limit);
	return 1;
}

int main(int argc, char **argv)
{
	if (argc == 6 && strcmp(argv[1], "write") == 0)
		run_writer(argv[2], argv[3], strtoull(argv[4], NULL, 0), argv[5]);
	if (argc == 7 && strcmp(argv[1], "check") == 0)
		return run_check(argv[2], argv[3], argv[4], strtoull(argv[5], NULL, 0),
				 argv[6]);
	errx(2, "usage: numbers write FILE KINDS SEED PROGRESS | "
		"numbers check COPY FIRST KINDS SEED PROGRESS");
}
