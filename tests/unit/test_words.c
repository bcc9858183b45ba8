// SPDX-License-Identifier: MIT
/* Exit statuses, sentences, and numbers for people. */
#include "unit.h"

#include "util/macros.h"
#include "words.h"

static void test_exit_status(void **state UNUSED)
{
	static const struct {
		enum lull_outcome outcome;
		int status;
		const char *result;
	} cases[] = {
		{ LULL_OK, 0, "ok" },
		{ LULL_FAILED, 1, "failed" },
		{ LULL_STOPPED, 3, "stopped" },
		{ LULL_FREEZE_FAILED, 5, "freeze_failed" },
		{ LULL_THAW_FAILED, 6, "thaw_failed" },
		{ LULL_WRITTEN, 8, "written" },
		{ LULL_DIFFERENT, 4, "different" },
		{ LULL_BUSY, 11, "busy" },
		{ LULL_SKIPPED, 75, "skipped" },
		/* The status of a run that no signal ended, though it was asked to stop.
		 */
		{ LULL_INTERRUPTED, 1, "interrupted" },
	};

	assert_int_equal(ARRAY_SIZE(cases), LULL_INTERRUPTED + 1);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		check_int(cases[i].result, cases[i].outcome, (int)cases[i].outcome);
		check_int(cases[i].result, words_exit_status(cases[i].outcome),
			  cases[i].status);
		check_str(cases[i].result, words_result(cases[i].outcome),
			  cases[i].result);
	}
}

static void check_failure(enum lull_outcome outcome, const struct lull_failure *failure)
{
	const char *advice = "unset";
	char *message = NULL;

	words_failure(outcome, failure, &message, &advice);
	if (!message || !*message || strchr(message, '\n') || strstr(message, "(null)"))
		fail_msg("outcome %d, stage %d, cause %d: \"%s\"", outcome,
			 failure->stage, failure->cause, message ? message : "(none)");
	/* A message goes on after the program's name, advice is a sentence of its own. */
	if (advice && (!*advice || advice[strlen(advice) - 1] != '.'))
		fail_msg("outcome %d, stage %d, cause %d: \"%s\"", outcome,
			 failure->stage, failure->cause, advice);
	free(message);
}

static void test_every_failure(void **state UNUSED)
{
	static char name[] = "/srv/vm/it's.img", other[] = "/srv/vm/new\nline";
	static char *const paths[] = { NULL, name };

	for (int outcome = LULL_OK; outcome <= LULL_INTERRUPTED; outcome++) {
		for (int stage = LULL_STAGE_NONE; stage <= LULL_STAGE_PUBLISH; stage++) {
			for (int cause = LULL_CAUSE_ERRNO; cause <= LULL_CAUSE_MAX_FREEZE;
			     cause++) {
				for (size_t i = 0; i < ARRAY_SIZE(paths) * 2; i++) {
					struct lull_failure failure = {
						.stage = (enum lull_stage)stage,
						.cause = (enum lull_cause)cause,
						.err = i % 2 ? ENOSPC : 0,
						.detail = (int)(i % 2) * 127,
						.off = UINT64_MAX,
						.len = UINT64_MAX,
						.path = paths[i / 2],
						.path2 = i == 3 ? other : NULL,
					};

					check_failure((enum lull_outcome)outcome,
						      &failure);
				}
			}
		}
	}
}

static void test_sentences(void **state UNUSED)
{
	static char from[] = "/a/src", to[] = "/a/dst";
	static const struct {
		const char *name;
		enum lull_outcome outcome;
		struct lull_failure failure;
		const char *message;
		bool advice;
	} cases[] = {
		{ "open",
		  LULL_FAILED,
		  { .stage = LULL_STAGE_OPEN_SOURCE, .err = EACCES, .path = from },
		  "cannot open '/a/src' for reading: Permission denied",
		  false },
		{ "clone",
		  LULL_FAILED,
		  { .stage = LULL_STAGE_CLONE,
		    .cause = LULL_CAUSE_FULL,
		    .err = ENOSPC,
		    .off = 8192,
		    .len = 4096,
		    .path = to,
		    .path2 = from },
		  "failed to clone '/a/dst' from '/a/src': No space left on device, in "
		  "the 4096 bytes at 8192",
		  true },
		{ "directory",
		  LULL_FAILED,
		  { .stage = LULL_STAGE_STAT_SOURCE,
		    .cause = LULL_CAUSE_IS_DIRECTORY,
		    .path = from },
		  "-r not specified; omitting directory '/a/src'",
		  false },
		{ "same file",
		  LULL_FAILED,
		  { .stage = LULL_STAGE_STAT_DEST,
		    .cause = LULL_CAUSE_SAME_FILE,
		    .path = from,
		    .path2 = to },
		  "'/a/src' and '/a/dst' are the same file",
		  false },
		{ "busy",
		  LULL_BUSY,
		  { .stage = LULL_STAGE_LOCK, .err = EWOULDBLOCK, .path = to },
		  "another lullcp is at work on '/a/dst'",
		  true },
		{ "frozen by another",
		  LULL_BUSY,
		  { .stage = LULL_STAGE_LOCK,
		    .cause = LULL_CAUSE_SOURCE_FROZEN,
		    .path = from },
		  "another lullcp has frozen '/a/src' for a clone of its own",
		  true },
		{ "hook status",
		  LULL_FREEZE_FAILED,
		  { .stage = LULL_STAGE_HOOK,
		    .cause = LULL_CAUSE_HOOK_STATUS,
		    .detail = 4,
		    .path = to },
		  "cannot freeze: the hook '/a/dst' failed with exit status 4",
		  false },
		{ "hook missing",
		  LULL_THAW_FAILED,
		  { .stage = LULL_STAGE_HOOK,
		    .cause = LULL_CAUSE_HOOK_STATUS,
		    .detail = 127,
		    .path = to },
		  "cannot thaw: the hook '/a/dst' was not found",
		  true },
		{ "freeze and thaw",
		  LULL_THAW_FAILED,
		  { .stage = LULL_STAGE_HOOK,
		    .cause = LULL_CAUSE_HOOK_SIGNAL,
		    .detail = 9,
		    .path = to,
		    .had_failed = true,
		    .had_cause = LULL_CAUSE_HOOK_TIMEOUT },
		  "cannot freeze: the hook '/a/dst' took too long and was killed "
		  "(--hook-timeout, "
		  "--max-freeze); then cannot thaw: the hook '/a/dst' was killed by "
		  "signal 9",
		  true },
		{ "hook running",
		  LULL_THAW_FAILED,
		  { .stage = LULL_STAGE_HOOK,
		    .cause = LULL_CAUSE_HOOK_RUNNING,
		    .detail = 7,
		    .path = to },
		  "cannot thaw: the hook '/a/dst' of the interrupted run is still "
		  "running, as process 7",
		  true },
		{ "skipped",
		  LULL_SKIPPED,
		  { .stage = LULL_STAGE_HOOK,
		    .cause = LULL_CAUSE_HOOK_STATUS,
		    .detail = 75,
		    .path = to },
		  "the hook '/a/dst' asks to try later; nothing was done",
		  false },
		{ "writers",
		  LULL_STOPPED,
		  { .cause = LULL_CAUSE_WRITERS, .path = from },
		  "'/a/src' was written to meanwhile; nothing was published",
		  true },
		{ "stores",
		  LULL_STOPPED,
		  { .cause = LULL_CAUSE_STORES, .path = from },
		  "'/a/src' was written to meanwhile; nothing was published",
		  true },
		{ "written while frozen",
		  LULL_WRITTEN,
		  { .cause = LULL_CAUSE_WRITERS, .path = from },
		  "'/a/src' was written to while it was frozen; nothing was published",
		  true },
		{ "damaged",
		  LULL_FAILED,
		  { .stage = LULL_STAGE_CHECKPOINT,
		    .cause = LULL_CAUSE_CHECKPOINT_DAMAGED,
		    .path = to },
		  "'/a/dst' is damaged, or is not a checkpoint",
		  true },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *advice;
		char *message;

		words_failure(cases[i].outcome, &cases[i].failure, &message, &advice);
		check_str(cases[i].name, message, cases[i].message);
		check(cases[i].name, (advice != NULL) == cases[i].advice);
		free(message);
	}
}

static void test_warnings(void **state UNUSED)
{
	for (int warning = LULL_WARNING_RESUME_REDO; warning <= LULL_WARNING_CLEANUP;
	     warning++) {
		for (int i = 0; i < 2; i++) {
			char *text = words_warning((enum lull_warning)warning,
						   i ? EIO : 0, i ? "/a/b" : NULL);

			assert_non_null(text);
			assert_true(strlen(text) > 10);
			assert_true((strstr(text, "'/a/b'") != NULL) == (i == 1));
			free(text);
		}
	}
}

static void test_bytes(void **state UNUSED)
{
	static const struct {
		uint64_t bytes;
		const char *text;
	} cases[] = {
		{ 0, "0 B" },
		{ 1, "1 B" },
		{ 1023, "1023 B" },
		{ (1ULL << 20) - 1, "1.0 MiB" },
		{ 1024, "1.0 KiB" },
		{ 1536, "1.5 KiB" },
		{ 10240, "10 KiB" },
		{ 1048576, "1.0 MiB" },
		{ 100ULL << 20, "100 MiB" },
		{ 5ULL << 30, "5.0 GiB" },
		{ 2ULL << 40, "2.0 TiB" },
		{ 3ULL << 50, "3.0 PiB" },
		{ 1ULL << 60, "1.0 EiB" },
		{ UINT64_MAX, "16 EiB" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		check_str(cases[i].text, words_bytes(cases[i].bytes), cases[i].text);
}

static void test_time(void **state UNUSED)
{
	static const struct {
		uint64_t ns;
		const char *text;
	} cases[] = {
		{ 0, "0.0 us" },
		{ 1, "0.0 us" },
		{ 1500, "1.5 us" },
		{ 9900, "9.9 us" },
		{ 150000, "150 us" },
		{ 1500000, "1.5 ms" },
		{ 200000000, "200 ms" },
		{ 1500000000, "1.5 s" },
		{ 42000000000ULL, "42 s" },
		{ 60000000000ULL, "1:00 min" },
		{ 61500000000ULL, "1:01 min" },
		{ 3599000000000ULL, "59:59 min" },
		{ 3600000000000ULL, "1:00 h" },
		{ 36060000000000ULL, "10:01 h" },
		{ UINT64_MAX, "5124095:34 h" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		check_str(cases[i].text, words_time(cases[i].ns), cases[i].text);
}

/* Eight stay valid at a time, of each kind. */
static void test_rings(void **state UNUSED)
{
	const char *bytes[8], *times[8];

	for (uint64_t i = 0; i < 8; i++) {
		bytes[i] = words_bytes(i);
		times[i] = words_time(i * 1000);
	}
	for (int i = 0; i < 8; i++) {
		assert_int_equal(bytes[i][0], '0' + i);
		assert_int_equal(times[i][0], '0' + i);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_exit_status), cmocka_unit_test(test_every_failure),
		cmocka_unit_test(test_sentences),   cmocka_unit_test(test_warnings),
		cmocka_unit_test(test_bytes),       cmocka_unit_test(test_time),
		cmocka_unit_test(test_rings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
