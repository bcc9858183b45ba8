// SPDX-License-Identifier: MIT
/*
 * The map by SEEK_DATA and SEEK_HOLE. What holds on any file system is that data which
 * was written is covered, in order and within the window; the exact layout is asserted
 * only where the file system shows holes.
 */
#include "unit.h"

#include "sys/extmap.h"

#include <fcntl.h>

#define MIB  (1ULL << 20)
#define UNIT (256ULL << 10)
#define SIZE (16 * MIB)

struct span {
	uint64_t off, len;
};

/* Where the file has data; each begins and ends at a multiple of any block size. */
static const struct span data[] = {
	{ 0, MIB },
	{ 4 * MIB, 64 << 10 },
	{ 6 * MIB, MIB },
	{ 12 * MIB, UNIT },
};

struct file {
	char *dir;
	int fd;
	bool sparse; /* the file system shows the holes */
};

static int set_up(void **state)
{
	static struct file file;
	char *path, *bytes = malloc(MIB);

	file.dir = unit_directory();
	assert_non_null(bytes);
	memset(bytes, 'x', MIB);
	assert_true(asprintf(&path, "%s/sparse", file.dir) > 0);
	file.fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_true(file.fd >= 0);
	assert_int_equal(ftruncate(file.fd, SIZE), 0);
	for (size_t i = 0; i < ARRAY_SIZE(data); i++)
		assert_int_equal(pwrite(file.fd, bytes, data[i].len, (off_t)data[i].off),
				 data[i].len);
	file.sparse = lseek(file.fd, 0, SEEK_HOLE) == (off_t)MIB &&
		      lseek(file.fd, MIB, SEEK_DATA) == (off_t)(4 * MIB);
	print_message("holes are shown here: %s\n", file.sparse ? "yes" : "no");
	free(path);
	free(bytes);
	*state = &file;
	return 0;
}

static int tear_down(void **state)
{
	struct file *file = *state;

	(void)close(file->fd);
	unit_remove(file->dir);
	return 0;
}

/* Bytes of [off, end) that lie in data. */
static uint64_t data_within(uint64_t off, uint64_t end)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < ARRAY_SIZE(data); i++) {
		uint64_t from = MAX(off, data[i].off);
		uint64_t to = MIN(end, data[i].off + data[i].len);

		sum += to > from ? to - from : 0;
	}
	return sum;
}

static void check_window(const struct file *file, const char *name, uint64_t start,
			 uint64_t end)
{
	struct lull_extmap *map = NULL;
	struct lull_cursor cursor;
	struct lull_extent e;
	uint64_t pos = start, found = 0, bytes = 0;
	int r;

	check_int(name, lull_extmap_open(file->fd, LULL_EXTMAP_SEEK, start, end, &map),
		  0);
	check_int(name, lull_extmap_kind(map), LULL_EXTMAP_SEEK);
	cursor = lull_extmap_cursor(map);
	while ((r = cursor.next(cursor.ctx, &e)) == 1) {
		check(name, e.len > 0);
		check(name, e.off >= pos);
		check(name, e.off + e.len <= end);
		check(name, e.off / UNIT == (e.off + e.len - 1) / UNIT);
		check_int(name, e.flags, LULL_EXTENT_OPAQUE);
		check_int(name, e.phys, 0);
		check_int(name, e.weight, 1);
		pos = e.off + e.len;
		found += data_within(e.off, pos);
		bytes += e.len;
	}
	check_int(name, r, 0);
	check_int(name, cursor.next(cursor.ctx, &e), 0);
	/* No byte of data is missing. */
	check_int(name, found, data_within(start, MIN(end, SIZE)));
	if (file->sparse)
		check_int(name, bytes, found);
	lull_extmap_close(map);
}

static void test_windows(void **state)
{
	static const struct {
		const char *name;
		uint64_t start, end;
	} cases[] = {
		{ "all", 0, SIZE },
		{ "beyond the end of the file", 0, 4 * SIZE },
		{ "up to the last data", 0, 12 * MIB + UNIT },
		{ "from within data", 512 << 10, SIZE },
		{ "from within a unit", 4096, SIZE },
		{ "from a hole", 2 * MIB, SIZE },
		{ "from the start of data", 4 * MIB, SIZE },
		{ "from the end of data", MIB, SIZE },
		{ "to within data", 0, 6 * MIB + 4096 },
		{ "to within a hole", 0, 3 * MIB },
		{ "only a hole", 2 * MIB, 3 * MIB },
		{ "only a bit of data", 6 * MIB + 8192, 6 * MIB + 12288 },
		{ "the hole at the end", 13 * MIB, SIZE },
		{ "empty", MIB, MIB },
		{ "behind the end of the file", SIZE, 2 * SIZE },
		{ "an odd end", 0, 6 * MIB + 4097 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		check_window(*state, cases[i].name, cases[i].start, cases[i].end);
}

static void test_random_windows(void **state)
{
	unit_seed("windows", 0);
	for (unsigned int round = 0; round < 500; round++) {
		uint64_t start = unit_below(SIZE / 4096) * 4096;

		check_window(*state, "random", start, start + unit_below(SIZE));
	}
}

/* The layout itself, where it is shown. */
static void test_layout(void **state)
{
	static const struct span wanted[] = {
		{ 0, UNIT },
		{ UNIT, UNIT },
		{ 2 * UNIT, UNIT },
		{ 3 * UNIT, UNIT },
		{ 4 * MIB, 64 << 10 },
		{ 6 * MIB, UNIT },
		{ 6 * MIB + UNIT, UNIT },
		{ 6 * MIB + 2 * UNIT, UNIT },
		{ 6 * MIB + 3 * UNIT, UNIT },
		{ 12 * MIB, UNIT },
	};
	const struct file *file = *state;
	struct lull_extmap *map = NULL;
	struct lull_cursor cursor;
	struct lull_extent e;

	if (!file->sparse)
		return;
	assert_int_equal(lull_extmap_open(file->fd, LULL_EXTMAP_SEEK, 0, SIZE, &map), 0);
	cursor = lull_extmap_cursor(map);
	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++) {
		assert_int_equal(cursor.next(cursor.ctx, &e), 1);
		assert_int_equal(e.off, wanted[i].off);
		assert_int_equal(e.len, wanted[i].len);
	}
	assert_int_equal(cursor.next(cursor.ctx, &e), 0);
	lull_extmap_close(map);
}

/* Blocks 64 KiB apart, and from 8 to 12 MiB 8 KiB apart. */
static void test_sparse_until(void **state)
{
	const struct file *file = *state;
	struct lull_spacing spacing = { .least = 32 << 10, .stride = MIB };
	struct lull_extmap *map;
	enum lull_extmap_kind kind;
	char *path, block[4096];
	int fd;

	if (!file->sparse ||
	    lull_extmap_open(file->fd, LULL_EXTMAP_AUTO, 0, SIZE, &map) < 0)
		return;
	kind = lull_extmap_kind(map);
	lull_extmap_close(map);
	/* A tmpfs has no FIEMAP. */
	if (kind != LULL_EXTMAP_FIEMAP)
		return;
	memset(block, 'x', sizeof(block));
	assert_true(asprintf(&path, "%s/spread", file->dir) > 0);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	for (uint64_t off = 0; off < SIZE;
	     off += off >= 8 * MIB && off < 12 * MIB ? 8 << 10 : 64 << 10)
		assert_int_equal(pwrite(fd, block, sizeof(block), (off_t)off),
				 sizeof(block));
	assert_int_equal(ftruncate(fd, 4 * SIZE), 0);
	assert_int_equal(fsync(fd), 0);
	assert_int_equal(lull_extmap_open(fd, LULL_EXTMAP_FIEMAP, 0, 4 * SIZE, &map), 0);
	assert_int_equal(lull_extmap_sparse_until(map, 0, 8 * MIB, &spacing), 8 * MIB);
	/* The look at 8 MiB is the first to meet the dense part. */
	assert_int_equal(lull_extmap_sparse_until(map, 0, SIZE, &spacing), 8 * MIB);
	assert_int_equal(lull_extmap_sparse_until(map, 9 * MIB, SIZE, &spacing), 9 * MIB);
	/* Only a hole follows the last block. */
	assert_int_equal(lull_extmap_sparse_until(map, 12 * MIB, 4 * SIZE, &spacing),
			 4 * SIZE);
	spacing.least = 100 << 10;
	assert_int_equal(lull_extmap_sparse_until(map, 0, SIZE, &spacing), 0);
	lull_extmap_close(map);
	(void)close(fd);
	assert_int_equal(unlink(path), 0);
	free(path);
}

static void test_empty_and_bad(void **state)
{
	const struct file *file = *state;
	struct lull_extmap *map = NULL;
	struct lull_cursor cursor;
	struct lull_extent e;
	char *path;
	int fd;

	assert_true(asprintf(&path, "%s/empty", file->dir) > 0);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(lull_extmap_open(fd, LULL_EXTMAP_SEEK, 0, 0, &map), 0);
	cursor = lull_extmap_cursor(map);
	assert_int_equal(cursor.next(cursor.ctx, &e), 0);
	lull_extmap_close(map);

	/* Without data, a file is one hole whatever its size. */
	assert_int_equal(ftruncate(fd, SIZE), 0);
	assert_int_equal(lull_extmap_open(fd, LULL_EXTMAP_SEEK, 0, SIZE, &map), 0);
	cursor = lull_extmap_cursor(map);
	assert_in_range(cursor.next(cursor.ctx, &e), 0, !file->sparse);
	lull_extmap_close(map);
	(void)close(fd);
	free(path);

	assert_int_equal(lull_extmap_open(-1, LULL_EXTMAP_SEEK, 0, 4096, &map), 0);
	cursor = lull_extmap_cursor(map);
	assert_int_equal(cursor.next(cursor.ctx, &e), -EBADF);
	lull_extmap_close(map);
	lull_extmap_close(NULL);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_windows),
		cmocka_unit_test(test_random_windows),
		cmocka_unit_test(test_layout),
		cmocka_unit_test(test_sparse_until),
		cmocka_unit_test(test_empty_and_bad),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
