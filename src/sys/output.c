// SPDX-License-Identifier: MIT
/*
 * DESIGN
 *
 *     hook --> pipe --take()--> ring --thread--> standard error
 *
 * Only the thread writes, because a write may block for ever, and no signal may end it.
 * While the thread makes progress, a full ring makes the hook wait as a full pipe would.
 * If the thread has made no progress for PATIENCE_NS, new output is dropped until it
 * does.
 *
 * INVARIANTS
 *  1. Only the thread writes to standard error, and nobody waits for it longer than
 *     PATIENCE_NS after its last progress.
 *  2. A thread that is abandoned owns the ring, and frees it if it ever ends.
 */
#include "sys/output.h"

#include "sys/clock.h"
#include "sys/thread.h"
#include "util/macros.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#define RING        262144
#define PIECE       16384
#define PATIENCE_NS NSEC_PER_SEC
/* Enough for a message of some lines. */
#define MOST_HELD 4096
#define LOOK_NS   (10 * NSEC_PER_MSEC)
/* How many pieces to take in one go. A hook that never stops printing must not keep other
   descriptors from being polled. After the hook's end, a process that it has left may go
   on printing. */
#define PIECES_AT_ONCE 256
/* How long to wait for the thread to make room, so that a hook with much output is not
   slowed down. */
#define ROOM_NS (20 * NSEC_PER_MSEC)

struct lull_output {
	int in;  /* non-blocking */
	int end; /* for the hook */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	pthread_t thread;
	bool running;
	bool closing;   /* the thread ends when the ring is empty */
	bool abandoned; /* the thread frees everything when it ends */
	bool done;
	size_t at, len; /* place and number of bytes in the ring */
	/* when the thread last made progress, or got something to write */
	uint64_t moved;
	bool holding;
	size_t n_held;
	char held[MOST_HELD];
	char ring[RING];
};

/*
 * Makes the writing end readable too, so that the pipe never breaks. Otherwise a process
 * that the hook has left would be killed when it prints after lullcp has ended. Uses
 * /proc, which may be missing.
 */
static void keep_whole(int *end)
{
	char path[32];
	int fd;

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", *end);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return;
	(void)close(*end);
	*end = fd;
}

struct lull_output *lull_output_open(void)
{
	struct lull_output *o = calloc(1, sizeof(*o));
	pthread_condattr_t monotonic;
	int pair[2];

	if (!o || pipe2(pair, O_CLOEXEC) < 0) {
		free(o);
		return NULL;
	}
	o->in = pair[0];
	o->end = pair[1];
	(void)fcntl(o->in, F_SETFL, O_NONBLOCK);
	keep_whole(&o->end);
	(void)pthread_mutex_init(&o->lock, NULL);
	(void)pthread_condattr_init(&monotonic);
	(void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	(void)pthread_cond_init(&o->changed, &monotonic);
	(void)pthread_condattr_destroy(&monotonic);
	return o;
}

static void free_output(struct lull_output *o)
{
	(void)pthread_cond_destroy(&o->changed);
	(void)pthread_mutex_destroy(&o->lock);
	free(o);
}

static void write_all(const char *text, size_t len)
{
	while (len > 0) {
		ssize_t n = write(STDERR_FILENO, text, len);

		if (n > 0) {
			text += n;
			len -= (size_t)n;
		} else if (errno == EAGAIN) {
			struct pollfd set = { .fd = STDERR_FILENO, .events = POLLOUT };

			(void)poll(&set, 1, -1);
		} else if (errno != EINTR) {
			return;
		}
	}
}

static void *work(void *arg)
{
	struct lull_output *o = arg;
	char piece[PIECE];
	bool abandoned;

	(void)pthread_mutex_lock(&o->lock);
	for (;;) {
		size_t n = MIN(MIN(o->len, sizeof(piece)), RING - o->at);

		if (n == 0 && o->closing)
			break;
		if (n == 0) {
			(void)pthread_cond_wait(&o->changed, &o->lock);
			continue;
		}
		memcpy(piece, o->ring + o->at, n);
		o->at = (o->at + n) % RING;
		o->len -= n;
		(void)pthread_mutex_unlock(&o->lock);
		write_all(piece, n);
		(void)pthread_mutex_lock(&o->lock);
		o->moved = lull_clock_now();
		(void)pthread_cond_broadcast(&o->changed);
	}
	o->done = true;
	(void)pthread_cond_broadcast(&o->changed);
	abandoned = o->abandoned;
	(void)pthread_mutex_unlock(&o->lock);
	if (abandoned)
		free_output(o);
	return NULL;
}

static void start(struct lull_output *o)
{
	/* The thread blocks signals: SIGTTOU would stop all threads. */
	o->running = lull_thread_start(&o->thread, work, o) == 0;
}

static bool is_stuck(const struct lull_output *o)
{
	return o->running && lull_clock_now() - o->moved > PATIENCE_NS;
}

/* Waits for a change. The caller must hold the lock, which is released in the
   meantime. */
static void wait_until(struct lull_output *o, uint64_t until)
{
	struct timespec at = {
		.tv_sec = (time_t)(until / NSEC_PER_SEC),
		.tv_nsec = (long)(until % NSEC_PER_SEC),
	};

	(void)pthread_cond_timedwait(&o->changed, &o->lock, &at);
}

/* Waits until there is room for a piece and what is held, or a reason to drop it. Returns
   false at until. */
static bool is_ready(struct lull_output *o, uint64_t until)
{
	bool ready;

	(void)pthread_mutex_lock(&o->lock);
	for (;;) {
		ready = RING - o->len >= PIECE + MOST_HELD || is_stuck(o);
		if (ready || lull_clock_now() >= until)
			break;
		wait_until(o, until);
	}
	(void)pthread_mutex_unlock(&o->lock);
	return ready;
}

int lull_output_end(const struct lull_output *output)
{
	return output ? output->end : -1;
}

int lull_output_source(struct lull_output *output)
{
	return output && is_ready(output, 0) ? output->in : -1;
}

/* Appends to the ring. Drops the output if there is no thread. */
static void pass_on(struct lull_output *o, const char *piece, size_t len)
{
	if (!o->running)
		start(o);
	(void)pthread_mutex_lock(&o->lock);
	if (o->running && RING - o->len >= len) {
		if (o->len == 0)
			o->moved = lull_clock_now();
		size_t to = (o->at + o->len) % RING, first = MIN(len, RING - to);

		memcpy(o->ring + to, piece, first);
		memcpy(o->ring, piece + first, len - first);
		o->len += len;
		(void)pthread_cond_broadcast(&o->changed);
	}
	(void)pthread_mutex_unlock(&o->lock);
}

static void stop_holding(struct lull_output *o)
{
	o->holding = false;
	if (o->n_held > 0)
		pass_on(o, o->held, o->n_held);
	o->n_held = 0;
}

static void put(struct lull_output *o, const char *piece, size_t len)
{
	if (o->holding && len <= sizeof(o->held) - o->n_held) {
		memcpy(o->held + o->n_held, piece, len);
		o->n_held += len;
		return;
	}
	if (o->holding)
		stop_holding(o);
	pass_on(o, piece, len);
}

void lull_output_take(struct lull_output *output)
{
	uint64_t until = lull_clock_now() + ROOM_NS;
	char piece[PIECE];

	for (unsigned int i = 0; output && i < PIECES_AT_ONCE && is_ready(output, until);
	     i++) {
		ssize_t n = read(output->in, piece, sizeof(piece));

		if (n <= 0)
			return;
		put(output, piece, (size_t)n);
	}
}

void lull_output_hold(struct lull_output *output)
{
	if (!output)
		return;
	/* Take the output of the command before. */
	lull_output_take(output);
	output->holding = true;
}

void lull_output_release(struct lull_output *output, bool drop)
{
	if (!output)
		return;
	lull_output_take(output);
	if (output->holding && drop)
		output->n_held = 0;
	stop_holding(output);
}

void lull_output_close(struct lull_output *output)
{
	bool left = false;

	if (!output)
		return;
	/* Wait for room for as much as the pipe may hold. */
	for (unsigned int i = 0; i < PIECES_AT_ONCE && lull_output_source(output) < 0;
	     i++)
		lull_clock_sleep(LOOK_NS);
	lull_output_take(output);
	(void)close(output->in);
	(void)close(output->end);
	if (output->running) {
		(void)pthread_mutex_lock(&output->lock);
		output->closing = true;
		if (output->len == 0)
			output->moved = lull_clock_now();
		(void)pthread_cond_broadcast(&output->changed);
		while (!output->done && !is_stuck(output))
			wait_until(output, lull_clock_now() + LOOK_NS);
		left = output->abandoned = !output->done;
		(void)pthread_mutex_unlock(&output->lock);
		if (left) {
			(void)pthread_detach(output->thread);
			return;
		}
		(void)pthread_join(output->thread, NULL);
	}
	free_output(output);
}
