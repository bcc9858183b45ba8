// SPDX-License-Identifier: MIT
/* Runs hooks, bounded in time. */
#include "sys/hook.h"

#include "sys/clock.h"
#include "sys/limits.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <wordexp.h>

/* Between SIGTERM and SIGKILL: time to undo a half-done freeze. */
#define GRACE_NS NSEC_PER_SEC
/* How often to look where the kernel has no pidfd_open (before 5.3). */
#define LOOK_NS (10 * NSEC_PER_MSEC)
#define LOOKS_BEHIND 20

extern char **environ;

struct lull_hook {
	wordexp_t words;
};

int lull_hook_parse(const char *command, struct lull_hook **ret_hook)
{
	struct lull_hook *hook = calloc(1, sizeof(*hook));
	int r;

	if (!hook)
		return -ENOMEM;
	if (strlen(command) > LULL_HOOK_LONGEST) {
		free(hook);
		return -EINVAL;
	}
	r = wordexp(command, &hook->words, WRDE_NOCMD);
	if (r != 0) {
		if (r == WRDE_NOSPACE)
			wordfree(&hook->words);
		free(hook);
		return r == WRDE_NOSPACE ? -ENOMEM : -EINVAL;
	}
	if (hook->words.we_wordc == 0 || hook->words.we_wordv[0][0] == '\0') {
		lull_hook_free(hook);
		return -EINVAL;
	}
	*ret_hook = hook;
	return 0;
}

void lull_hook_free(struct lull_hook *hook)
{
	if (!hook)
		return;
	wordfree(&hook->words);
	free(hook);
}

static void free_list(char **list)
{
	for (size_t i = 0; list && list[i]; i++)
		free(list[i]);
	free(list);
}

/* The environment of a hook: ours, with LULLCP_* replaced. NULL: out of memory. */
static char **make_environment(enum lull_hook_phase phase,
			       const struct lull_hook_facts *facts)
{
	size_t n = 0, kept = 0;
	char millis[24] = "";

	while (environ[n])
		n++;

	char **list = calloc(n + 8, sizeof(*list));

	if (!list)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		if (strncmp(environ[i], "LULLCP_", 7) == 0 &&
		    strncmp(environ[i], "LULLCP_QMP_", 11) != 0)
			continue;
		list[kept] = strdup(environ[i]);
		if (!list[kept++])
			goto oom;
	}
	if (facts->max_freeze_ns > 0)
		(void)snprintf(millis, sizeof(millis), "%llu",
			       (unsigned long long)(facts->max_freeze_ns / NSEC_PER_MSEC));

	const struct {
		const char *name;
		const char *value;
	} own[] = {
		{ "PHASE", phase == LULL_HOOK_FREEZE ? "freeze" : "thaw" },
		{ "RUN_ID", facts->run_id },
		{ "DEST", facts->dest },
		{ "CHECKPOINT", facts->checkpoint },
		{ "MAX_FREEZE_MS", millis },
		{ "RESUMED", facts->resumed ? "1" : "0" },
		{ "RESULT", phase == LULL_HOOK_THAW ? facts->result : NULL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(own); i++) {
		if (!own[i].value)
			continue;
		if (asprintf(&list[kept], "LULLCP_%s=%s", own[i].name, own[i].value) < 0) {
			list[kept] = NULL;
			goto oom;
		}
		kept++;
	}
	return list;
oom:
	free_list(list);
	return NULL;
}

/* argv of a call: the words of the command, the phase, the sources. */
static char **make_arguments(char *const *words, size_t n_words,
			     enum lull_hook_phase phase, const char *const *sources,
			     size_t n_sources)
{
	size_t n = 0;
	char **list = calloc(n_words + n_sources + 2, sizeof(*list));

	if (!list)
		return NULL;
	for (size_t i = 0; i < n_words + 1 + n_sources; i++) {
		const char *word = i < n_words	  ? words[i]
				   : i == n_words ? (phase == LULL_HOOK_FREEZE ? "freeze" : "thaw")
						  : sources[i - n_words - 1];

		list[n] = strdup(word);
		if (!list[n++]) {
			free_list(list);
			return NULL;
		}
	}
	return list;
}

/* In the child: only what is safe after fork() in a process that may have threads. */
static void become_hook(char **argv, char **env, const struct lull_hook_traces *traces)
	__attribute__((noreturn));
static void become_hook(char **argv, char **env, const struct lull_hook_traces *traces)
{
	struct sigaction plain = { .sa_handler = SIG_DFL };
	sigset_t none;
	int null;

	(void)setpgid(0, 0);
	for (int s = 1; s < NSIG; s++)
		(void)sigaction(s, &plain, NULL);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	null = open("/dev/null", O_RDWR);
	if (null >= 0)
		(void)dup2(null, STDIN_FILENO);
	if (traces) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		(void)dup2(traces->output, STDERR_FILENO);
	}
	(void)dup2(STDERR_FILENO, STDOUT_FILENO);
	lull_limits_restore();
	environ = env;
	execvp(argv[0], argv);
	_exit(errno == ENOENT ? 127 : 126);
}

static int open_pidfd(pid_t pid)
{
#ifdef SYS_pidfd_open
	return (int)syscall(SYS_pidfd_open, pid, 0);
#else
	(void)pid;
	return -1;
#endif
}

/*
 * Waits until the child ends (true), the deadline passes or control becomes readable
 * (false, *ret_why). A negative entry in a poll set is passed over.
 */
static bool await(pid_t pid, int pidfd, uint64_t deadline, int control, int *ret_status,
		  enum lull_hook_end *ret_why)
{
	for (;;) {
		if (waitpid(pid, ret_status, WNOHANG) != 0)
			return true;

		uint64_t now = lull_clock_now();

		if (now >= deadline) {
			*ret_why = LULL_HOOK_TIMEOUT;
			return false;
		}

		uint64_t left = deadline - now;
		struct pollfd set[] = {
			{ .fd = pidfd, .events = POLLIN },
			{ .fd = control, .events = POLLIN },
		};

		if (pidfd < 0)
			left = MIN(left, LOOK_NS);
		left = MIN(left, 3600 * NSEC_PER_SEC);
		(void)poll(set, ARRAY_SIZE(set), (int)(left / NSEC_PER_MSEC) + 1);
		if (set[1].revents) {
			if (waitpid(pid, ret_status, WNOHANG) != 0)
				return true;
			*ret_why = LULL_HOOK_ABORTED;
			return false;
		}
	}
}

/* Processes of the group that have not ended: /proc/PID/stat is "PID (NAME) STATE PPID PGRP". */
static void look_behind(pid_t group, struct lull_hook_traces *traces)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;

	while (proc && (entry = readdir(proc))) {
		char path[300], line[512] = "";
		const char *name, *end;
		char state;
		int pgrp;
		FILE *f;

		if (entry->d_name[0] < '0' || entry->d_name[0] > '9')
			continue;
		(void)snprintf(path, sizeof(path), "/proc/%s/stat", entry->d_name);
		f = fopen(path, "re");
		if (!f)
			continue;
		name = fgets(line, sizeof(line), f) ? strchr(line, '(') : NULL;
		end = name ? strrchr(line, ')') : NULL;
		(void)fclose(f);
		if (!end || sscanf(end + 1, " %c %*d %d", &state, &pgrp) != 2 || pgrp != group ||
		    state == 'Z' || state == 'X')
			continue;
		traces->left++;
		traces->left_pid = atoi(entry->d_name);
		(void)snprintf(traces->left_name, sizeof(traces->left_name), "%.*s",
			       (int)(end - name - 1), name + 1);
	}
	if (proc)
		(void)closedir(proc);
}

static struct lull_hook_status run_one(char **argv, char **env, uint64_t deadline,
				       int control, struct lull_hook_traces *traces)
{
	struct lull_hook_status result = { .end = LULL_HOOK_OK };
	uint64_t before = lull_clock_now();
	int status = 0;
	pid_t pid = fork();

	if (pid < 0)
		return (struct lull_hook_status){ LULL_HOOK_ERROR, errno };
	if (pid == 0)
		become_hook(argv, env, traces);
	(void)setpgid(pid, pid); /* whoever of the two comes first */

	_cleanup_close_ int pidfd = open_pidfd(pid);

	if (!await(pid, pidfd, deadline, control, &status, &result.end)) {
		enum lull_hook_end ignored;

		(void)kill(-pid, SIGTERM);
		(void)await(pid, pidfd, lull_clock_now() + GRACE_NS, -1, &status, &ignored);
		/* The rest of the group too, which may outlive its leader. */
		(void)kill(-pid, SIGKILL);
		while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
			;
		return result;
	}
	if (traces)
		traces->elapsed_ns += lull_clock_now() - before;
	/* One that is about to end need not be waited for by the hook. */
	for (unsigned int i = 0; traces && i < LOOKS_BEHIND; i++) {
		traces->left = 0;
		look_behind(pid, traces);
		if (traces->left == 0)
			break;
		lull_clock_sleep(LOOK_NS);
	}
	if (WIFSIGNALED(status))
		return (struct lull_hook_status){ LULL_HOOK_KILLED, WTERMSIG(status) };
	if (WEXITSTATUS(status) != 0)
		return (struct lull_hook_status){ LULL_HOOK_EXITED, WEXITSTATUS(status) };
	return result;
}

/* As qemu-ga and run-parts: what editors and package managers leave is no hook. */
static int is_hook_name(const struct dirent *entry)
{
	static const char *const not_ours[] = { "~", ".bak", ".orig", ".rpmsave", ".rpmnew" };
	const char *name = entry->d_name;
	size_t len = strlen(name);

	if (name[0] == '.' || strstr(name, ".dpkg-"))
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(not_ours); i++) {
		size_t tail = strlen(not_ours[i]);

		if (len >= tail && strcmp(name + len - tail, not_ours[i]) == 0)
			return 0;
	}
	return 1;
}

static uint64_t deadline_after(uint64_t timeout_ns)
{
	uint64_t now = lull_clock_now();

	return timeout_ns > UINT64_MAX - now ? UINT64_MAX : now + timeout_ns;
}

static bool is_directory(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

int lull_hook_find(const struct lull_hook *hook)
{
	const char *name = hook->words.we_wordv[0];
	const char *path = getenv("PATH");
	int r = -ENOENT;

	if (strchr(name, '/'))
		return access(name, X_OK) < 0 ? -errno : 0;
	path = path ? path : "/bin:/usr/bin";
	while (r != 0 && *path) {
		size_t len = strcspn(path, ":");
		_cleanup_free_ char *file = NULL;
		struct stat st;

		if (asprintf(&file, "%.*s%s%s", (int)len, path, len ? "/" : "", name) < 0)
			return -ENOMEM;
		if (stat(file, &st) == 0 && S_ISREG(st.st_mode))
			r = access(file, X_OK) < 0 ? -EACCES : 0;
		path += len + (path[len] == ':');
	}
	return r;
}

struct lull_hook_status lull_hook_run(const struct lull_hook *hook,
				      enum lull_hook_phase phase,
				      const char *const *sources, size_t n_sources,
				      const struct lull_hook_facts *facts,
				      uint64_t timeout_ns, int control)
{
	return lull_hook_watch(hook, phase, sources, n_sources, facts, timeout_ns, control, NULL);
}

struct lull_hook_status lull_hook_watch(const struct lull_hook *hook,
					enum lull_hook_phase phase,
					const char *const *sources, size_t n_sources,
					const struct lull_hook_facts *facts,
					uint64_t timeout_ns, int control,
					struct lull_hook_traces *traces)
{
	struct lull_hook_status first = { .end = LULL_HOOK_OK };
	char *const *words = hook->words.we_wordv;
	size_t n_words = hook->words.we_wordc;
	uint64_t deadline = deadline_after(timeout_ns);
	struct dirent **entries = NULL;
	bool directory = n_words == 1 && is_directory(words[0]);
	int n = directory ? scandir(words[0], &entries, is_hook_name, alphasort) : 1;
	char **env = make_environment(phase, facts);

	if (n < 0 || !env)
		first = (struct lull_hook_status){ LULL_HOOK_ERROR, env ? errno : ENOMEM };
	for (int i = 0; i < n && env; i++) {
		char path[4096];
		char *one = path;
		int index = phase == LULL_HOOK_FREEZE ? i : n - 1 - i;

		if (directory) {
			(void)snprintf(path, sizeof(path), "%s/%s", words[0],
				       entries[index]->d_name);
			if (is_directory(path) || access(path, X_OK) < 0)
				continue;
		}

		char **argv = make_arguments(directory ? &one : words, n_words, phase, sources,
					     n_sources);
		struct lull_hook_status status = { LULL_HOOK_ERROR, ENOMEM };

		/* One thaw that hangs must not take the time of the others: each has its own. */
		if (phase == LULL_HOOK_THAW)
			deadline = deadline_after(timeout_ns);
		if (argv)
			status = run_one(argv, env, deadline, control, traces);
		free_list(argv);
		if (first.end == LULL_HOOK_OK)
			first = status;
		if (status.end != LULL_HOOK_OK && phase == LULL_HOOK_FREEZE)
			break;
	}
	for (int i = 0; entries && i < n; i++)
		free(entries[i]);
	free(entries);
	free_list(env);
	return first;
}
