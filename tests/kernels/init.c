// SPDX-License-Identifier: MIT
/*
 * The first process of the machine that machine.sh boots: loads the modules named in
 * /modules, mounts the host's root, read-only, and what must be writable over it, runs
 * /run/share/command there, writes its status to /run/share/status, and switches off.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define ROOT  "/host"
#define SHARE "/run/share"

static void stop(const char *what)
{
	if (what)
		fprintf(stderr, "init: %s: %s\n", what, strerror(errno));
	sync();
	reboot(RB_POWER_OFF);
	_exit(1);
}

static void load_modules(void)
{
	char path[256];
	FILE *list = fopen("/modules", "r");

	if (!list)
		stop("/modules");
	while (fgets(path, sizeof(path), list)) {
		path[strcspn(path, "\n")] = '\0';

		int fd = open(path, O_RDONLY | O_CLOEXEC);

		if (fd < 0)
			stop(path);
		if (syscall(SYS_finit_module, fd, "", 0) < 0 && errno != EEXIST)
			fprintf(stderr, "init: %s: %s\n", path, strerror(errno));
		close(fd);
	}
	fclose(list);
}

static void attach(const char *type, const char *source, const char *at,
		   unsigned long flags, const char *data)
{
	if (mkdir(at, 0755) < 0 && errno != EEXIST && errno != EROFS)
		stop(at);
	if (mount(source, at, type, flags, data) < 0)
		stop(at);
}

static int run(void)
{
	pid_t child = fork(), pid;
	int status = 0;

	if (child < 0)
		stop("fork");
	if (child == 0) {
		int out = open(SHARE "/output", O_WRONLY | O_APPEND | O_CLOEXEC);
		int in = open("/dev/null", O_RDONLY | O_CLOEXEC);

		if (out < 0 || in < 0)
			_exit(126);
		dup2(in, STDIN_FILENO);
		dup2(out, STDOUT_FILENO);
		dup2(out, STDERR_FILENO);
		setsid();
		execl("/bin/bash", "bash", SHARE "/command", (char *)NULL);
		_exit(127);
	}
	/* Whoever loses his parent becomes our child. */
	while ((pid = wait(&status)) != child)
		if (pid < 0 && errno != EINTR)
			stop("wait");
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int main(void)
{
	const char *share = "trans=virtio,version=9p2000.L,msize=262144,cache=none";
	/* Nobody changes the host's files under us. */
	const char *root = "trans=virtio,version=9p2000.L,msize=262144,cache=loose";
	static const char *const links[][2] = {
		{ "/proc/self/fd", "/dev/fd" },
		{ "/proc/self/fd/0", "/dev/stdin" },
		{ "/proc/self/fd/1", "/dev/stdout" },
		{ "/proc/self/fd/2", "/dev/stderr" },
	};
	char text[16];
	int n, fd;

	if (mkdir(ROOT, 0755) < 0)
		stop(ROOT);
	load_modules();
	attach("9p", "root", ROOT, MS_RDONLY, root);
	if (chroot(ROOT) < 0 || chdir("/") < 0)
		stop("chroot");
	attach("devtmpfs", "dev", "/dev", 0, "");
	attach("devpts", "pts", "/dev/pts", 0, "");
	attach("tmpfs", "shm", "/dev/shm", 0, "size=90%");
	attach("proc", "proc", "/proc", 0, "");
	attach("sysfs", "sys", "/sys", 0, "");
	attach("tmpfs", "tmp", "/tmp", 0, "size=90%");
	attach("tmpfs", "tmp", "/var/tmp", 0, "size=90%");
	attach("tmpfs", "run", "/run", 0, "");
	attach("9p", "share", SHARE, 0, share);
	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++)
		if (symlink(links[i][0], links[i][1]) < 0)
			stop(links[i][1]);

	setenv("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", 1);
	setenv("HOME", "/tmp", 1);
	n = snprintf(text, sizeof(text), "%d\n", run());
	fd = open(SHARE "/status", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || write(fd, text, (size_t)n) != n)
		stop(SHARE "/status");
	close(fd);
	stop(NULL);
}
