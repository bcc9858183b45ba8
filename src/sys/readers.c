// SPDX-License-Identifier: MIT
/*
 * A read that lasts for most of a clone call has waited for it. Each round is a vote. The
 * kernel's version is not conclusive, because distributions have backported the change
 * that lets readers proceed.
 */
#include "sys/readers.h"

#include "sys/clock.h"
#include "sys/ficlone.h"
#include "sys/thread.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#define ROUNDS 7
/* How many rounds must agree, of those that show anything. */
#define ENOUGH 3
/* A shorter call is over before a thread that did not run can run again. */
#define SHORTEST_CALL_NS NSEC_PER_MSEC
/* How long new rounds may begin. On an idle machine, all take a tenth of this. */
#define LONGEST_NS (3 * NSEC_PER_SEC)
#define UNIT       4096

struct reader {
	int fd;
	off_t off;
	char *buffer;
	atomic_bool over;
	atomic_ullong reads;   /* number of reads so far */
	atomic_ullong begun;   /* when the call began; 0: there is none */
	atomic_ullong ended;   /* when the call ended; 0: not yet */
	atomic_ullong longest; /* the longest read during the call */
	atomic_int err;
};

static void *keep_reading(void *arg)
{
	struct reader *r = arg;

	while (!atomic_load(&r->over)) {
		uint64_t from = lull_clock_now();
		ssize_t n = pread(r->fd, r->buffer, UNIT, r->off);
		uint64_t to = lull_clock_now();
		uint64_t begun = atomic_load(&r->begun), ended = atomic_load(&r->ended);

		if (n < 0 && errno != EINTR) {
			atomic_store(&r->err, errno);
			break;
		}
		if (ended)
			to = MIN(to, ended);
		if (begun && to > MAX(from, begun) &&
		    to - MAX(from, begun) > atomic_load(&r->longest))
			atomic_store(&r->longest, to - MAX(from, begun));
		atomic_fetch_add(&r->reads, 1);
	}
	return NULL;
}

/* Waits until a read is over that began after this was called. */
static bool wait_for_reader(struct reader *r)
{
	uint64_t before = atomic_load(&r->reads);

	while (atomic_load(&r->reads) < before + 2) {
		if (atomic_load(&r->err))
			return false;
		lull_clock_sleep(50 * NSEC_PER_USEC);
	}
	return true;
}

/* Measures the longest read during a call, or with scratch -1 during a sleep of
   *length_ns. */
static int one_round(struct reader *r, int sample, int scratch, uint64_t size,
		     uint64_t *length_ns, uint64_t *ret_longest_ns)
{
	int result = 0;

	if (scratch >= 0 && ftruncate(scratch, 0) < 0)
		return -errno;
	if (!wait_for_reader(r))
		return -atomic_load(&r->err);
	atomic_store(&r->ended, 0);
	atomic_store(&r->longest, 0);
	atomic_store(&r->begun, lull_clock_now());
	if (scratch >= 0)
		result = lull_clone_range(sample, scratch, 0, size);
	else
		lull_clock_sleep(*length_ns);
	atomic_store(&r->ended, lull_clock_now());
	if (!wait_for_reader(r))
		return -atomic_load(&r->err);
	*length_ns = atomic_load(&r->ended) - atomic_load(&r->begun);
	*ret_longest_ns = atomic_load(&r->longest);
	atomic_store(&r->begun, 0);
	return result;
}

static int vote(struct reader *r, int sample, int scratch, uint64_t size)
{
	unsigned int waited = 0, went_on = 0;
	uint64_t since = lull_clock_now();

	for (int i = 0; i < ROUNDS && lull_clock_now() - since < LONGEST_NS; i++) {
		uint64_t call = 0, length, beside, alone;
		int e = one_round(r, sample, scratch, size, &call, &beside);

		if (e < 0)
			return e;
		if (call < SHORTEST_CALL_NS)
			return -EAGAIN;
		/* Measure how long a read takes in the same time without a call, on this
		   disk and with this load. */
		length = call;
		e = one_round(r, sample, -1, size, &length, &alone);
		if (e < 0)
			return e;
		if (alone > call / 4)
			continue;
		if (beside > call / 2)
			waited++;
		else
			went_on++;
		if (waited == ENOUGH || went_on == ENOUGH)
			return waited == ENOUGH;
	}
	return -EAGAIN;
}

static int open_for(int sample, bool direct)
{
	char path[64];
	int fd;

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", sample);
	fd = open(path, O_RDONLY | O_CLOEXEC | (direct ? O_DIRECT : 0));
	return fd < 0 ? -errno : fd;
}

int lull_readers_wait(int sample, int scratch, bool direct)
{
	_cleanup_close_ int fd = open_for(sample, direct);
	_cleanup_free_ char *buffer = aligned_alloc(UNIT, UNIT);
	struct reader r = { .fd = fd, .buffer = buffer };
	pthread_t thread;
	struct stat st;
	int result;

	if (fd < 0)
		return fd;
	if (!buffer)
		return -ENOMEM;
	r.off = lseek(fd, 0, SEEK_DATA);
	if (r.off < 0 || fstat(sample, &st) < 0)
		return errno == ENXIO ? -EAGAIN : -errno;
	result = lull_thread_start(&thread, keep_reading, &r);
	if (result < 0)
		return result;
	result = vote(&r, sample, scratch, (uint64_t)st.st_size);
	atomic_store(&r.over, true);
	(void)pthread_join(thread, NULL);
	return result;
}
