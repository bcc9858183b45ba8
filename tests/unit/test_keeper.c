// SPDX-License-Identifier: MIT
/*
 * The keeper: whoever dies, and whenever, a freeze is followed by exactly one thaw.
 *
 * The hook is a script that appends to a log. Where the main process is to be killed, it
 * is a child of the test, and the test adopts the keeper (PR_SET_CHILD_SUBREAPER), so
 * that it can wait for the keeper's end.
 */
#include "unit.h"

#include "guard/keeper.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define ROUNDS 40

struct scene {
	char run_id[32]; /* no other test's, whose hooks would be ended for ours */
	char *dir;
	char *log;
	struct lull_hook *hook;
	struct lull_keeper_setup setup;
	bool give_up; /* what the waiting callback answers */
};

static const char *const sources[] = { "/source" };

static void add_line(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

	if (fd >= 0 && write(fd, text, strlen(text)) < 0)
		abort();
	(void)close(fd);
}

static void orphan_thawed(void *ctx, bool thawed)
{
	const struct scene *scene = ctx;

	add_line(scene->log, thawed ? "orphan ok\n" : "orphan failed\n");
}

static bool waiting(void *ctx)
{
	const struct scene *scene = ctx;

	return scene->give_up;
}

/* The script: logs that it began, does what body says, logs that it ended. */
static void write_hook(const struct scene *scene, const char *freeze, const char *thaw)
{
	char *path;
	FILE *out;

	assert_true(asprintf(&path, "%s/hook", scene->dir) > 0);
	out = fopen(path, "w");
	assert_non_null(out);
	assert_true(fprintf(out,
			    "#!/bin/sh\n"
			    "echo \"$1${LULLCP_RESULT:+ $LULLCP_RESULT}\" >> '%s'\n"
			    "echo $PPID > '%s/keeper'\n"
			    "case $1 in freeze) %s;; thaw) %s;; esac\n",
			    scene->log, scene->dir, freeze, thaw) > 0);
	assert_int_equal(fclose(out), 0);
	assert_int_equal(chmod(path, 0755), 0);
	free(path);
}

static int set_up(void **state)
{
	struct scene *scene = calloc(1, sizeof(*scene));
	char *command;

	scene->dir = unit_directory();
	assert_true(asprintf(&scene->log, "%s/log", scene->dir) > 0);
	assert_true(asprintf(&command, "%s/hook", scene->dir) > 0);
	write_hook(scene, ":", ":");
	assert_int_equal(lull_hook_parse(command, NULL, &scene->hook), 0);
	free(command);
	scene->setup = (struct lull_keeper_setup){
		.hook = scene->hook,
		.facts = { .sources = sources,
			   .n_sources = 1,
			   .run_id = scene->run_id,
			   .dest = "/d",
			   .checkpoint = "/c" },
		.hook_timeout_ns = 20 * NSEC_PER_SEC,
		.orphaned = orphan_thawed,
		.waiting = waiting,
		.ctx = scene,
	};
	(void)snprintf(scene->run_id, sizeof(scene->run_id), "keeper-%d", (int)getpid());
	*state = scene;
	return 0;
}

static int tear_down(void **state)
{
	struct scene *scene = *state;

	lull_hook_free(scene->hook);
	free(scene->log);
	unit_remove(scene->dir);
	free(scene);
	return 0;
}

static const char *log_of(const struct scene *scene)
{
	static char text[4096];
	FILE *in = fopen(scene->log, "r");
	size_t n = in ? fread(text, 1, sizeof(text) - 1, in) : 0;

	text[n] = '\0';
	if (in)
		(void)fclose(in);
	return text;
}

static struct lull_keeper *start(struct scene *scene)
{
	struct lull_keeper *keeper = NULL;

	assert_int_equal(lull_keeper_start(&scene->setup, &keeper), 0);
	return keeper;
}

/* The keeper's pid, as the hook saw it; 0 before it has written that down. */
static pid_t look_for_keeper(const struct scene *scene)
{
	char *path;
	int pid = 0;
	FILE *in;

	if (asprintf(&path, "%s/keeper", scene->dir) < 0)
		return 0;
	in = fopen(path, "r");
	if (in && fscanf(in, "%d", &pid) != 1)
		pid = 0;
	if (in)
		(void)fclose(in);
	free(path);
	return pid;
}

static pid_t keeper_pid(const struct scene *scene)
{
	pid_t pid = look_for_keeper(scene);

	assert_true(pid > 1);
	return pid;
}

static bool let_go_within(struct lull_keeper *keeper, double seconds)
{
	double end = unit_now() + seconds;

	while (unit_now() < end) {
		if (lull_keeper_let_go(keeper))
			return true;
		(void)usleep(2000);
	}
	return false;
}

static void test_freeze_and_thaw(void **state)
{
	static const char *const results[] = { "ok", "failed", "interrupted" };
	struct scene *scene = *state;

	for (size_t i = 0; i < ARRAY_SIZE(results); i++) {
		struct lull_keeper *keeper = start(scene);
		struct lull_keeper_answer answer;
		char wanted[64];

		(void)unlink(scene->log);
		answer = lull_keeper_freeze(keeper);
		check_int(results[i], answer.state, LULL_KEEPER_FROZEN);
		check_int(results[i], answer.freeze.end, LULL_HOOK_OK);
		check_str(results[i], log_of(scene), "freeze\n");
		check(results[i], !lull_keeper_let_go(keeper));
		answer = lull_keeper_thaw(keeper, results[i]);
		check_int(results[i], answer.state, LULL_KEEPER_THAWED);
		check_int(results[i], answer.thaw.end, LULL_HOOK_OK);
		check(results[i], !answer.expired);
		check(results[i], lull_keeper_let_go(keeper));
		/* Asking again does nothing. */
		answer = lull_keeper_thaw(keeper, "again");
		check_int(results[i], answer.state, LULL_KEEPER_THAWED);
		lull_keeper_free(keeper);
		(void)snprintf(wanted, sizeof(wanted), "freeze\nthaw %s\n", results[i]);
		check_str(results[i], log_of(scene), wanted);
	}
}

/* It has thawed, and need only end; but for SIGCONT it would never do so. */
static void test_stopped_at_the_end(void **state)
{
	struct scene *scene = *state;
	struct lull_keeper *keeper;

	assert_int_equal(lull_keeper_start(&scene->setup, &keeper), 0);
	(void)lull_keeper_freeze(keeper);
	assert_int_equal(lull_keeper_thaw(keeper, "ok").state, LULL_KEEPER_THAWED);
	assert_int_equal(kill(keeper_pid(scene), SIGSTOP), 0);
	(void)alarm(60);
	lull_keeper_free(keeper);
	(void)alarm(0);
}

static void test_never_frozen(void **state)
{
	struct scene *scene = *state;

	lull_keeper_free(start(scene));
	lull_keeper_free(NULL);
	assert_string_equal(log_of(scene), "");
}

static void test_free_thaws(void **state)
{
	struct scene *scene = *state;
	struct lull_keeper *keeper = start(scene);

	assert_int_equal(lull_keeper_freeze(keeper).state, LULL_KEEPER_FROZEN);
	lull_keeper_free(keeper);
	assert_string_equal(log_of(scene), "freeze\nthaw failed\n");
}

static void test_freeze_fails(void **state)
{
	static const struct {
		const char *name, *body;
		uint64_t timeout, max_freeze;
		enum lull_hook_end end;
		int code;
	} cases[] = {
		{ "status", "exit 9", 20 * NSEC_PER_SEC, 0, LULL_HOOK_EXITED, 9 },
		{ "signal", "kill -KILL $$", 20 * NSEC_PER_SEC, 0, LULL_HOOK_KILLED,
		  SIGKILL },
		{ "timeout", "exec sleep 100", 200 * NSEC_PER_MSEC, 0, LULL_HOOK_TIMEOUT,
		  0 },
		{ "max-freeze", "exec sleep 100", 20 * NSEC_PER_SEC, 200 * NSEC_PER_MSEC,
		  LULL_HOOK_TIMEOUT, 0 },
	};
	struct scene *scene = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct lull_keeper_answer answer;
		struct lull_keeper *keeper;

		(void)unlink(scene->log);
		write_hook(scene, cases[i].body, ":");
		scene->setup.hook_timeout_ns = cases[i].timeout;
		scene->setup.max_freeze_ns = cases[i].max_freeze;
		keeper = start(scene);
		answer = lull_keeper_freeze(keeper);
		check_int(cases[i].name, answer.state, LULL_KEEPER_THAWED);
		check_int(cases[i].name, answer.freeze.end, cases[i].end);
		check_int(cases[i].name, answer.freeze.code, cases[i].code);
		check_int(cases[i].name, answer.thaw.end, LULL_HOOK_OK);
		check(cases[i].name, lull_keeper_let_go(keeper));
		(void)lull_keeper_thaw(keeper, "ok");
		lull_keeper_free(keeper);
		check_str(cases[i].name, log_of(scene), "freeze\nthaw failed\n");
	}
}

static void test_thaw_fails(void **state)
{
	struct scene *scene = *state;
	struct lull_keeper_answer answer;
	struct lull_keeper *keeper;

	write_hook(scene, ":", "exit 3");
	keeper = start(scene);
	assert_int_equal(lull_keeper_freeze(keeper).state, LULL_KEEPER_FROZEN);
	answer = lull_keeper_thaw(keeper, "ok");
	assert_int_equal(answer.state, LULL_KEEPER_THAWED);
	assert_int_equal(answer.thaw.end, LULL_HOOK_EXITED);
	assert_int_equal(answer.thaw.code, 3);
	lull_keeper_free(keeper);
	assert_string_equal(log_of(scene), "freeze\nthaw ok\n");
}

static void test_expiry(void **state)
{
	struct scene *scene = *state;
	struct lull_keeper_answer answer;
	struct lull_keeper *keeper;
	double before = unit_now();

	scene->setup.max_freeze_ns = 300 * NSEC_PER_MSEC;
	keeper = start(scene);
	assert_int_equal(lull_keeper_freeze(keeper).state, LULL_KEEPER_FROZEN);
	assert_true(let_go_within(keeper, 5));
	assert_true(unit_now() - before >= 0.3);
	answer = lull_keeper_thaw(keeper, "ok");
	assert_int_equal(answer.state, LULL_KEEPER_THAWED);
	assert_true(answer.expired);
	lull_keeper_free(keeper);
	assert_string_equal(log_of(scene), "freeze\nthaw interrupted\n");
}

/* The thaw is asked for when the expiry has come and nobody has looked yet. */
static void test_late_thaw(void **state)
{
	struct scene *scene = *state;
	struct lull_keeper_answer answer;
	struct lull_keeper *keeper;

	scene->setup.max_freeze_ns = 100 * NSEC_PER_MSEC;
	keeper = start(scene);
	assert_int_equal(lull_keeper_freeze(keeper).state, LULL_KEEPER_FROZEN);
	(void)usleep(300000);
	answer = lull_keeper_thaw(keeper, "ok");
	assert_int_equal(answer.state, LULL_KEEPER_THAWED);
	assert_true(answer.expired);
	lull_keeper_free(keeper);
	assert_string_equal(log_of(scene), "freeze\nthaw interrupted\n");
}

static void test_leave(void **state)
{
	struct scene *scene = *state;
	struct lull_keeper *keeper = start(scene);

	assert_int_equal(lull_keeper_freeze(keeper).state, LULL_KEEPER_FROZEN);
	lull_keeper_leave(keeper);
	assert_true(lull_keeper_let_go(keeper));
	lull_keeper_free(keeper);
	assert_string_equal(log_of(scene), "freeze\n");
}

static void test_frozen_already(void **state)
{
	struct scene *scene = *state;
	struct lull_keeper *keeper;

	scene->setup.frozen_already = true;
	keeper = start(scene);
	assert_int_equal(lull_keeper_freeze(keeper).state, LULL_KEEPER_FROZEN);
	assert_string_equal(log_of(scene), "");
	assert_int_equal(lull_keeper_thaw(keeper, "ok").state, LULL_KEEPER_THAWED);
	lull_keeper_free(keeper);
	assert_string_equal(log_of(scene), "thaw ok\n");
}

/* Signals that end lullcp must not end the keeper: a terminal sends them to both. */
static void test_keeper_ignores(void **state)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1 };
	struct scene *scene = *state;
	struct lull_keeper *keeper = start(scene);

	assert_int_equal(lull_keeper_freeze(keeper).state, LULL_KEEPER_FROZEN);
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		assert_int_equal(kill(keeper_pid(scene), signals[i]), 0);
	(void)usleep(50000);
	assert_false(lull_keeper_let_go(keeper));
	assert_int_equal(lull_keeper_thaw(keeper, "ok").state, LULL_KEEPER_THAWED);
	lull_keeper_free(keeper);
	assert_string_equal(log_of(scene), "freeze\nthaw ok\n");
}

static void test_keeper_killed(void **state)
{
	static const struct {
		const char *name;
		bool look; /* with let_go before thaw */
	} cases[] = { { "seen by a look", true }, { "seen by the thaw", false } };
	struct scene *scene = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct lull_keeper_answer answer;
		struct lull_keeper *keeper;

		(void)unlink(scene->log);
		keeper = start(scene);
		check_int(cases[i].name, lull_keeper_freeze(keeper).state,
			  LULL_KEEPER_FROZEN);
		check_int(cases[i].name, kill(keeper_pid(scene), SIGKILL), 0);
		if (cases[i].look) {
			check(cases[i].name, let_go_within(keeper, 5));
			check_str(cases[i].name, log_of(scene),
				  "freeze\nthaw interrupted\n");
		}
		answer = lull_keeper_thaw(keeper, "ok");
		check_int(cases[i].name, answer.state, LULL_KEEPER_LOST);
		check_int(cases[i].name, answer.thaw.end, LULL_HOOK_OK);
		lull_keeper_free(keeper);
		check_str(cases[i].name, log_of(scene), "freeze\nthaw interrupted\n");
	}
}

/* Waits for a line of the log, and kills the keeper; in a process of its own. */
static pid_t kill_keeper_at(const struct scene *scene, const char *line)
{
	double end = unit_now() + 20;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid > 0)
		return pid;
	while ((!strstr(log_of(scene), line) || look_for_keeper(scene) < 2) &&
	       unit_now() < end)
		(void)usleep(1000);
	if (look_for_keeper(scene) > 1)
		(void)kill(look_for_keeper(scene), SIGKILL);
	_exit(0);
}

/* That of an earlier case. */
static void forget_keeper(const struct scene *scene)
{
	char *path;

	assert_true(asprintf(&path, "%s/keeper", scene->dir) > 0);
	(void)unlink(path);
	free(path);
}

static void test_keeper_killed_in_hook(void **state)
{
	static const struct {
		const char *name, *freeze, *thaw;
		const char *at; /* this line */
		const char *log;
	} cases[] = {
		{ "freeze", "trap '' TERM; sleep 100; echo froze >> \"$LOG\"", ":",
		  "freeze\n", "freeze\nthaw interrupted\n" },
		{ "thaw", ":", "sleep 0.3; echo thawed >> \"$LOG\"", "thaw ok\n",
		  "freeze\nthaw ok\nthawed\nthaw interrupted\nthawed\n" },
	};
	struct scene *scene = *state;

	assert_int_equal(setenv("LOG", scene->log, 1), 0);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct lull_keeper_answer answer;
		struct lull_keeper *keeper;
		pid_t killer;

		(void)unlink(scene->log);
		forget_keeper(scene);
		write_hook(scene, cases[i].freeze, cases[i].thaw);
		keeper = start(scene);
		killer = kill_keeper_at(scene, cases[i].at);
		(void)lull_keeper_freeze(keeper);
		answer = lull_keeper_thaw(keeper, "ok");
		check_int(cases[i].name, answer.state, LULL_KEEPER_LOST);
		check_int(cases[i].name, answer.thaw.end, LULL_HOOK_OK);
		lull_keeper_free(keeper);
		assert_int_equal(waitpid(killer, NULL, 0), killer);
		check_str(cases[i].name, log_of(scene), cases[i].log);
	}
}

/* What could not be started is not thawed. */
static void test_not_started(void **state)
{
	struct scene *scene = *state;
	struct lull_keeper_answer answer;
	struct lull_keeper *keeper;
	char *path;

	assert_true(asprintf(&path, "%s/hook", scene->dir) > 0);
	assert_int_equal(chmod(path, 0644), 0);
	free(path);
	keeper = start(scene);
	answer = lull_keeper_freeze(keeper);
	assert_int_equal(answer.state, LULL_KEEPER_THAWED);
	assert_int_equal(answer.freeze.end, LULL_HOOK_EXITED);
	assert_int_equal(answer.freeze.code, 126);
	assert_true(answer.freeze.not_started);
	assert_int_equal(answer.freeze.err, EACCES);
	assert_int_equal(answer.thaw.end, LULL_HOOK_OK);
	lull_keeper_free(keeper);
	assert_string_equal(log_of(scene), "");
}

static void on_alarm(int number UNUSED)
{
}

/* A signal while the freeze hook runs: the wait goes on, or the freeze is given up. */
static void test_waiting(void **state)
{
	static const struct {
		const char *name;
		bool give_up;
		const char *body, *log;
		enum lull_keeper_state state;
	} cases[] = {
		{ "goes on", false, "sleep 0.4", "freeze\nthaw ok\n",
		  LULL_KEEPER_FROZEN },
		{ "gives up", true, "exec sleep 100", "freeze\nthaw interrupted\n",
		  LULL_KEEPER_THAWED },
	};
	struct sigaction notice = { .sa_handler = on_alarm }, before;
	struct scene *scene = *state;

	(void)sigaction(SIGALRM, &notice, &before);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct lull_keeper *keeper;
		struct lull_keeper_answer answer;

		(void)unlink(scene->log);
		write_hook(scene, cases[i].body, ":");
		scene->give_up = cases[i].give_up;
		keeper = start(scene);
		(void)ualarm(200000, 0);
		answer = lull_keeper_freeze(keeper);
		check_int(cases[i].name, answer.state, cases[i].state);
		if (cases[i].give_up)
			check_int(cases[i].name, answer.freeze.end, LULL_HOOK_ABORTED);
		(void)lull_keeper_thaw(keeper, "ok");
		lull_keeper_free(keeper);
		check_str(cases[i].name, log_of(scene), cases[i].log);
	}
	(void)sigaction(SIGALRM, &before, NULL);
}

/* ---- the main process is killed ---- */

/* The steps of the child that will be killed, at any of them. */
static void main_process(struct scene *scene, bool thaw) __attribute__((noreturn));
static void main_process(struct scene *scene, bool thaw)
{
	struct lull_keeper *keeper = NULL;

	if (lull_keeper_start(&scene->setup, &keeper) < 0)
		_exit(1);
	(void)lull_keeper_freeze(keeper);
	(void)usleep(20000);
	if (thaw) {
		(void)lull_keeper_thaw(keeper, "ok");
		lull_keeper_free(keeper);
		_exit(0);
	}
	for (;;)
		(void)pause();
}

/* Waits for all that descends from the test; false if that takes too long. */
static bool all_gone(double seconds)
{
	double end = unit_now() + seconds;

	while (unit_now() < end) {
		if (waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD)
			return true;
		(void)usleep(1000);
	}
	return false;
}

/* Lines of the log that begin with word. */
static unsigned int lines(const char *text, const char *word)
{
	unsigned int n = 0;

	for (const char *at = text; at; at = strchr(at, '\n')) {
		at += *at == '\n';
		n += strncmp(at, word, strlen(word)) == 0;
	}
	return n;
}

static void check_log(const char *name, const char *log, unsigned int *ret_frozen)
{
	unsigned int freezes = lines(log, "freeze"), thaws = lines(log, "thaw");
	const char *freeze = strstr(log, "freeze"), *thaw = strstr(log, "thaw");

	/* A freeze hook may be ended before its first line; the thaw comes even so. */
	if (freezes > 1 || thaws > 1 || thaws < freezes || (freeze && thaw < freeze))
		fail_msg("%s: the log is\n%s", name, log);
	*ret_frozen += freezes;
}

static void test_main_killed_anywhere(void **state)
{
	struct scene *scene = *state;
	unsigned int frozen = 0;

	unit_seed("killed", 0);
	assert_return_code(prctl(PR_SET_CHILD_SUBREAPER, 1UL, 0UL, 0UL, 0UL), errno);
	/* About 10 ms to start, 30 to freeze, 20 frozen, 20 to thaw: the kill hits them
	 * all. */
	write_hook(scene, "sleep 0.03", "sleep 0.02");
	for (unsigned int round = 0; round < ROUNDS; round++) {
		useconds_t wait = (useconds_t)unit_below(100000);
		char name[64];
		pid_t pid;

		(void)snprintf(name, sizeof(name), "round %u, after %u us", round, wait);
		(void)unlink(scene->log);
		pid = fork();
		assert_true(pid >= 0);
		if (pid == 0)
			main_process(scene, round % 2);
		(void)usleep(wait);
		(void)kill(pid, SIGKILL);
		check(name, all_gone(10));
		check_log(name, log_of(scene), &frozen);
	}
	(void)prctl(PR_SET_CHILD_SUBREAPER, 0UL, 0UL, 0UL, 0UL);
	print_message("frozen in %u of %u rounds\n", frozen, ROUNDS);
	assert_true(frozen > 0);
}

/* At known moments: in the freeze hook, while frozen, while a thaw fails. */
static void test_main_killed_at(void **state)
{
	static const struct {
		const char *name, *freeze, *thaw;
		useconds_t after_freeze; /* of the hook's first line */
		const char *log;
	} cases[] = {
		{ "in the freeze hook", "exec sleep 100", ":", 20000,
		  "freeze\nthaw interrupted\norphan ok\n" },
		{ "while frozen", ":", ":", 200000,
		  "freeze\nthaw interrupted\norphan ok\n" },
		{ "and the thaw fails", ":", "exit 1", 200000,
		  "freeze\nthaw interrupted\norphan failed\n" },
	};
	struct scene *scene = *state;

	assert_return_code(prctl(PR_SET_CHILD_SUBREAPER, 1UL, 0UL, 0UL, 0UL), errno);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		double end = unit_now() + 10;
		pid_t pid;

		(void)unlink(scene->log);
		write_hook(scene, cases[i].freeze, cases[i].thaw);
		pid = fork();
		assert_true(pid >= 0);
		if (pid == 0)
			main_process(scene, false);
		while (*log_of(scene) == '\0' && unit_now() < end)
			(void)usleep(1000);
		(void)usleep(cases[i].after_freeze);
		(void)kill(pid, SIGKILL);
		check(cases[i].name, all_gone(10));
		check_str(cases[i].name, log_of(scene), cases[i].log);
	}
	(void)prctl(PR_SET_CHILD_SUBREAPER, 0UL, 0UL, 0UL, 0UL);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_freeze_and_thaw, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_stopped_at_the_end, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_never_frozen, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_free_thaws, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_freeze_fails, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_thaw_fails, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_expiry, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_late_thaw, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_leave, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_frozen_already, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_keeper_ignores, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_keeper_killed, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_keeper_killed_in_hook, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_not_started, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_waiting, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_main_killed_anywhere, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_main_killed_at, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
