// SPDX-License-Identifier: MIT
/* What each errno of a clone call means. */
#include "unit.h"

#include "sys/ficlone.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

struct files {
	char *dir;
	int src;
	int dest;
};

static int set_up(void **state)
{
	static struct files files;
	char *path;

	files.dir = unit_directory();
	assert_true(asprintf(&path, "%s/src", files.dir) > 0);
	files.src = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	free(path);
	assert_true(asprintf(&path, "%s/dest", files.dir) > 0);
	files.dest = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	free(path);
	assert_true(files.src >= 0 && files.dest >= 0);
	assert_int_equal(ftruncate(files.src, 1 << 20), 0);
	*state = &files;
	return 0;
}

static int tear_down(void **state)
{
	struct files *files = *state;

	(void)close(files->src);
	(void)close(files->dest);
	unit_remove(files->dir);
	return 0;
}

static void test_errno(void **state)
{
	static const struct {
		const char *name;
		int err;
		enum lull_cause cause;
	} cases[] = {
		{ "EXDEV", EXDEV, LULL_CAUSE_OTHER_FILE_SYSTEM },
		{ "EOPNOTSUPP", EOPNOTSUPP, LULL_CAUSE_NO_REFLINK },
		{ "ENOTTY", ENOTTY, LULL_CAUSE_NO_REFLINK },
		{ "ENOSYS", ENOSYS, LULL_CAUSE_NO_REFLINK },
		{ "ETXTBSY", ETXTBSY, LULL_CAUSE_SWAP_FILE },
		{ "EPERM", EPERM, LULL_CAUSE_FORBIDDEN },
		{ "EDQUOT", EDQUOT, LULL_CAUSE_QUOTA },
		{ "ENOSPC", ENOSPC, LULL_CAUSE_FULL },
		{ "EFBIG", EFBIG, LULL_CAUSE_FILE_SIZE_LIMIT },
		{ "EROFS", EROFS, LULL_CAUSE_READ_ONLY },
		{ "EINVAL", EINVAL, LULL_CAUSE_ERRNO },
		{ "EIO", EIO, LULL_CAUSE_ERRNO },
		{ "EBADF", EBADF, LULL_CAUSE_ERRNO },
		{ "EISDIR", EISDIR, LULL_CAUSE_ERRNO },
		{ "EACCES", EACCES, LULL_CAUSE_FORBIDDEN },
		{ "EINTR", EINTR, LULL_CAUSE_ERRNO },
		{ "EAGAIN", EAGAIN, LULL_CAUSE_ERRNO },
		{ "ENOMEM", ENOMEM, LULL_CAUSE_ERRNO },
		{ "ESTALE", ESTALE, LULL_CAUSE_ERRNO },
		{ "EUCLEAN", EUCLEAN, LULL_CAUSE_ERRNO },
		{ "none", 0, LULL_CAUSE_ERRNO },
	};
	const struct files *files = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		check_int(cases[i].name,
			  lull_clone_classify(cases[i].err, files->src, files->dest, 0,
					      65536),
			  cases[i].cause);
}

/* For a call other than a clone: the file itself forbids it. */
static void test_another_call(void **state)
{
	(void)state;
	check_int("EPERM", lull_clone_classify(EPERM, -1, -1, 0, 0),
		  LULL_CAUSE_IMMUTABLE);
	check_int("EACCES", lull_clone_classify(EACCES, -1, -1, 0, 0), LULL_CAUSE_ERRNO);
}

/* EINVAL says least: the files tell what it means. The source has 1 MiB. */
static void test_einval(void **state)
{
	static const struct {
		const char *name;
		uint64_t off, len;
		enum lull_cause cause;
	} cases[] = {
		{ "within", 0, 65536, LULL_CAUSE_ERRNO },
		{ "up to the end", 0, 1 << 20, LULL_CAUSE_ERRNO },
		{ "beyond the end", 0, (1 << 20) + 1, LULL_CAUSE_SIZE_CHANGED },
		{ "behind the end", 1 << 20, 4096, LULL_CAUSE_SIZE_CHANGED },
		{ "a tail in the middle", 0, 65537, LULL_CAUSE_SIZE_CHANGED },
	};
	const struct files *files = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		check_int(cases[i].name,
			  lull_clone_classify(EINVAL, files->src, files->dest,
					      cases[i].off, cases[i].len),
			  cases[i].cause);
}

static void test_limit(void **state)
{
	const struct files *files = *state;
	struct rlimit before, low;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	low = before;
	low.rlim_cur = 65536;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &low), 0);
	int over = lull_clone_classify(EINVAL, files->src, files->dest, 0, 131072);
	int within = lull_clone_classify(EINVAL, files->src, files->dest, 0, 65536);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_int_equal(over, LULL_CAUSE_FILE_SIZE_LIMIT);
	assert_int_equal(within, LULL_CAUSE_ERRNO);
}

/* What cannot be looked at is left to the errno. */
static void test_bad_descriptors(void **state UNUSED)
{
	assert_int_equal(lull_clone_classify(EINVAL, -1, -1, 0, 4096), LULL_CAUSE_ERRNO);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_errno),
		cmocka_unit_test(test_another_call),
		cmocka_unit_test(test_einval),
		cmocka_unit_test(test_limit),
		cmocka_unit_test(test_bad_descriptors),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
