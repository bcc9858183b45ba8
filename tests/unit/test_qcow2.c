// SPDX-License-Identifier: MIT
/* hooks/qmp/qcow2.c: what it makes is what it and sidecar.c read. */
#include "unit.h"

#include "qcow2.h"
#include "sidecar.h"

#include <sys/stat.h>

static char *directory;
static char source[4096], path[4096];

static int set_up(void **state UNUSED)
{
	int fd;

	directory = unit_directory();
	(void)snprintf(source, sizeof(source), "%s/it's an image", directory);
	(void)snprintf(path, sizeof(path), "%s/sidecar", directory);
	fd = open(source, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	return fd < 0 ? -1 : close(fd);
}

static int tear_down(void **state UNUSED)
{
	unit_remove(directory);
	return 0;
}

static int make(uint64_t size, const char *backing, const char *format)
{
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	int r = qcow2_make(fd, size, backing, format);

	assert_int_equal(close(fd), 0);
	return r;
}

static void says_what_it_was_given(void **state UNUSED)
{
	static const uint64_t sizes[] = { 0,          512,
					  512 << 20,  (512 << 20) + 1,
					  5ULL << 40, 1ULL << 50 };
	static const char *const formats[] = { "raw", "qcow2", "vmdk" };
	struct sidecar_header header;
	char format[QCOW2_FORMAT_LEN];
	struct stat st;

	assert_int_equal(stat(source, &st), 0);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		const char *wanted = formats[i % 3];
		char *name = NULL;

		assert_int_equal(make(sizes[i], source, wanted), 0);
		assert_int_equal(qcow2_backing(path, &name, format), 0);
		assert_string_equal(name, source);
		assert_string_equal(format, wanted);
		free(name);
		assert_int_equal(sidecar_read_header(path, &header), 0);
		assert_true(header.size == sizes[i]);
		assert_true(header.has_backing);
		if (sizes[i] > 0)
			assert_int_equal(sidecar_is_unused(path, &st), 1);
	}
}

static void tells_what_was_cut_off(void **state UNUSED)
{
	static const char byte[] = "Q";
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(qcow2_is_unfinished(path, 512));
	/* header, two of counts, and the table: a cluster for each 4 TiB */
	assert_int_equal(ftruncate(fd, 4 << 16), 0);
	assert_true(qcow2_is_unfinished(path, 512));
	assert_int_equal(ftruncate(fd, (4 << 16) + 1), 0);
	assert_false(qcow2_is_unfinished(path, 512));
	assert_false(qcow2_is_unfinished(path, 4ULL << 40));
	assert_true(qcow2_is_unfinished(path, (4ULL << 40) + 1));
	assert_int_equal(ftruncate(fd, 4 << 16), 0);
	assert_int_equal(pwrite(fd, byte, 1, 71), 1);
	assert_false(qcow2_is_unfinished(path, 512));
	assert_int_equal(close(fd), 0);
	assert_int_equal(make(512, source, "raw"), 0);
	assert_false(qcow2_is_unfinished(path, 512));
	assert_int_equal(unlink(path), 0);
	assert_false(qcow2_is_unfinished(path, 512));
	assert_int_equal(symlink(source, path), 0);
	assert_false(qcow2_is_unfinished(path, 512));
	assert_int_equal(unlink(path), 0);
}

static void refuses(void **state UNUSED)
{
	char longest[1025], format[QCOW2_FORMAT_LEN], *name = NULL;

	memset(longest, 'n', sizeof(longest) - 1);
	longest[1024] = '\0';
	assert_int_equal(make(512, longest, "raw"), -ENAMETOOLONG);
	longest[1023] = '\0';
	assert_int_equal(make(512, longest, "raw"), 0);
	assert_int_equal(make(UINT64_MAX, source, "raw"), -EFBIG);
	assert_int_equal(make(512, source, "raw; rm"), 0);
	assert_int_equal(qcow2_backing(path, &name, format), -EBADMSG);
	assert_int_equal(qcow2_backing(source, &name, format), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(says_what_it_was_given, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(tells_what_was_cut_off, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(refuses, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
