// SPDX-License-Identifier: MIT
/* hooks/qmp/sidecar.c: names, the mark, and whether anything is in a sidecar. */
#include "unit.h"

#include "sidecar.h"

#include <endian.h>
#include <fcntl.h>
#include <limits.h>

static void names_fit(void **state UNUSED)
{
	char longest[NAME_MAX + 1];
	char source[NAME_MAX + 8];

	memset(longest, 'n', NAME_MAX);
	longest[NAME_MAX] = '\0';
	(void)snprintf(source, sizeof(source), "/d/%s", longest);

	const struct {
		const char *source, *directory, *start;
	} cases[] = {
	    {"/d/a.img", NULL, "/d/.a.img.lullcp-sidecar"},
	    {"/a.img", NULL, "/.a.img.lullcp-sidecar"},
	    {"/d/a.img", "/s", "/s/.a.img."},
	    {source, NULL, "/d/.nnn"},
	    {source, "/s", "/s/.nnn"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *path = sidecar_path(cases[i].source, cases[i].directory);

		check(cases[i].start,
		      path && strncmp(path, cases[i].start, strlen(cases[i].start)) == 0);
		check(cases[i].start, strlen(strrchr(path, '/') + 1) <= NAME_MAX);
		free(path);
	}

	/* the same name in two directories, one directory of sidecars */
	char *one = sidecar_path("/d/a.img", "/s"),
	     *other = sidecar_path("/e/a.img", "/s");

	assert_string_not_equal(one, other);
	free(one);
	free(other);
}

static void write_file(const char *path, const void *data, size_t len, off_t at)
{
	int fd = open(path, O_RDWR | O_CREAT, 0600);

	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, data, len, at), len);
	assert_int_equal(close(fd), 0);
}

/* A qcow2 header with a table of n entries at 64 KiB. */
static void write_header(const char *path, uint32_t n, uint64_t table)
{
	unsigned char header[104] = "QFI\xfb\0\0\0\3";
	uint32_t entries = htobe32(n);
	uint64_t offset = htobe64(table);

	memcpy(header + 36, &entries, sizeof(entries));
	memcpy(header + 40, &offset, sizeof(offset));
	write_file(path, header, sizeof(header), 0);
}

static void tells_used_from_unused(void **state UNUSED)
{
	char *dir = unit_directory(), *path = NULL;
	uint64_t entry = htobe64(0x8000000000050000ULL);
	struct stat st;

	assert_true(asprintf(&path, "%s/s", dir) > 0);
	assert_int_equal(sidecar_is_unused(path), -ENOENT);
	assert_int_equal(stat(dir, &st), 0);
	st.st_mode = S_IFREG | 0640;
	assert_int_equal(sidecar_create(path, &st), 0);
	assert_int_equal(sidecar_create(path, &st), -EEXIST);
	check_int("empty", sidecar_is_unused(path), 1);
	write_file(
	    path,
	    "no image at all, but some text that somebody has written here, at length",
	    72, 0);
	check_int("no qcow2", sidecar_is_unused(path), -EBADMSG);
	write_header(path, 0, 0);
	check_int("no table yet", sidecar_is_unused(path), 1);
	write_header(path, 4, 65536);
	check_int("a table that is cut off", sidecar_is_unused(path), 1);
	write_file(path, "", 1, 65536 + 31);
	check_int("a table of nothing", sidecar_is_unused(path), 1);
	write_file(path, &entry, sizeof(entry), 65536 + 24);
	check_int("the last entry", sidecar_is_unused(path), 0);
	write_header(path, UINT32_MAX, 65536);
	check_int("too long a table", sidecar_is_unused(path), -EBADMSG);
	write_header(path, 4, UINT64_MAX - 8);
	check_int("a table beyond the end of all files", sidecar_is_unused(path),
		  -EBADMSG);
	assert_int_equal(sidecar_remove(path), 0);
	assert_int_equal(sidecar_remove(path), -ENOENT);
	free(path);
	unit_remove(dir);
}

static void marks(void **state UNUSED)
{
	char *dir = unit_directory(), *path = NULL;
	struct stat st;

	assert_true(asprintf(&path, "%s/s", dir) > 0);
	assert_int_equal(stat(dir, &st), 0);
	st.st_mode = S_IFREG | 04755;
	assert_int_equal(sidecar_create(path, &st), 0);
	assert_int_equal(stat(path, &st), 0);
	check_int("made marked, and no program", st.st_mode & 07777, 01644);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(sidecar_mark(path, false), 0);
		assert_int_equal(stat(path, &st), 0);
		check_int("cleared", st.st_mode & 07777, 0644);
	}
	assert_int_equal(sidecar_mark(path, true), 0);
	assert_int_equal(stat(path, &st), 0);
	check_int("set", st.st_mode & 07777, 01644);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(sidecar_mark(path, true), -ENOENT);
	assert_int_equal(symlink("/etc/passwd", path), 0);
	check_int("no link is followed", sidecar_mark(path, true), -ELOOP);
	free(path);
	unit_remove(dir);
}

/* QEMU locks what it has open: that is not unused, whatever is in it. */
static void sees_locks(void **state UNUSED)
{
	char *dir = unit_directory(), *path = NULL;
	struct flock lock = {
	    .l_type = F_RDLCK, .l_whence = SEEK_SET, .l_start = 100, .l_len = 1};
	int fd;

	assert_true(asprintf(&path, "%s/s", dir) > 0);
	write_header(path, 4, 65536);
	fd = open(path, O_RDWR);
	assert_true(fd >= 0);
	assert_int_equal(fcntl(fd, F_OFD_SETLK, &lock), 0);
	check_int("locked", sidecar_is_unused(path), -EBUSY);
	assert_int_equal(close(fd), 0);
	check_int("unlocked", sidecar_is_unused(path), 1);
	free(path);
	unit_remove(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(names_fit),
	    cmocka_unit_test(tells_used_from_unused),
	    cmocka_unit_test(marks),
	    cmocka_unit_test(sees_locks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
