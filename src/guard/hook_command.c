// SPDX-License-Identifier: MIT
/* What a hook consists of: a command with arguments, or a directory of commands. */
#include "guard/hook_command.h"

#include "util/text.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Splits a command. Returns 0, or -errno like lull_hook_parse(). */
static int split(const char *command, wordexp_t *ret_words)
{
	int r;

	if (strlen(command) > LULL_HOOK_LONGEST)
		return -EINVAL;
	r = wordexp(command, ret_words, WRDE_NOCMD);
	if (r == WRDE_NOSPACE) {
		wordfree(ret_words);
		return -ENOMEM;
	}
	if (r != 0)
		return -EINVAL;
	if (ret_words->we_wordc == 0 || ret_words->we_wordv[0][0] == '\0') {
		wordfree(ret_words);
		return -EINVAL;
	}
	return 0;
}

int lull_hook_parse(const char *command, const char *directory,
		    struct lull_hook **ret_hook)
{
	struct lull_hook *hook = calloc(1, sizeof(*hook));
	int r = hook ? split(command, &hook->words) : -ENOMEM;

	if (r < 0) {
		free(hook);
		return r;
	}
	hook->text = strdup(command);
	hook->directory = directory ? strdup(directory) : NULL;
	if (!hook->text || (directory && !hook->directory)) {
		lull_hook_free(hook);
		return -ENOMEM;
	}
	*ret_hook = hook;
	return 0;
}

void lull_hook_free(struct lull_hook *hook)
{
	if (!hook)
		return;
	wordfree(&hook->words);
	free(hook->text);
	free(hook->directory);
	lull_hook_free_list(hook->called);
	free(hook->whole_text);
	free(hook->whole_directory);
	free(hook);
}

const char *lull_hook_text(const struct lull_hook *hook)
{
	return hook->text;
}

void lull_hook_free_list(char **list)
{
	for (size_t i = 0; list && list[i]; i++)
		free(list[i]);
	free(list);
}

/* Returns 1 for a name that can be a hook. Files of editors and package managers are
   none, as for qemu-ga and run-parts. */
static int is_hook_name(const struct dirent *entry)
{
	static const char *const not_ours[] = { "~", ".bak", ".orig", ".rpmsave",
						".rpmnew" };
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

static bool is_directory(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* Lists the executables of a directory in the order of their names. Returns their number
   or -errno. */
static int list_directory(const char *directory, char ***ret_paths)
{
	struct dirent **entries = NULL;
	int n = scandir(directory, &entries, is_hook_name, alphasort), kept = 0;
	char **paths = n < 0 ? NULL : calloc((size_t)n + 1, sizeof(*paths));
	int r = n < 0 ? -errno : paths ? 0 : -ENOMEM;

	for (int i = 0; i < n && r == 0; i++) {
		paths[kept] = lull_text("%s/%s", directory, entries[i]->d_name);
		if (!paths[kept]) {
			r = -ENOMEM;
		} else if (is_directory(paths[kept]) || access(paths[kept], X_OK) < 0) {
			free(paths[kept]);
			paths[kept] = NULL;
		} else {
			kept++;
		}
	}
	for (int i = 0; i < n; i++)
		free(entries[i]);
	free(entries);
	/* A hook that runs nothing would freeze and thaw nothing. */
	if (r == 0 && kept == 0)
		r = -ENODATA;
	if (r < 0) {
		lull_hook_free_list(paths);
		return r;
	}
	*ret_paths = paths;
	return kept;
}

bool lull_hook_is_list(const struct lull_hook *hook)
{
	return hook->words.we_wordc == 1 && is_directory(hook->words.we_wordv[0]);
}

/* Finds a command like execvp(3), and then among the hooks of lullcp. */
static int find_command(const char *name, char **ret_path)
{
	const char *path = getenv("PATH");
	int r = -ENOENT;

	if (strchr(name, '/')) {
		if (access(name, X_OK) < 0)
			return -errno;
		*ret_path = strdup(name);
		return *ret_path ? 0 : -ENOMEM;
	}
	path = path ? path : "/bin:/usr/bin";
	while (*path) {
		size_t len = strcspn(path, ":");
		_cleanup_free_ char *file = lull_text("%.*s%s%s", (int)len, path,
						      len ? "/" : "", name);
		struct stat st;

		if (!file)
			return -ENOMEM;
		if (stat(file, &st) == 0 && S_ISREG(st.st_mode)) {
			if (access(file, X_OK) == 0) {
				*ret_path = lull_steal(&file);
				return 0;
			}
			r = -EACCES;
		}
		path += len + (path[len] == ':');
	}
	/* A hook of lullcp needs no path, wherever lullcp is installed. */
	if (r == -ENOENT) {
		_cleanup_free_ char *file = lull_text("%s/%s", LULL_HOOK_DIR, name);

		if (!file)
			return -ENOMEM;
		if (access(file, X_OK) == 0) {
			*ret_path = lull_steal(&file);
			return 0;
		}
	}
	return r;
}

int lull_hook_find(const struct lull_hook *hook)
{
	_cleanup_free_ char *path = NULL;
	char **paths;
	int r;

	if (!lull_hook_is_list(hook))
		return find_command(hook->words.we_wordv[0], &path);
	r = list_directory(hook->words.we_wordv[0], &paths);
	if (r < 0)
		return r;
	lull_hook_free_list(paths);
	return 0;
}

/* Appends a word, quoted if a shell requires that. */
static int append(char **text, const char *word)
{
	static const char plain[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
		"_@%+=:,./-";
	size_t len = *text ? strlen(*text) + 1 : 0;
	char *longer = realloc(*text, len + 4 * strlen(word) + 3), *at;

	if (!longer)
		return -ENOMEM;
	*text = longer;
	if (len > 0)
		longer[len - 1] = ' ';
	at = longer + len;
	if (*word && word[strspn(word, plain)] == '\0') {
		(void)stpcpy(at, word);
		return 0;
	}
	*at++ = '\'';
	for (; *word; word++) {
		if (*word == '\'')
			at = stpcpy(at, "'\\''");
		else
			*at++ = *word;
	}
	(void)stpcpy(at, "'");
	return 0;
}

/* Finds the absolute path of the command. Returns 0 or -errno. Keeps links: what they
   point to may be replaced before the thaw. */
static int find_whole(const struct lull_hook *hook, const char *directory,
		      char **ret_path)
{
	_cleanup_free_ char *path = NULL;
	const char *rest;
	int r;

	if (lull_hook_is_list(hook)) {
		path = strdup(hook->words.we_wordv[0]);
		r = path ? 0 : -ENOMEM;
	} else {
		r = find_command(hook->words.we_wordv[0], &path);
	}
	if (r < 0)
		return r;
	if (path[0] == '/') {
		*ret_path = lull_steal(&path);
		return 0;
	}
	rest = path;
	while (rest[0] == '.' && rest[1] == '/')
		rest += 2 + strspn(rest + 2, "/");
	*ret_path = lull_text("%s/%s", strcmp(directory, "/") ? directory : "", rest);
	return *ret_path ? 0 : -ENOMEM;
}

/* Makes the absolute form of the command. The caller frees *text, whatever this
   returns. */
static int say_whole(const struct lull_hook *hook, const char *directory, char **text)
{
	_cleanup_free_ char *path = NULL;
	int r = find_whole(hook, directory, &path);

	if (r == 0)
		r = append(text, path);
	for (size_t i = 1; i < hook->words.we_wordc && r == 0; i++)
		r = append(text, hook->words.we_wordv[i]);
	if (r == 0 &&
	    (strlen(*text) > LULL_HOOK_LONGEST || strlen(directory) > LULL_HOOK_LONGEST))
		r = -ENAMETOOLONG;
	return r;
}

int lull_hook_resolve(struct lull_hook *hook)
{
	_cleanup_free_ char *directory = getcwd(NULL, 0), *text = NULL;
	int r = directory ? say_whole(hook, directory, &text) : -errno;

	if (hook->whole_text)
		return 0;
	if (r < 0)
		return r == -ENOMEM ? r : 0;
	hook->whole_text = lull_steal(&text);
	hook->whole_directory = lull_steal(&directory);
	return 0;
}

/* Replaces *text by a copy of by, which may be *text itself. */
static int replace(char **text, const char *by)
{
	char *copy = lull_text_copy(by);

	if (by && !copy)
		return -ENOMEM;
	free(*text);
	*text = copy;
	return 0;
}

int lull_hook_list(const struct lull_hook *hook, char ***ret_paths)
{
	char **one;

	if (lull_hook_is_list(hook))
		return list_directory(hook->words.we_wordv[0], ret_paths);
	one = calloc(2, sizeof(*one));
	/* If the command is not found, the error is reported when it is started. */
	if (one && find_command(hook->words.we_wordv[0], &one[0]) < 0)
		one[0] = strdup(hook->words.we_wordv[0]);
	if (!one || !one[0]) {
		free(one);
		return -ENOMEM;
	}
	*ret_paths = one;
	return 1;
}

void lull_hook_set_called(struct lull_hook *hook, char **paths)
{
	lull_hook_free_list(hook->called);
	hook->called = paths;
	hook->n_frozen = 0;
}

/* Returns the index of path in a list, or the length of the list. */
static size_t place_of(char *const *list, const char *path)
{
	size_t i = 0;

	while (list && list[i] && strcmp(list[i], path) != 0)
		i++;
	return i;
}

bool lull_hook_is_innocent(const struct lull_hook *hook, const char *path)
{
	size_t i = place_of(hook->called, path);

	return hook->called && hook->called[i] && i >= hook->n_frozen;
}

/* Compares like alphasort(3). */
static int by_name(const void *a, const void *b)
{
	return strcoll(*(char *const *)a, *(char *const *)b);
}

int lull_hook_list_thaw(const struct lull_hook *hook, char ***ret_paths)
{
	char **paths = NULL, **longer;
	size_t n, n_called = 0;
	int r = lull_hook_list(hook, &paths);

	while (hook->called && hook->called[n_called])
		n_called++;
	if (!lull_hook_is_list(hook) || n_called == 0 || r == -ENOMEM) {
		if (r >= 0)
			*ret_paths = paths;
		return r;
	}
	n = r < 0 ? 0 : (size_t)r;
	longer = realloc(paths, (n + n_called + 1) * sizeof(*paths));
	if (!longer)
		goto oom;
	paths = longer;
	paths[n] = NULL;
	for (size_t i = 0; i < n_called; i++) {
		if (paths[place_of(paths, hook->called[i])])
			continue;
		paths[n] = strdup(hook->called[i]);
		if (!paths[n])
			goto oom;
		paths[++n] = NULL;
	}
	qsort(paths, n, sizeof(*paths), by_name);
	*ret_paths = paths;
	return (int)n;
oom:
	lull_hook_free_list(paths);
	return -ENOMEM;
}

void lull_hook_remember(struct lull_hook *hook)
{
	char **paths;
	int n = lull_hook_list_thaw(hook, &paths);

	if (n < 0)
		return;
	lull_hook_set_called(hook, paths);
	hook->n_frozen = (size_t)n;
}

bool lull_hook_is_recorded(const struct lull_hook *hook, const char *command)
{
	struct lull_hook *recorded;
	struct stat a, b;
	bool is = strcmp(hook->whole_text ? hook->whole_text : hook->text, command) == 0;

	/* The same directory may have another path. */
	if (is || !lull_hook_is_list(hook) ||
	    lull_hook_parse(command, NULL, &recorded) < 0)
		return is;
	is = lull_hook_is_list(recorded) && stat(hook->words.we_wordv[0], &a) == 0 &&
	     stat(recorded->words.we_wordv[0], &b) == 0 && a.st_ino == b.st_ino &&
	     a.st_dev == b.st_dev;
	lull_hook_free(recorded);
	return is;
}

/* Makes a list of the names in a directory of hooks, with a slash after each, which no
   name contains. Makes NULL if the directory cannot be read, which the freeze will
   report. Returns 0 or -errno. */
static int say_files(const struct lull_hook *hook, char **ret_files)
{
	char **paths, *files, *at;
	int n = lull_hook_list_thaw(hook, &paths);
	size_t size = 1;

	if (n < 0)
		return n == -ENOMEM ? n : 0;
	for (int i = 0; i < n; i++)
		size += strlen(strrchr(paths[i], '/'));
	files = at = malloc(size);
	for (int i = 0; files && i < n; i++)
		at = stpcpy(stpcpy(at, strrchr(paths[i], '/') + 1), "/");
	lull_hook_free_list(paths);
	*ret_files = files;
	return !files ? -ENOMEM : size > LULL_HOOK_LONGEST_FILES ? -ENAMETOOLONG : 0;
}

int lull_hook_record(const struct lull_hook *hook, char **command, char **directory,
		     char **files)
{
	bool whole = hook->whole_text;
	_cleanup_free_ char *names = NULL;
	int r = lull_hook_is_list(hook) ? say_files(hook, &names) : 0;

	if (r == 0)
		r = replace(command, whole ? hook->whole_text : hook->text);
	if (r == 0)
		r = replace(directory, whole ? hook->whole_directory : hook->directory);
	return r == 0 ? replace(files, names) : r;
}

int lull_hook_expect(struct lull_hook *hook, const char *files)
{
	/* Each name is followed by a slash. One more element ends the list. */
	char **paths = calloc(strlen(files) / 2 + 2, sizeof(*paths));
	size_t n = 0;

	if (!paths)
		return -ENOMEM;
	for (; *files; files += strcspn(files, "/"), files += strspn(files, "/")) {
		int len = (int)strcspn(files, "/");

		paths[n] = lull_text("%s/%.*s", hook->words.we_wordv[0], len, files);
		if (!paths[n]) {
			lull_hook_free_list(paths);
			return -ENOMEM;
		}
		n += len > 0;
	}
	lull_hook_set_called(hook, paths);
	hook->n_frozen = n;
	return 0;
}
