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
		{ "/d/a.img", NULL, "/d/.a.img.lullcp-sidecar" },
		{ "/a.img", NULL, "/.a.img.lullcp-sidecar" },
		{ "/d/a.img", "/s", "/s/.a.img." },
		{ source, NULL, "/d/.nnn" },
		{ source, "/s", "/s/.nnn" },
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
	uint64_t offset = htobe64(table), size = htobe64((uint64_t)n << 29);
	uint32_t bits = htobe32(16);

	memcpy(header + 20, &bits, sizeof(bits));
	memcpy(header + 24, &size, sizeof(size));
	memcpy(header + 36, &entries, sizeof(entries));
	memcpy(header + 40, &offset, sizeof(offset));
	write_file(path, header, sizeof(header), 0);
}

static void name_backing(const char *path, const char *name)
{
	uint64_t at = htobe64(512);
	uint32_t len = htobe32((uint32_t)strlen(name));

	write_file(path, &at, sizeof(at), 8);
	write_file(path, &len, sizeof(len), 16);
	write_file(path, name, strlen(name), 512);
}

static void tells_used_from_unused(void **state UNUSED)
{
	char *dir = unit_directory(), *path = NULL;
	uint64_t entry = htobe64(0x8000000000050000ULL);
	struct stat st;
	int fd;

	assert_true(asprintf(&path, "%s/s", dir) > 0);
	assert_int_equal(stat(dir, &st), 0);
	assert_int_equal(sidecar_is_unused(path, &st), -ENOENT);
	st.st_mode = S_IFREG | 0640;
	assert_int_equal(sidecar_create(path, dir, &st, &fd), 0);
	assert_int_equal(sidecar_create(path, dir, &st, &fd), -EEXIST);
	check_int("empty", sidecar_is_unused(path, &st), 1);
	assert_int_equal(fchmod(fd, 0640), 0);
	check_int("empty, but not marked: somebody else's", sidecar_is_unused(path, &st),
		  -EBADMSG);
	assert_int_equal(fchmod(fd, 01640), 0);
	write_file(path,
		   "no image at all, but some text that somebody has written here, "
		   "at length",
		   72, 0);
	check_int("no qcow2", sidecar_is_unused(path, &st), -EBADMSG);
	write_header(path, 0, 0);
	check_int("no table yet", sidecar_is_unused(path, &st), 1);
	assert_int_equal(fchmod(fd, 0640), 0);
	check_int("no table, and no mark", sidecar_is_unused(path, &st), -EBADMSG);
	assert_int_equal(fchmod(fd, 01640), 0);
	write_header(path, 4, 65536);
	check_int("a table that is cut off", sidecar_is_unused(path, &st), -EBADMSG);
	write_header(path, 4, 0);
	check_int("a table that is nowhere", sidecar_is_unused(path, &st), -EBADMSG);
	write_header(path, 4, 65536 + 8);
	check_int("a table that is no cluster", sidecar_is_unused(path, &st), -EBADMSG);
	write_header(path, 4, 65536);
	write_file(path, "", 1, 65536 + 31);
	check_int("a table of nothing", sidecar_is_unused(path, &st), 1);
	write_file(path, &entry, sizeof(entry), 65536 + 24);
	check_int("the last entry", sidecar_is_unused(path, &st), 0);
	write_header(path, UINT32_MAX, 65536);
	check_int("too long a table", sidecar_is_unused(path, &st), -EBADMSG);
	write_header(path, 4, UINT64_MAX - 8);
	check_int("a table beyond the end of all files", sidecar_is_unused(path, &st),
		  -EBADMSG);
	write_header(path, 4, 65536);
	write_file(path, (const char[32]){ 0 }, 32, 65536);
	check_int("a table of nothing again", sidecar_is_unused(path, &st), 1);
	write_file(path, "\0\0\0\1", 4, 60);
	check_int("a snapshot has a table of its own", sidecar_is_unused(path, &st), 0);
	write_file(path, "\0\0\0\0", 4, 60);
	write_file(path, "\0\0\0\0\0\0\0\1", 8, 88);
	check_int("bitmaps", sidecar_is_unused(path, &st), 0);
	write_file(path, "\0\0\0\0\0\0\0\0", 8, 88);
	name_backing(path, "/dev/null");
	check_int("of another image", sidecar_is_unused(path, &st), -EBADMSG);
	name_backing(path, dir);
	check_int("of this one", sidecar_is_unused(path, &st), 1);
	assert_int_equal(sidecar_remove(path), 0);
	assert_int_equal(sidecar_remove(path), -ENOENT);
	assert_int_equal(close(fd), 0);
	assert_int_equal(mkfifo(path, 0600), 0);
	check_int("a pipe hangs nobody", sidecar_is_unused(path, &st), -EBADMSG);
	check_int("nor here", sidecar_mark(path, true), -EBADMSG);
	assert_int_equal(unlink(path), 0);
	free(path);
	unit_remove(dir);
}

static void marks(void **state UNUSED)
{
	char *dir = unit_directory(), *path = NULL;
	struct stat st;
	int fd;

	assert_true(asprintf(&path, "%s/s", dir) > 0);
	assert_int_equal(stat(dir, &st), 0);
	st.st_mode = S_IFREG | 04755;
	assert_int_equal(sidecar_create(path, dir, &st, &fd), 0);
	assert_int_equal(close(fd), 0);
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
		.l_type = F_RDLCK, .l_whence = SEEK_SET, .l_start = 100, .l_len = 1
	};
	struct stat st;
	int fd;

	assert_true(asprintf(&path, "%s/s", dir) > 0);
	assert_int_equal(stat(dir, &st), 0);
	write_header(path, 4, 65536);
	write_file(path, (const char[32]){ 0 }, 32, 65536);
	name_backing(path, dir);
	fd = open(path, O_RDWR);
	assert_true(fd >= 0);
	assert_int_equal(fcntl(fd, F_OFD_SETLK, &lock), 0);
	check_int("locked", sidecar_is_unused(path, &st), -EBUSY);
	assert_int_equal(close(fd), 0);
	check_int("unlocked", sidecar_is_unused(path, &st), 1);
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
