// SPDX-License-Identifier: MIT
/* Hooks: how a command is split, run, bounded in time and told about the clone. */
#include "unit.h"

#include "guard/hook.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>

#define SECOND NSEC_PER_SEC

static char *dir;

static int set_up(void **state UNUSED)
{
	_cleanup_free_ char *path = NULL;

	dir = unit_directory();
	assert_int_equal(setenv("HOOK_DIR", dir, 1), 0);
	/* Not the caller's PATH: a directory in it that may not be searched would turn
	   "not found" into "not permitted". */
	assert_true(asprintf(&path, "%s:/usr/bin:/bin", dir) > 0);
	assert_int_equal(setenv("PATH", path, 1), 0);
	return 0;
}

static int tear_down(void **state UNUSED)
{
	unit_remove(dir);
	return 0;
}

static char *in_dir(const char *name)
{
	char *path;

	assert_true(asprintf(&path, "%s/%s", dir, name) > 0);
	return path;
}

static void write_script(const char *name, const char *body, mode_t mode)
{
	_cleanup_free_ char *path = in_dir(name);
	FILE *out = fopen(path, "w");

	assert_non_null(out);
	assert_true(fprintf(out, "#!/bin/sh\n%s\n", body) > 0);
	assert_int_equal(fclose(out), 0);
	assert_int_equal(chmod(path, mode), 0);
}

/* What the scripts wrote to the file; "" if there is none. */
static const char *written(const char *name)
{
	static char text[8192];
	_cleanup_free_ char *path = in_dir(name);
	FILE *in = fopen(path, "r");
	size_t n = in ? fread(text, 1, sizeof(text) - 1, in) : 0;

	text[n] = '\0';
	if (in)
		(void)fclose(in);
	return text;
}

static const char *const two_sources[] = { "/source one", "-two" };

static const struct lull_hook_facts facts = {
	.sources = two_sources,
	.n_sources = 2,
	.run_id = "run",
	.dest = "/d",
	.checkpoint = "/c",
};

static struct lull_hook_status run_for(const char *command, enum lull_hook_phase phase,
				       uint64_t timeout, int control)
{
	struct lull_hook_status status;
	struct lull_hook *hook = NULL;

	check_int(command, lull_hook_parse(command, NULL, &hook), 0);
	status = lull_hook_run(hook, phase, &facts, timeout, control);
	lull_hook_free(hook);
	return status;
}

static struct lull_hook_status run(const char *command, enum lull_hook_phase phase)
{
	return run_for(command, phase, 20 * SECOND, -1);
}

static void test_parse(void **state UNUSED)
{
	static const struct {
		const char *command;
		const char *words; /* each in <>; NULL: refused */
	} cases[] = {
		{ "show", "<freeze></source one><-two>" },
		{ "  show  a\tb ", "<a><b><freeze></source one><-two>" },
		{ "show 'a b' \"c d\"", "<a b><c d><freeze></source one><-two>" },
		{ "show a\\ b", "<a b><freeze></source one><-two>" },
		{ "show '' \"\"", "<><><freeze></source one><-two>" },
		{ "show $WORD \"$WORDS\"",
		  "<value><two words><freeze></source one><-two>" },
		{ "show $WORDS", "<two><words><freeze></source one><-two>" },
		{ "show '$WORD' \\$WORD", "<$WORD><$WORD><freeze></source one><-two>" },
		{ "show '|;&$(x)`x`'", "<|;&$(x)`x`><freeze></source one><-two>" },
		{ "show \"it's\"", "<it's><freeze></source one><-two>" },
		{ "", NULL },
		{ "   \t ", NULL },
		{ "''", NULL },
		{ "\"\" show", NULL },
		{ "$NOT_THERE", NULL },
		{ "show 'open", NULL },
		{ "show \"open", NULL },
		{ "show $(touch bad)", NULL },
		{ "show `touch bad`", NULL },
		{ "show \"$(touch bad)\"", NULL },
		{ "show \"`touch bad`\"", NULL },
		{ "show; touch bad", NULL },
		{ "show | cat", NULL },
		{ "show & touch bad", NULL },
		{ "show > file", NULL },
		{ "show < file", NULL },
		{ "(show)", NULL },
		{ "show {a}", NULL },
		{ "show\ntouch bad", NULL },
	};

	write_script("show", "exec > \"$HOOK_DIR/words\"\nprintf '<%s>' \"$@\"", 0755);
	assert_int_equal(setenv("WORD", "value", 1), 0);
	assert_int_equal(setenv("WORDS", "two words", 1), 0);
	assert_int_equal(unsetenv("NOT_THERE"), 0);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct lull_hook *hook = NULL;

		if (!cases[i].words) {
			check_int(cases[i].command,
				  lull_hook_parse(cases[i].command, NULL, &hook),
				  -EINVAL);
			check(cases[i].command, hook == NULL);
			continue;
		}
		check_int(cases[i].command, run(cases[i].command, LULL_HOOK_FREEZE).end,
			  LULL_HOOK_OK);
		check_str(cases[i].command, written("words"), cases[i].words);
	}
	lull_hook_free(NULL);
}

static void test_ends(void **state UNUSED)
{
	static const struct {
		const char *name, *body;
		enum lull_hook_end end;
		int code;
	} cases[] = {
		{ "well", "exit 0", LULL_HOOK_OK, 0 },
		{ "one", "exit 1", LULL_HOOK_EXITED, 1 },
		{ "try later", "exit 75", LULL_HOOK_EXITED, 75 },
		{ "largest", "exit 255", LULL_HOOK_EXITED, 255 },
		{ "TERM", "kill -TERM $$", LULL_HOOK_KILLED, SIGTERM },
		{ "KILL", "kill -KILL $$", LULL_HOOK_KILLED, SIGKILL },
		{ "input is empty", "read x && exit 3; exit 4", LULL_HOOK_EXITED, 4 },
		{ "output is the error output",
		  "[ /proc/self/fd/1 -ef /proc/self/fd/2 ] || exit 3", LULL_HOOK_OK, 0 },
		{ "a group of its own",
		  "set -- $(cut -d' ' -f5 /proc/$$/stat); [ \"$1\" = $$ ] || exit 3",
		  LULL_HOOK_OK, 0 },
	};
	_cleanup_free_ char *command = in_dir("ends");

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct lull_hook_status status;

		write_script("ends", cases[i].body, 0755);
		status = run(command, LULL_HOOK_FREEZE);
		check_int(cases[i].name, status.end, cases[i].end);
		check_int(cases[i].name, status.code, cases[i].code);
	}
}

static void test_not_runnable(void **state UNUSED)
{
	_cleanup_free_ char *missing = in_dir("missing"), *plain = in_dir("plain");
	struct lull_hook_status status;

	status = run(missing, LULL_HOOK_FREEZE);
	assert_int_equal(status.end, LULL_HOOK_EXITED);
	assert_int_equal(status.code, 127);
	status = run("lullcp-no-such-command", LULL_HOOK_THAW);
	assert_int_equal(status.end, LULL_HOOK_EXITED);
	assert_int_equal(status.code, 127);
	write_script("plain", "exit 0", 0644);
	status = run(plain, LULL_HOOK_FREEZE);
	assert_int_equal(status.end, LULL_HOOK_EXITED);
	assert_int_equal(status.code, 126);
}

/* What the caller ignores or blocks is as usual in the hook. */
static void test_signals_are_plain(void **state UNUSED)
{
	_cleanup_free_ char *command = in_dir("signals");
	struct sigaction ignore = { .sa_handler = SIG_IGN }, before;
	sigset_t block, mask;
	struct lull_hook_status status;

	write_script("signals", "kill -PIPE $$\nkill -HUP $$\nexit 3", 0755);
	(void)sigemptyset(&block);
	(void)sigaddset(&block, SIGHUP);
	(void)sigprocmask(SIG_BLOCK, &block, &mask);
	(void)sigaction(SIGPIPE, &ignore, &before);
	status = run(command, LULL_HOOK_FREEZE);
	(void)sigaction(SIGPIPE, &before, NULL);
	(void)sigprocmask(SIG_SETMASK, &mask, NULL);
	assert_int_equal(status.end, LULL_HOOK_KILLED);
	assert_int_equal(status.code, SIGPIPE);
}

/* Gone, or a zombie whose new parent has not looked yet; waits a bit for that. */
static bool is_gone(pid_t pid)
{
	for (unsigned int i = 0; i < 200; i++) {
		char path[64], state = 'Z';
		FILE *in;

		(void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
		in = fopen(path, "r");
		if (!in)
			return true;
		if (fscanf(in, "%*d (%*[^)]) %c", &state) != 1)
			state = 'Z';
		(void)fclose(in);
		if (state == 'Z' || state == 'X')
			return true;
		(void)usleep(10000);
	}
	return false;
}

static void test_timeout(void **state UNUSED)
{
	static const struct {
		const char *name, *body;
		double least, most; /* seconds */
	} cases[] = {
		{ "plain", "sleep 100 & echo $$ $! > \"$HOOK_DIR/pids\"; wait", 0.25,
		  1.2 },
		{ "exec", "echo $$ $$ > \"$HOOK_DIR/pids\"; exec sleep 100", 0.25, 1.2 },
		{ "ignores TERM",
		  "trap '' TERM; sleep 100 & echo $$ $! > \"$HOOK_DIR/pids\"; wait; wait",
		  1.2, 2.4 },
		{ "only its child ignores TERM",
		  "(trap '' TERM; exec sleep 100) & echo $$ $! > \"$HOOK_DIR/pids\"; "
		  "sleep 100",
		  0.25, 2.4 },
	};
	_cleanup_free_ char *command = in_dir("timeout");

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		double before = unit_now(), took;
		struct lull_hook_status status;
		int leader = 0, child = 0;

		write_script("timeout", cases[i].body, 0755);
		status = run_for(command, LULL_HOOK_FREEZE, 300 * NSEC_PER_MSEC, -1);
		took = unit_now() - before;
		check_int(cases[i].name, status.end, LULL_HOOK_TIMEOUT);
		if (took < cases[i].least || took > cases[i].most)
			fail_msg("%s: took %.3f s", cases[i].name, took);
		check_int(cases[i].name,
			  sscanf(written("pids"), "%d %d", &leader, &child), 2);
		check(cases[i].name, is_gone(leader));
		check(cases[i].name, is_gone(child));
	}
}

/* SIGTERM comes first, so that a hook can undo what it began. */
static void test_grace(void **state UNUSED)
{
	_cleanup_free_ char *command = in_dir("grace");
	struct lull_hook_status status;

	write_script("grace",
		     "trap 'echo undone > \"$HOOK_DIR/grace.log\"; exit 0' TERM\n"
		     "sleep 100 & wait",
		     0755);
	status = run_for(command, LULL_HOOK_FREEZE, 300 * NSEC_PER_MSEC, -1);
	assert_int_equal(status.end, LULL_HOOK_TIMEOUT);
	assert_string_equal(written("grace.log"), "undone\n");
}

static void test_no_timeout(void **state UNUSED)
{
	struct lull_hook_status status = run_for("true", LULL_HOOK_FREEZE, UINT64_MAX,
						 -1);

	assert_int_equal(status.end, LULL_HOOK_OK);
}

static void test_control(void **state UNUSED)
{
	static const struct {
		const char *name;
		bool byte; /* something to read, or end of file */
	} cases[] = { { "readable", true }, { "end of file", false } };
	_cleanup_free_ char *command = in_dir("control");

	write_script("control", "exec sleep 100", 0755);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		double before = unit_now();
		struct lull_hook_status status;
		int pair[2];

		assert_int_equal(pipe2(pair, O_CLOEXEC), 0);
		if (cases[i].byte)
			check_int(cases[i].name, write(pair[1], "x", 1), 1);
		else
			(void)close(pair[1]);
		status = run_for(command, LULL_HOOK_FREEZE, 50 * SECOND, pair[0]);
		check_int(cases[i].name, status.end, LULL_HOOK_ABORTED);
		check(cases[i].name, unit_now() - before < 3);
		(void)close(pair[0]);
		if (cases[i].byte)
			(void)close(pair[1]);
	}
}

/* A control descriptor on which nothing happens changes nothing. */
static void test_quiet_control(void **state UNUSED)
{
	int pair[2];

	assert_int_equal(pipe2(pair, O_CLOEXEC), 0);
	assert_int_equal(run_for("true", LULL_HOOK_FREEZE, 20 * SECOND, pair[0]).end,
			 LULL_HOOK_OK);
	(void)close(pair[0]);
	(void)close(pair[1]);
}

#define LOGS "echo \"$1 ${0##*/}\" >> \"$HOOK_DIR/order\"\n"

static void test_directory(void **state UNUSED)
{
	static const struct {
		const char *name;
		mode_t mode;
	} files[] = {
		{ "d/10-first", 0755 },        { "d/20-second", 0755 },
		{ "d/30-third", 0755 },        { "d/.hidden", 0755 },
		{ "d/15-edited~", 0755 },      { "d/15-saved.bak", 0755 },
		{ "d/15-patched.orig", 0755 }, { "d/15.rpmsave", 0755 },
		{ "d/15.rpmnew", 0755 },       { "d/15.dpkg-old", 0755 },
		{ "d/15.dpkg-dist", 0755 },    { "d/15-not-executable", 0644 },
	};
	static const struct {
		const char *name;
		const char *broken; /* the script that fails */
		enum lull_hook_phase phase;
		const char *order;
		int code; /* exit status, 0: well */
	} cases[] = {
		{ "freeze", NULL, LULL_HOOK_FREEZE,
		  "freeze 10-first\nfreeze 20-second\nfreeze 30-third\n", 0 },
		{ "thaw in reverse", NULL, LULL_HOOK_THAW,
		  "thaw 30-third\nthaw 20-second\nthaw 10-first\n", 0 },
		{ "freeze ends at the first that fails", "d/20-second", LULL_HOOK_FREEZE,
		  "freeze 10-first\nfreeze 20-second\n", 7 },
		{ "thaw runs them all", "d/20-second", LULL_HOOK_THAW,
		  "thaw 30-third\nthaw 20-second\nthaw 10-first\n", 7 },
	};
	_cleanup_free_ char *path = in_dir("d"), *sub = in_dir("d/17-directory");
	_cleanup_free_ char *order = in_dir("order");

	assert_int_equal(mkdir(path, 0755), 0);
	assert_int_equal(mkdir(sub, 0755), 0);
	/* What runs nothing has frozen nothing, and has thawed nothing. */
	for (unsigned int i = 0; i < 2; i++) {
		struct lull_hook_status status = run(path, i ? LULL_HOOK_THAW
							     : LULL_HOOK_FREEZE);

		assert_int_equal(status.end, LULL_HOOK_ERROR);
		assert_int_equal(status.code, ENODATA);
		assert_true(status.not_started);
		write_script("d/15-not-executable", "exit 0", 0644);
	}
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct lull_hook_status status;

		for (size_t j = 0; j < ARRAY_SIZE(files); j++)
			write_script(files[j].name, LOGS, files[j].mode);
		if (cases[i].broken)
			write_script(cases[i].broken, LOGS "exit 7", 0755);
		(void)unlink(order);
		status = run(path, cases[i].phase);
		check_str(cases[i].name, written("order"), cases[i].order);
		check_int(cases[i].name, status.end,
			  cases[i].code ? LULL_HOOK_EXITED : LULL_HOOK_OK);
		check_int(cases[i].name, status.code, cases[i].code);
	}
}

static void test_environment(void **state UNUSED)
{
	static const char *const sources[] = { "/s" };
	static const struct {
		const char *name;
		enum lull_hook_phase phase;
		struct lull_hook_facts facts;
		const char *wanted;
	} cases[] = {
		{ "freeze",
		  LULL_HOOK_FREEZE,
		  { .run_id = "id", .dest = "/d d", .checkpoint = "/c", .result = "ok" },
		  "LULLCP_CHECKPOINT=/c\nLULLCP_DEST=/d d\nLULLCP_MAX_FREEZE_MS=\n"
		  "LULLCP_PHASE=freeze\nLULLCP_QMP_SOCKET=/q\nLULLCP_RESUMED=0\n"
		  "LULLCP_RUN_ID=id\n" },
		{ "thaw",
		  LULL_HOOK_THAW,
		  { .run_id = "id",
		    .dest = "/d",
		    .checkpoint = "/c",
		    .result = "failed",
		    .max_freeze_ns = 1500 * NSEC_PER_MSEC,
		    .resumed = true },
		  "LULLCP_CHECKPOINT=/c\nLULLCP_DEST=/d\nLULLCP_MAX_FREEZE_MS=1500\n"
		  "LULLCP_PHASE=thaw\nLULLCP_QMP_SOCKET=/q\nLULLCP_RESULT=failed\n"
		  "LULLCP_RESUMED=1\nLULLCP_RUN_ID=id\n" },
		{ "thaw without a result",
		  LULL_HOOK_THAW,
		  { .run_id = "id", .dest = "/d", .checkpoint = "/c" },
		  "LULLCP_CHECKPOINT=/c\nLULLCP_DEST=/d\nLULLCP_MAX_FREEZE_MS=\n"
		  "LULLCP_PHASE=thaw\nLULLCP_QMP_SOCKET=/q\nLULLCP_RESUMED=0\n"
		  "LULLCP_RUN_ID=id\n" },
	};
	_cleanup_free_ char *command = in_dir("environment");

	write_script("environment",
		     "[ \"$LULLCP_HOOK_PID\" = $$ ] || exit 3\n"
		     "env | grep ^LULLCP_ | grep -v ^LULLCP_HOOK_PID= | LC_ALL=C sort > "
		     "\"$HOOK_DIR/env\"\n"
		     "[ \"$HOME_OF_TEST\" = here ]",
		     0755);
	/* Of ours, what is not lullcp's own goes on; what is would mislead. */
	assert_int_equal(setenv("HOME_OF_TEST", "here", 1), 0);
	assert_int_equal(setenv("LULLCP_PHASE", "stale", 1), 0);
	assert_int_equal(setenv("LULLCP_RESULT", "stale", 1), 0);
	assert_int_equal(setenv("LULLCP_OTHER", "stale", 1), 0);
	assert_int_equal(setenv("LULLCP_QMP_SOCKET", "/q", 1), 0);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct lull_hook_facts told = cases[i].facts;
		struct lull_hook *hook = NULL;
		struct lull_hook_status status;

		told.sources = sources;
		told.n_sources = 1;
		check_int(cases[i].name, lull_hook_parse(command, NULL, &hook), 0);
		status = lull_hook_run(hook, cases[i].phase, &told, 20 * SECOND, -1);
		check_int(cases[i].name, status.end, LULL_HOOK_OK);
		check_str(cases[i].name, written("env"), cases[i].wanted);
		lull_hook_free(hook);
	}
}

/* What a checkpoint gets: the hook as it can be called from anywhere, if that can be
   said; else as it was given. */
static void test_record(void **state UNUSED)
{
	_cleanup_free_ char *gone = in_dir("gone");
	const struct {
		const char *name, *command, *directory;
		const char *at; /* where it is resolved */
		const char *wanted, *wanted_directory;
	} cases[] = {
		{ "by its name", "tool 'a b' *.no", NULL, dir, "tool 'a b' '*.no'", dir },
		{ "by a path", "././/tool \"it's\"", NULL, dir, "tool 'it'\\''s'", dir },
		{ "the directory is gone", "./tool a", NULL, gone, "./tool a", NULL },
		{ "not found", "no-tool a", NULL, dir, "no-tool a", NULL },
		{ "as it was recorded", "tool  a", "/else", NULL, "tool  a", "/else" },
	};

	write_script("tool", ":", 0755);
	assert_int_equal(mkdir(gone, 0755), 0);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_free_ char *command = strdup("old"), *directory = strdup("old");
		_cleanup_free_ char *files = strdup("old");
		const char *text;
		struct lull_hook *hook = NULL;
		bool whole = cases[i].wanted_directory == dir;

		check_int(cases[i].name,
			  lull_hook_parse(cases[i].command, cases[i].directory, &hook),
			  0);
		check_str(cases[i].name, lull_hook_text(hook), cases[i].command);
		if (cases[i].at) {
			assert_int_equal(chdir(cases[i].at), 0);
			if (cases[i].at == gone)
				assert_int_equal(rmdir(gone), 0);
			check_int(cases[i].name, lull_hook_resolve(hook), 0);
		}
		check_int(cases[i].name,
			  lull_hook_record(hook, &command, &directory, &files), 0);
		text = command;
		if (whole) {
			check(cases[i].name, strncmp(text, dir, strlen(dir)) == 0);
			text += strlen(dir) + 1;
		}
		check_str(cases[i].name, text, cases[i].wanted);
		check(cases[i].name, !directory == !cases[i].wanted_directory);
		if (directory)
			check_str(cases[i].name, directory, cases[i].wanted_directory);
		check(cases[i].name, !files);
		lull_hook_free(hook);
	}
	assert_int_equal(chdir("/"), 0);
}

/* A later run thaws by what a checkpoint says of a directory: what was there is
   missed. */
static void test_recorded_directory(void **state UNUSED)
{
	static const struct {
		const char *name, *gone, *added, *order;
		enum lull_hook_end end;
	} cases[] = {
		{ "as it was", NULL, NULL, "thaw 20\nthaw 10\n", LULL_HOOK_OK },
		{ "one more", NULL, "recorded.d/15", "thaw 20\nthaw 15\nthaw 10\n",
		  LULL_HOOK_OK },
		{ "the last is gone", "recorded.d/20", NULL, "thaw 10\n",
		  LULL_HOOK_EXITED },
		{ "the first is gone", "recorded.d/10", NULL, "thaw 20\n",
		  LULL_HOOK_EXITED },
	};
	_cleanup_free_ char *path = in_dir("recorded.d"), *order = in_dir("order");

	assert_int_equal(mkdir(path, 0755), 0);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_free_ char *command = NULL, *directory = NULL, *files = NULL;
		_cleanup_free_ char *gone = in_dir(cases[i].gone ? cases[i].gone : "no"),
				    *added = in_dir(cases[i].added ? cases[i].added
								   : "no");
		static const char *const sources[] = { "/s" };
		const struct lull_hook_facts told = { .sources = sources,
						      .n_sources = 1 };
		struct lull_hook *hook = NULL;
		struct lull_hook_status status;

		write_script("recorded.d/10", LOGS, 0755);
		write_script("recorded.d/20", LOGS, 0755);
		assert_int_equal(lull_hook_parse(path, NULL, &hook), 0);
		assert_int_equal(lull_hook_resolve(hook), 0);
		assert_int_equal(lull_hook_record(hook, &command, &directory, &files), 0);
		check_str(cases[i].name, files, "10/20/");
		lull_hook_free(hook);

		if (cases[i].gone)
			assert_int_equal(unlink(gone), 0);
		if (cases[i].added)
			write_script(cases[i].added, LOGS, 0755);
		(void)unlink(order);
		assert_int_equal(lull_hook_parse(command, directory, &hook), 0);
		check(cases[i].name, lull_hook_is_recorded(hook, command));
		check(cases[i].name, !lull_hook_is_recorded(hook, "true"));
		assert_int_equal(lull_hook_expect(hook, files), 0);
		/* By a keeper too, which notes what there is. */
		if (i % 2)
			lull_hook_remember(hook);
		status = lull_hook_run(hook, LULL_HOOK_THAW, &told, 20 * SECOND, -1);
		check_str(cases[i].name, written("order"), cases[i].order);
		check_int(cases[i].name, status.end, cases[i].end);
		lull_hook_free(hook);
		(void)unlink(added);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_recorded_directory),
		cmocka_unit_test(test_ends),
		cmocka_unit_test(test_not_runnable),
		cmocka_unit_test(test_signals_are_plain),
		cmocka_unit_test(test_timeout),
		cmocka_unit_test(test_grace),
		cmocka_unit_test(test_no_timeout),
		cmocka_unit_test(test_control),
		cmocka_unit_test(test_quiet_control),
		cmocka_unit_test(test_directory),
		cmocka_unit_test(test_environment),
		cmocka_unit_test(test_record),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
