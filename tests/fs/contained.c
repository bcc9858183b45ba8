// SPDX-License-Identifier: MIT
/*
 * What a container is to a file system: a user namespace whose users 0 to 65535 are
 * 100000 and on outside, and a mount that shows the users of the disk as these.
 *
 *   contained mount DIR WHERE    DIR once more at WHERE, id-mapped (Linux 5.12)
 *   contained run COMMAND...     as user 0 of such a namespace
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/mount.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void map(pid_t pid, const char *which)
{
	char path[64];
	FILE *file;

	(void)snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, which);
	file = fopen(path, "w");
	if (!file || fputs("0 100000 65536\n", file) < 0 || fclose(file) != 0)
		err(99, "%s", path);
}

/* A child in a namespace of its own, stopped; the caller maps and continues it. */
static pid_t start(void)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		if (unshare(CLONE_NEWUSER) < 0)
			err(99, "unshare");
		(void)raise(SIGSTOP);
		return 0;
	}
	if (pid < 0 || waitpid(pid, &status, WUNTRACED) < 0 || !WIFSTOPPED(status))
		errx(99, "no user namespace");
	map(pid, "gid_map");
	map(pid, "uid_map");
	return pid;
}

static int mount_mapped(const char *dir, const char *where)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_IDMAP };
	pid_t pid = start();
	char path[64];
	int tree, space;

	if (pid == 0)
		return 0;
	(void)snprintf(path, sizeof(path), "/proc/%d/ns/user", (int)pid);
	space = open(path, O_RDONLY | O_CLOEXEC);
	attr.userns_fd = (unsigned int)space;
	tree = (int)syscall(SYS_open_tree, AT_FDCWD, dir,
			    OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (space < 0 || tree < 0)
		err(99, "%s", dir);
	if (syscall(SYS_mount_setattr, tree, "", AT_EMPTY_PATH, &attr, sizeof(attr)) < 0)
		err(99, "mount_setattr");
	if (syscall(SYS_move_mount, tree, "", AT_FDCWD, where, MOVE_MOUNT_F_EMPTY_PATH) <
	    0)
		err(99, "%s", where);
	(void)kill(pid, SIGKILL);
	return 0;
}

static int run(char **argv)
{
	pid_t pid = start();
	int status;

	if (pid == 0) {
		if (setgroups(0, NULL) < 0 || setgid(0) < 0 || setuid(0) < 0)
			err(99, "setuid");
		(void)execvp(*argv, argv);
		err(99, "%s", *argv);
	}
	if (kill(pid, SIGCONT) < 0 || waitpid(pid, &status, 0) < 0)
		err(99, "wait");
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int main(int argc, char **argv)
{
	if (argc == 4 && strcmp(argv[1], "mount") == 0)
		return mount_mapped(argv[2], argv[3]);
	if (argc > 2 && strcmp(argv[1], "run") == 0)
		return run(argv + 2);
	errx(99, "usage: contained mount DIR WHERE | run COMMAND...");
}
