/* SPDX-License-Identifier: MIT */
/* What the unit tests share: cmocka, checks that name their case, random numbers. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define UNUSED __attribute__((unused))

/* An assertion that says which case of a table it failed in. */
#define check(name, condition)                                \
	do {                                                  \
		if (!(condition))                             \
			fail_msg("%s: %s", name, #condition); \
	} while (0)

#define check_int(name, got, wanted)                                                     \
	do {                                                                             \
		long long got_ = (long long)(got), wanted_ = (long long)(wanted);        \
		if (got_ != wanted_)                                                     \
			fail_msg("%s: %s is %lld, not %lld", name, #got, got_, wanted_); \
	} while (0)

#define check_str(name, got, wanted)                                         \
	do {                                                                 \
		const char *got_ = (got), *wanted_ = (wanted);               \
		if (!got_ || strcmp(got_, wanted_) != 0)                     \
			fail_msg("%s: %s is \"%s\", not \"%s\"", name, #got, \
				 got_ ? got_ : "(null)", wanted_);           \
	} while (0)

static uint64_t unit_state;

/* splitmix64: any seed is a good one. */
static inline uint64_t unit_random(void)
{
	uint64_t z = (unit_state += 0x9e3779b97f4a7c15ULL);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

/* Below n. */
static inline uint64_t unit_below(uint64_t n)
{
	return unit_random() % n;
}

/* In [0, 1). */
static inline double unit_share(void)
{
	return (double)(unit_random() >> 11) / (double)(1ULL << 53);
}

/*
 * Starts the random numbers from LULL_TEST_SEED, else from fallback, else (0) from the
 * clock, and prints where they start, so that a failure can be had again.
 */
static inline void unit_seed(const char *test, uint64_t fallback)
{
	const char *given = getenv("LULL_TEST_SEED");
	struct timespec now = { 0 };

	(void)clock_gettime(CLOCK_REALTIME, &now);
	if (given)
		unit_state = strtoull(given, NULL, 0);
	else if (fallback)
		unit_state = fallback;
	else
		unit_state = ((uint64_t)now.tv_sec << 20) ^ (uint64_t)now.tv_nsec;
	print_message("%s: LULL_TEST_SEED=%llu\n", test, (unsigned long long)unit_state);
}

static inline double unit_now(void)
{
	struct timespec now = { 0 };

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static inline int unit_remove_one(const char *path, const struct stat *st UNUSED,
				  int type UNUSED, struct FTW *at UNUSED)
{
	return remove(path);
}

/* A directory of the test's own; unit_remove() takes it away with all that is in it. */
static inline char *unit_directory(void)
{
	const char *base = getenv("TMPDIR");
	char *path = NULL;

	assert_true(asprintf(&path, "%s/lullunit-XXXXXX", base && *base ? base : "/tmp") >
		    0);
	assert_non_null(mkdtemp(path));
	return path;
}

/* Copies a file of less than 64 KiB to a new name, with its mode. */
static inline void unit_copy(int dir, const char *from, const char *to)
{
	static char bytes[64 << 10];
	int in = openat(dir, from, O_RDONLY | O_CLOEXEC);
	int out = openat(dir, to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	ssize_t n = read(in, bytes, sizeof(bytes));

	assert_true(in >= 0 && out >= 0 && n >= 0 && n < (ssize_t)sizeof(bytes));
	assert_int_equal(write(out, bytes, (size_t)n), n);
	assert_int_equal(close(in), 0);
	assert_int_equal(close(out), 0);
}

static inline void unit_remove(char *path)
{
	(void)nftw(path, unit_remove_one, 8, FTW_DEPTH | FTW_PHYS);
	free(path);
}
