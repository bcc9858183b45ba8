// SPDX-License-Identifier: MIT
/*
 * The record of generations: what is written is read back, what is not exactly one is
 * refused, nothing is handed out with an error, and the file on disk is as it was.
 */
#include "unit.h"

#include "store/generations.h"

#include <fcntl.h>
#include <sys/stat.h>

#define FS "11111111-2222-3333-4444-555555555555"

static char *format_of(const struct lull_generations *list)
{
	char *text = NULL;

	assert_int_equal(lull_generations_format(list, &text), 0);
	return text;
}

static struct lull_generations two(void)
{
	struct lull_generations list = { 0 };
	char plain[] = "img.20261125T030000Z",
	     odd[] = "img\n\xff\xe9'\".20261126T030000Z-1";
	struct lull_generation a = { .name = plain,
				     .fs = FS,
				     .inode = 131,
				     .number = 4294967295,
				     .created = 1795629672047795993 };
	struct lull_generation b = { .name = odd, .inode = INT64_MAX, .pending = true };

	assert_int_equal(lull_generations_add(&list, &a), 0);
	assert_int_equal(lull_generations_add(&list, &b), 0);
	return list;
}

static void reads_back_what_it_wrote(void **state)
{
	struct lull_generations list = two(), read = { 0 };
	_cleanup_free_ char *text = format_of(&list);
	_cleanup_free_ char *again = NULL;

	(void)state;
	assert_int_equal(lull_generations_parse(text, strlen(text), &read), 0);
	assert_int_equal(read.n, 2);
	assert_string_equal(read.item[0].name, list.item[0].name);
	assert_string_equal(read.item[1].name, list.item[1].name);
	assert_string_equal(read.item[0].fs, FS);
	assert_string_equal(read.item[1].fs, "");
	assert_true(read.item[0].inode == 131 && read.item[1].inode == INT64_MAX);
	assert_true(read.item[0].number == 4294967295 && read.item[1].number == 0);
	assert_true(!read.item[0].pending && read.item[1].pending);
	again = format_of(&read);
	assert_string_equal(text, again);
	lull_generations_done(&list);
	lull_generations_done(&read);
}

static void drops_one(void **state)
{
	struct lull_generations list = two();

	(void)state;
	lull_generations_drop(&list, 0);
	assert_int_equal(list.n, 1);
	assert_true(list.item[0].pending);
	lull_generations_drop(&list, 0);
	assert_int_equal(list.n, 0);
	lull_generations_done(&list);
}

static void has_an_end(void **state)
{
	struct lull_generations list = { 0 };
	char name[] = "x";
	struct lull_generation g = { .name = name };

	(void)state;
	for (unsigned int i = 0; i < LULL_GENERATIONS_MOST; i++)
		assert_int_equal(lull_generations_add(&list, &g), 0);
	assert_int_equal(lull_generations_add(&list, &g), -E2BIG);
	lull_generations_done(&list);
}

#define ITEM(inode, name)                                                     \
	"{\"inode\":" inode                                                   \
	",\"generation\":1,\"created_ns\":1,\"pending\":false,\"name\":" name \
	",\"file_system_uuid\":null}"
#define LIST(items) "{\"type\":\"generations\",\"schema\":2,\"generations\":" items "}"

static void refuses_what_is_none(void **state)
{
	static const struct {
		const char *text;
		int r;
	} cases[] = {
		{ "", -EBADMSG },
		{ "null", -EBADMSG },
		{ "[]", -EBADMSG },
		{ "{}", -EBADMSG },
		{ LIST("null"), -EBADMSG },
		{ LIST("{}"), -EBADMSG },
		{ LIST("[1]"), -EBADMSG },
		{ LIST("[{}]"), -EBADMSG },
		{ LIST("[]") "x", -EBADMSG },
		{ LIST("["), -EBADMSG },
		{ "{\"type\":\"checkpoint\",\"schema\":2,\"generations\":[]}", -EBADMSG },
		{ "{\"type\":\"generations\",\"schema\":\"1\",\"generations\":[]}",
		  -EBADMSG },
		{ "{\"type\":\"generations\",\"schema\":3,\"generations\":[]}",
		  -EPROTONOSUPPORT },
		{ "{\"type\":\"generations\",\"schema\":0}", -EPROTONOSUPPORT },
		{ LIST("[" ITEM("-1", "\"a\"") "]"), -EBADMSG },
		{ LIST("[" ITEM("1.5", "\"a\"") "]"), -EBADMSG },
		{ LIST("[" ITEM("\"1\"", "\"a\"") "]"), -EBADMSG },
		{ LIST("[" ITEM("99999999999999999999", "\"a\"") "]"), -EBADMSG },
		{ LIST("[" ITEM("1", "null") "]"), -EBADMSG },
		{ LIST("[" ITEM("1", "\"\"") "]"), -EBADMSG },
		/* never a file elsewhere */
		{ LIST("[" ITEM("1", "\"../a\"") "]"), -EBADMSG },
		{ LIST("[" ITEM("1", "\"/etc/passwd\"") "]"), -EBADMSG },
		{ LIST("[" ITEM("1", "\"..\"") "]"), -EBADMSG },
		{ LIST("[" ITEM("1", "\".\"") "]"), -EBADMSG },
		{ LIST("[" ITEM("1", "\"a\\u0000b\"") "]"), -EBADMSG },
		/* one good, one not */
		{ LIST("[" ITEM("1", "\"a\"") "," ITEM("1", "1") "]"), -EBADMSG },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct lull_generations list = { 0 };
		int r = lull_generations_parse(cases[i].text, strlen(cases[i].text),
					       &list);

		if (r != cases[i].r)
			fail_msg("%s: %d", cases[i].text, r);
		assert_null(list.item);
	}
}

static void takes_what_it_does_not_know(void **state)
{
	static const char text[] = "{\"type\":\"generations\",\"schema\":2,\"later\":{},"
				   "\"generations\":[" ITEM("1", "\"a\"") "]}";
	struct lull_generations list = { 0 };

	(void)state;
	assert_int_equal(lull_generations_parse(text, strlen(text), &list), 0);
	assert_int_equal(list.n, 1);
	lull_generations_done(&list);
}

static void on_disk(void **state)
{
	char dir[] = "/tmp/lullcp-unit.XXXXXX";
	struct lull_generations list = two(), read = { 0 };
	struct stat st;
	int fd, file;

	(void)state;
	assert_non_null(mkdtemp(dir));
	fd = open(dir, O_RDONLY | O_DIRECTORY);
	assert_true(fd >= 0);
	assert_int_equal(lull_generations_load(fd, "r", &read), 0);
	assert_int_equal(read.n, 0);
	assert_int_equal(lull_generations_save(fd, "r", &list), 0);
	assert_int_equal(fstatat(fd, "r", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(lull_generations_load(fd, "r", &read), 0);
	assert_int_equal(read.n, 2);
	lull_generations_done(&read);
	/* others may write to it; and damaged: refused, and left as it is */
	assert_int_equal(fchmodat(fd, "r", 0620, 0), 0);
	assert_int_equal(lull_generations_load(fd, "r", &read), -EPERM);
	assert_int_equal(fchmodat(fd, "r", 0600, 0), 0);
	file = openat(fd, "r", O_WRONLY | O_APPEND);
	assert_int_equal(write(file, "}", 1), 1);
	close(file);
	assert_int_equal(lull_generations_load(fd, "r", &read), -EBADMSG);
	assert_int_equal(fstatat(fd, "r", &st, 0), 0);
	assert_null(read.item);
	assert_int_equal(unlinkat(fd, "r", 0), 0);
	assert_int_equal(symlinkat("elsewhere", fd, "r"), 0);
	assert_int_equal(lull_generations_load(fd, "r", &read), -ELOOP);
	assert_int_equal(lull_generations_save(fd, "r", &list), -EEXIST);
	assert_int_equal(unlinkat(fd, "r", 0), 0);
	/* a copy of a good one is none */
	assert_int_equal(lull_generations_save(fd, "good", &list), 0);
	unit_copy(fd, "good", "r");
	assert_int_equal(lull_generations_load(fd, "r", &read), -ESTALE);
	assert_int_equal(lull_generations_save(fd, "r", &list), -EEXIST);
	assert_int_equal(unlinkat(fd, "r", 0), 0);
	assert_int_equal(unlinkat(fd, "good", 0), 0);
	close(fd);
	assert_int_equal(rmdir(dir), 0);
	lull_generations_done(&list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_back_what_it_wrote),
		cmocka_unit_test(drops_one),
		cmocka_unit_test(has_an_end),
		cmocka_unit_test(refuses_what_is_none),
		cmocka_unit_test(takes_what_it_does_not_know),
		cmocka_unit_test(on_disk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
