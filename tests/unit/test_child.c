// SPDX-License-Identifier: MIT
/* A child that is forked beside threads has open what it was given, and nothing else. */
#include "unit.h"

#include "sys/child.h"
#include "sys/inode.h"
#include "util/macros.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/file.h>
#include <sys/wait.h>

#define ROUNDS 60

static char *in_directory(const char *dir, const char *name)
{
	char *path;

	assert_true(asprintf(&path, "%s/%s", dir, name) > 0);
	return path;
}

static int open_file(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	return fd;
}

static bool is_locked(const char *path)
{
	_cleanup_close_ int fd = open_file(path);

	return flock(fd, LOCK_EX | LOCK_NB) < 0;
}

/* A child that lives until it is killed, with these descriptors and no others. */
static pid_t start(const int *keep, size_t n)
{
	pid_t pid = lull_child_fork(keep, n);

	if (pid == 0) {
		for (;;)
			(void)pause();
	}
	assert_true(pid > 0);
	return pid;
}

static void end(pid_t pid)
{
	(void)kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void test_locks(UNUSED void **state)
{
	char *dir = unit_directory(), *a = in_directory(dir, "a"),
	     *b = in_directory(dir, "b");
	int theirs = open_file(a), other = open_file(b), keep[] = { -1, theirs };
	pid_t pid;

	assert_int_equal(flock(theirs, LOCK_EX), 0);
	assert_int_equal(flock(other, LOCK_EX), 0);
	pid = start(keep, ARRAY_SIZE(keep));
	(void)close(theirs);
	(void)close(other);
	assert_true(is_locked(a));
	assert_false(is_locked(b));
	end(pid);
	assert_false(is_locked(a));
	free(a);
	free(b);
	unit_remove(dir);
}

/* What the caller of the program has passed on is for the hook. */
static void test_passed_on(UNUSED void **state)
{
	int ends[2];
	char c;
	pid_t pid;

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	assert_int_equal(fcntl(ends[1], F_SETFD, 0), 0);
	pid = lull_child_fork(NULL, 0);
	if (pid == 0)
		_exit(write(ends[1], "x", 1) != 1);
	assert_true(pid > 0);
	(void)close(ends[1]);
	assert_int_equal(read(ends[0], &c, 1), 1);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	(void)close(ends[0]);
}

static atomic_bool over;

static void *fork_on(void *arg)
{
	while (!atomic_load(&over)) {
		end(start(NULL, 0));
		(void)usleep(50);
	}
	return arg;
}

/* One thread looks at a file that it alone uses, while others fork. */
static void test_in_use(UNUSED void **state)
{
	char *dir = unit_directory(), *path = in_directory(dir, "f");
	int fd, in_use = 0, before;
	pthread_t thread[2];

	(void)close(open_file(path));
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	before = lull_inode_use(fd);
	for (size_t i = 0; i < ARRAY_SIZE(thread); i++)
		assert_int_equal(pthread_create(&thread[i], NULL, fork_on, NULL), 0);
	for (int i = 0; i < ROUNDS; i++) {
		int second = open_file(path);

		/* long enough for a fork to come in between */
		(void)usleep(100);
		(void)close(second);
		in_use += lull_inode_use(fd) != LULL_INODE_UNUSED;
	}
	atomic_store(&over, true);
	for (size_t i = 0; i < ARRAY_SIZE(thread); i++)
		assert_int_equal(pthread_join(thread[i], NULL), 0);
	(void)close(fd);
	free(path);
	unit_remove(dir);
	assert_int_equal(before, LULL_INODE_UNUSED);
	assert_int_equal(in_use, 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_locks),
		cmocka_unit_test(test_passed_on),
		cmocka_unit_test(test_in_use),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
