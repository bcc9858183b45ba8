// SPDX-License-Identifier: MIT
/* What a sidecar says of itself. */
#include "unit.h"

#include "mark.h"

#include <limits.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#define RUN   "0f8fad5b-d9cb-469f-a165-70867728950e"
#define OTHER "7c9e6679-7425-40de-944b-e07fc1f90ae7"

static char path[PATH_MAX];

/* Its name is in path. */
static char *make_file(void)
{
	char *directory = unit_directory();
	int fd;

	(void)snprintf(path, sizeof(path), "%s/sidecar", directory);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	(void)close(fd);
	return directory;
}

static void test_run(void **state UNUSED)
{
	assert_string_equal(mark_run(RUN), RUN);
	assert_null(mark_run(NULL));
	assert_null(mark_run(""));
	assert_null(mark_run("-"));
	assert_null(mark_run(RUN "0"));
	assert_null(mark_run("0f8fad5b-d9cb-469f-a165-70867728950"));
	assert_null(mark_run("0f8fad5b d9cb-469f-a165-70867728950e"));
	assert_null(mark_run("0f8fad5b-d9cb-469f-a165-70867728950\n"));
}

static void test_owner(void **state UNUSED)
{
	struct stat st = { .st_ino = 7 };
	struct mark mark = { 0 };

	assert_false(mark_is_of_another(&mark, RUN));
	assert_false(mark_is_of_another(&mark, NULL));
	mark_init(&mark, RUN, &st);
	assert_false(mark_is_of_another(&mark, RUN));
	assert_true(mark_is_of_another(&mark, OTHER));
	assert_true(mark_is_of_another(&mark, NULL));
	mark_init(&mark, NULL, &st);
	assert_false(mark_is_of_another(&mark, NULL));
	assert_true(mark_is_of_another(&mark, RUN));
}

static void test_untouched(void **state UNUSED)
{
	struct stat st = { .st_ino = 7,
			   .st_size = 4096,
			   .st_mtim = { .tv_sec = 5, .tv_nsec = 6 } };
	struct stat other = st;
	struct mark mark;

	mark_init(&mark, RUN, &st);
	assert_true(mark_is_untouched(&mark, &st));
	other.st_mtim.tv_nsec = 7;
	assert_false(mark_is_untouched(&mark, &other));
	mark_image(&mark, &other);
	assert_true(mark_is_untouched(&mark, &other));
	other.st_size++;
	assert_false(mark_is_untouched(&mark, &other));
	mark = (struct mark){ 0 };
	assert_false(mark_is_untouched(&mark, &st));
}

static void test_round(void **state UNUSED)
{
	char *directory = make_file();
	struct stat st = { .st_dev = 0xfe01,
			   .st_ino = 131,
			   .st_size = 16 << 20,
			   .st_mtim = { .tv_sec = 1700000000, .tv_nsec = 42 } };
	struct mark mark, got;
	ssize_t len = 0;

	assert_false(mark_read(path).known);
	for (int by_hand = 0; by_hand < 2; by_hand++) {
		mark_init(&mark, by_hand ? NULL : RUN, &st);
		if (by_hand)
			mark_disk(&mark, UINT64_MAX, "qcow2");
		for (int s = MARK_BETWEEN; s <= MARK_MERGED; s++) {
			mark.state = (enum mark_state)s;
			int r = mark_write(path, &mark);

			if (r == -EOPNOTSUPP)
				fail_msg("set TMPDIR to a file system with "
					 "user attributes");
			assert_int_equal(r, 0);
			got = mark_read(path);
			assert_true(got.known);
			assert_int_equal(got.state, s);
			assert_string_equal(got.run, mark.run);
			assert_int_equal(got.dev, 0xfe01);
			assert_int_equal(got.ino, 131);
			assert_true(mark_is_untouched(&got, &st));
			assert_true(got.disk == (by_hand ? UINT64_MAX : 0));
			assert_string_equal(got.format, by_hand ? "qcow2" : "");
			if (s == MARK_BETWEEN)
				len = getxattr(path, "user.lullcp.freeze", NULL, 0);
			assert_int_equal(getxattr(path, "user.lullcp.freeze", NULL, 0),
					 len);
		}
	}
	unit_remove(directory);
}

static void test_disk(void **state UNUSED)
{
	static const char *const formats[] = {
		"",
		"raw; rm",
		"Raw",
		"a-name-of-thirty-two-characters-",
	};
	struct mark mark = { 0 };

	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		mark_disk(&mark, 512, formats[i]);
		assert_int_equal(mark.disk, 0);
		assert_string_equal(mark.format, "");
	}
	mark_disk(&mark, 512, "a-name-of-thirty-one-characters");
	assert_int_equal(mark.disk, 512);
	assert_int_equal(strlen(mark.format), 31);
}

static void test_nonsense(void **state UNUSED)
{
	static const char *const texts[] = {
		"",
		"v2 run=- source=1:2 written=3.000000004 size=5 state=frozen",
		"v1 run=me source=1:2 written=3.000000004 size=5 state=frozen",
		"v1 run=" RUN "0 source=1:2 written=3.000000004 size=5 state=frozen",
		"v1 run=- source=1:2 written=3.000000004 size=5 state=molten",
		"v1 run=- source=1:2 written=3.000000004 size=5 state=frozen and more",
		"v1 run=- source=1:2 written=3.000000004 size=5",
		"v1 run=- source=1:2 written=3.000000004 size=5 state=frozen disk=6",
		"v1 run=- source=1:2 written=3.000000004 size=5 state=frozen disk=6 "
		"format=raw;rm",
		"v1 run=- source=1:2 written=3.000000004 size=5 state=frozen disk=6 "
		"format=raw and more",
	};
	static const char good[] =
		"v1 run=- source=1:2 written=3.000000004 size=5 state=frozen";
	struct mark fine = { .known = true };
	char *directory = make_file();

	if (setxattr(path, "user.lullcp.freeze", good, strlen(good), 0) < 0)
		fail_msg("set TMPDIR to a file system with user attributes");
	assert_true(mark_read(path).known);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		assert_int_equal(setxattr(path, "user.lullcp.freeze", texts[i],
					  strlen(texts[i]), 0),
				 0);
		assert_false(mark_read(path).known);
	}
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_false(mark_read(path).known);
	assert_int_equal(mark_write(path, &fine), -EBADMSG);
	unit_remove(directory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_run),       cmocka_unit_test(test_owner),
		cmocka_unit_test(test_untouched), cmocka_unit_test(test_round),
		cmocka_unit_test(test_disk),      cmocka_unit_test(test_nonsense),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
