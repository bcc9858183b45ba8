// SPDX-License-Identifier: MIT
/* Names of backups, and who gets them. */
#include "unit.h"

#include "engine/file/backup.h"
#include "util/macros.h"

#include <fcntl.h>
#include <sys/stat.h>

struct place {
	char *path;
	int dir;
};

static void make(const struct place *p, const char *name, const char *text)
{
	int fd = openat(p->dir, name, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(close(fd), 0);
}

static bool holds(const struct place *p, const char *name, const char *text)
{
	char room[32] = "";
	int fd = openat(p->dir, name, O_RDONLY);
	bool same = fd >= 0 && read(fd, room, sizeof(room) - 1) >= 0 &&
		    strcmp(room, text) == 0;

	if (fd >= 0)
		(void)close(fd);
	return same;
}

static int set_up(void **state)
{
	static struct place place;

	place.path = unit_directory();
	place.dir = open(place.path, O_RDONLY | O_DIRECTORY);
	*state = &place;
	return place.dir < 0;
}

static int tear_down(void **state)
{
	struct place *p = *state;

	(void)close(p->dir);
	unit_remove(p->path);
	return 0;
}

#define LONG(n) [0 ...(n) - 1] = 'x', [n] = '\0'

static void names(void **state)
{
	static const struct {
		const char *what, *there[4], *name;
		enum lull_backup how;
		const char *suffix, *backup;
	} rows[] = {
		{ "simple", { NULL }, "a", LULL_BACKUP_SIMPLE, "~", "a~" },
		{ "suffix", { NULL }, "a", LULL_BACKUP_SIMPLE, ".orig", "a.orig" },
		{ "simple beside numbers",
		  { "a.~3~" },
		  "a",
		  LULL_BACKUP_SIMPLE,
		  "~",
		  "a~" },
		{ "existing, none", { NULL }, "a", LULL_BACKUP_EXISTING, ".b", "a.b" },
		{ "existing, a simple one",
		  { "a~" },
		  "a",
		  LULL_BACKUP_EXISTING,
		  "~",
		  "a~" },
		{ "existing, numbers",
		  { "a.~1~" },
		  "a",
		  LULL_BACKUP_EXISTING,
		  ".b",
		  "a.~2~" },
		{ "existing, of another",
		  { "b.~1~" },
		  "a",
		  LULL_BACKUP_EXISTING,
		  "~",
		  "a~" },
		{ "numbered, none", { NULL }, "a", LULL_BACKUP_NUMBERED, "~", "a.~1~" },
		{ "numbered, a gap",
		  { "a.~1~", "a.~7~" },
		  "a",
		  LULL_BACKUP_NUMBERED,
		  "~",
		  "a.~8~" },
		{ "numbered, by number",
		  { "a.~9~", "a.~10~" },
		  "a",
		  LULL_BACKUP_NUMBERED,
		  "~",
		  "a.~11~" },
		{ "numbered, no numbers",
		  { "a.~x~", "a.~01~" },
		  "a",
		  LULL_BACKUP_NUMBERED,
		  "~",
		  "a.~1~" },
		{ "below", { NULL }, "d/a", LULL_BACKUP_NUMBERED, "~", "d/a.~1~" },
		{ "of a backup",
		  { "a.~1~", "a.~1~.~2~" },
		  "a.~1~",
		  LULL_BACKUP_EXISTING,
		  "~",
		  "a.~1~.~3~" },
	};
	const struct place *p = *state;

	assert_int_equal(mkdirat(p->dir, "d", 0700), 0);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char *backup = NULL;

		for (size_t j = 0; rows[i].there[j]; j++)
			make(p, rows[i].there[j], "");
		check_int(rows[i].what,
			  lull_backup_name(p->dir, rows[i].name, rows[i].how,
					   rows[i].suffix, &backup),
			  0);
		check_str(rows[i].what, backup, rows[i].backup);
		free(backup);
		for (size_t j = 0; rows[i].there[j]; j++)
			assert_int_equal(unlinkat(p->dir, rows[i].there[j], 0), 0);
	}
}

static void long_names(void **state)
{
	static const char full[] = { LONG(255) }, nearly[] = { LONG(254) };
	const struct place *p = *state;
	char *backup = NULL;

	assert_int_equal(lull_backup_name(p->dir, full, LULL_BACKUP_SIMPLE, "~", &backup),
			 0);
	assert_true(strlen(backup) <= 255);
	assert_int_equal(backup[strlen(backup) - 1], '~');
	free(backup);
	/* One that has room for the suffix has it. */
	assert_int_equal(lull_backup_name(p->dir, nearly, LULL_BACKUP_SIMPLE, "~",
					  &backup),
			 0);
	assert_int_equal(strlen(backup), 255);
	free(backup);
	/* One that has not, with another suffix, is replaced like any simple one. */
	for (int i = 0; i < 2; i++) {
		make(p, nearly, "old");
		assert_int_equal(lull_backup_make(p->dir, nearly, LULL_BACKUP_EXISTING,
						  ".bak", &backup),
				 0);
		assert_non_null(backup);
		assert_true(holds(p, backup, "old"));
		free(backup);
	}
}

static void a_directory_that_is_not_there(void **state)
{
	const struct place *p = *state;
	char *backup = NULL;

	assert_int_equal(lull_backup_name(p->dir, "no/a", LULL_BACKUP_NUMBERED, "~",
					  &backup),
			 -ENOENT);
	assert_null(backup);
	/* A simple name can still be given. */
	assert_int_equal(lull_backup_name(p->dir, "no/a", LULL_BACKUP_EXISTING, "~",
					  &backup),
			 0);
	assert_string_equal(backup, "no/a~");
	free(backup);
}

static void moved(void **state)
{
	const struct place *p = *state;
	char *backup = NULL;

	make(p, "a", "one");
	make(p, "a~", "older");
	assert_int_equal(lull_backup_make(p->dir, "a", LULL_BACKUP_SIMPLE, "~", &backup),
			 0);
	assert_string_equal(backup, "a~");
	assert_true(holds(p, "a~", "one"));
	assert_int_equal(faccessat(p->dir, "a", F_OK, 0), -1);
	free(backup);
	/* Gone already: there is nothing to keep. */
	assert_int_equal(lull_backup_make(p->dir, "a", LULL_BACKUP_SIMPLE, "~", &backup),
			 0);
	assert_null(backup);
	assert_true(holds(p, "a~", "one"));
}

static void linked(void **state)
{
	const struct place *p = *state;
	char *backup = strdup("a~");

	/* A simple one takes the place of an older one, and the name stays. */
	make(p, "a", "one");
	make(p, "a~", "older");
	assert_int_equal(lull_backup_link(p->dir, "a", LULL_BACKUP_SIMPLE, "~", &backup),
			 0);
	assert_string_equal(backup, "a~");
	assert_true(holds(p, "a", "one") && holds(p, "a~", "one"));
	/* Again: both are one file now. */
	assert_int_equal(lull_backup_link(p->dir, "a", LULL_BACKUP_SIMPLE, "~", &backup),
			 0);
	assert_true(holds(p, "a", "one") && holds(p, "a~", "one"));
	free(backup);
	/* A number that was taken meanwhile is left alone. */
	backup = strdup("a.~1~");
	make(p, "a.~1~", "theirs");
	assert_int_equal(lull_backup_link(p->dir, "a", LULL_BACKUP_NUMBERED, "~",
					  &backup),
			 0);
	assert_string_equal(backup, "a.~2~");
	assert_true(holds(p, "a.~1~", "theirs") && holds(p, "a.~2~", "one"));
	free(backup);
	backup = strdup("no~");
	assert_int_equal(lull_backup_link(p->dir, "no", LULL_BACKUP_SIMPLE, "~", &backup),
			 0);
	assert_int_equal(faccessat(p->dir, "no~", F_OK, 0), -1);
	free(backup);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(names, set_up, tear_down),
		cmocka_unit_test_setup_teardown(long_names, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_directory_that_is_not_there, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(moved, set_up, tear_down),
		cmocka_unit_test_setup_teardown(linked, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
