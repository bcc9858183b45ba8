// SPDX-License-Identifier: MIT
/*
 * inject REPORT COMMAND...                                      lists the system calls
 * inject REPORT PROCESS CALL N ACTION COMMAND...                lets one of them go wrong
 *
 * PROCESS 0 is COMMAND, 1 and up are the threads and processes that come of it, in their
 * order. What one of them executes is let go: a hook is not what is tested. N counts the
 * calls of that name in that process, from 1 on. ACTION is
 *   ERRNO        the call fails with that number, and is not made, unless it is close
 *   kill         SIGKILL for the process before the call
 *   kill-all     for all that are left
 *   short        it reads, writes or copies one byte, or block, of what it was asked to
 *   delay:USEC   it waits before the call
 *
 * REPORT gets a line "PROCESS CALL COUNT" for each that was seen, or one that begins with
 * "hit" and has the first arguments; and at last "exit STATUS" or "signal NUMBER" of
 * COMMAND. Ends when all processes have ended, with 0; 2 if it could not do its work.
 *
 * strace -e inject= counts in all processes at once, and is ten times slower.
 */
#include <elf.h>
#include <err.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#define MOST_PROCESSES 64
#define MOST_CALLS     512
#define BLOCK          4096

struct process {
	pid_t pid;
	bool gone;
	bool failing; /* its call was replaced: the result is still to be set */
	bool inside;
	unsigned int count[MOST_CALLS];
};

static struct process process[MOST_PROCESSES];
static unsigned int n_processes;

static struct {
	bool list;
	unsigned int process, n;
	unsigned long call;
	const char *action;
} plan;

static FILE *report;

/* What has a name here; the others go by their numbers. */
#define CALL(name)                \
	{                         \
#name, SYS_##name \
	}
/* clang-format off */
static const struct {
	const char *name;
	unsigned long nr;
} call[] = {
	CALL(brk), CALL(capget), CALL(clock_nanosleep), CALL(clone), CALL(clone3),
	CALL(close), CALL(connect), CALL(copy_file_range), CALL(dup), CALL(dup3),
	CALL(exit_group), CALL(faccessat), CALL(faccessat2), CALL(fadvise64),
	CALL(fallocate), CALL(fchmod), CALL(fchmodat), CALL(fchown), CALL(fchownat),
	CALL(fcntl), CALL(fdatasync), CALL(fgetxattr), CALL(flistxattr), CALL(flock),
	CALL(fremovexattr), CALL(fsetxattr), CALL(fstat), CALL(fstatfs), CALL(fsync),
	CALL(ftruncate), CALL(futex), CALL(getcwd), CALL(getdents64), CALL(getegid),
	CALL(geteuid), CALL(getgid), CALL(getpid), CALL(getppid), CALL(getrandom),
	CALL(gettid), CALL(getuid), CALL(getxattr), CALL(ioctl), CALL(kill),
	CALL(lgetxattr), CALL(linkat), CALL(listxattr), CALL(llistxattr), CALL(lseek),
	CALL(lsetxattr), CALL(madvise), CALL(mkdirat), CALL(mmap), CALL(mprotect),
	CALL(mremap), CALL(munmap), CALL(newfstatat), CALL(openat), CALL(openat2),
	CALL(pidfd_open), CALL(pipe2), CALL(ppoll), CALL(prctl), CALL(pread64),
	CALL(prlimit64), CALL(pwrite64), CALL(read), CALL(readlinkat), CALL(recvfrom),
	CALL(renameat), CALL(renameat2), CALL(rseq), CALL(rt_sigaction),
	CALL(rt_sigprocmask), CALL(sendto), CALL(set_robust_list), CALL(set_tid_address),
	CALL(setpgid), CALL(setsid), CALL(setxattr), CALL(socket), CALL(socketpair),
	CALL(statfs), CALL(statx), CALL(symlinkat), CALL(sync_file_range), CALL(syncfs),
	CALL(sysinfo), CALL(tgkill), CALL(umask), CALL(uname), CALL(unlinkat),
	CALL(utimensat), CALL(wait4), CALL(waitid), CALL(write),
#ifdef __x86_64__
	CALL(access), CALL(arch_prctl), CALL(chdir), CALL(dup2), CALL(poll),
	CALL(readlink), CALL(vfork),
#endif
};
/* clang-format on */

static const char *name_of(unsigned long nr)
{
	static char number[16];

	for (size_t i = 0; i < sizeof(call) / sizeof(call[0]); i++) {
		if (call[i].nr == nr)
			return call[i].name;
	}
	(void)snprintf(number, sizeof(number), "%lu", nr);
	return number;
}

static unsigned long number_of(const char *name)
{
	for (size_t i = 0; i < sizeof(call) / sizeof(call[0]); i++) {
		if (strcmp(call[i].name, name) == 0)
			return call[i].nr;
	}
	return strtoul(name, NULL, 10);
}

static struct process *find(pid_t pid)
{
	for (unsigned int i = 0; i < n_processes; i++) {
		if (process[i].pid == pid && !process[i].gone)
			return &process[i];
	}
	if (n_processes == MOST_PROCESSES)
		errx(2, "too many processes");
	process[n_processes].pid = pid;
	return &process[n_processes++];
}

/* ---- registers ---- */

#if defined(__x86_64__)
static void set_call(pid_t pid, struct user_regs_struct *regs, uint64_t nr)
{
	(void)pid;
	regs->orig_rax = nr;
}
static void set_result(struct user_regs_struct *regs, int64_t value)
{
	regs->rax = (uint64_t)value;
}
static void set_argument(struct user_regs_struct *regs, unsigned int i, uint64_t value)
{
	if (i == 2)
		regs->rdx = value;
	else
		regs->r8 = value;
}
#elif defined(__aarch64__)
static void set_call(pid_t pid, struct user_regs_struct *regs, uint64_t nr)
{
	int number = (int)nr;
	struct iovec io = { &number, sizeof(number) };

	(void)regs;
	(void)ptrace(PTRACE_SETREGSET, pid, NT_ARM_SYSTEM_CALL, &io);
}
static void set_result(struct user_regs_struct *regs, int64_t value)
{
	regs->regs[0] = (uint64_t)value;
}
static void set_argument(struct user_regs_struct *regs, unsigned int i, uint64_t value)
{
	regs->regs[i] = value;
}
#else
#error "inject.c does not know the registers of this machine"
#endif

static void change(pid_t pid, void (*how)(pid_t, struct user_regs_struct *, int64_t),
		   int64_t value)
{
	struct user_regs_struct regs;
	struct iovec io = { &regs, sizeof(regs) };

	if (ptrace(PTRACE_GETREGSET, pid, NT_PRSTATUS, &io) < 0)
		return; /* killed meanwhile */
	how(pid, &regs, value);
	(void)ptrace(PTRACE_SETREGSET, pid, NT_PRSTATUS, &io);
}

static void no_call(pid_t pid, struct user_regs_struct *regs, int64_t unused)
{
	(void)unused;
	set_call(pid, regs, (uint64_t)-1);
}

static void fail_call(pid_t pid, struct user_regs_struct *regs, int64_t value)
{
	(void)pid;
	set_result(regs, value);
}

static void shorten(pid_t pid, struct user_regs_struct *regs, int64_t nr)
{
	(void)pid;
	if (nr == SYS_copy_file_range)
		set_argument(regs, 4, BLOCK);
	else
		set_argument(regs, 2, 1);
}

/* ---- calls ---- */

static void on_entry(struct process *p, const struct __ptrace_syscall_info *info)
{
	unsigned long nr = (unsigned long)info->entry.nr;

	if (nr >= MOST_CALLS)
		return;
	p->count[nr]++;
	if (plan.list || p != &process[plan.process] || nr != plan.call ||
	    p->count[nr] != plan.n)
		return;
	(void)fprintf(report, "hit %#llx %#llx %#llx\n",
		      (unsigned long long)info->entry.args[0],
		      (unsigned long long)info->entry.args[1],
		      (unsigned long long)info->entry.args[2]);
	if (strcmp(plan.action, "kill") == 0) {
		(void)kill(p->pid, SIGKILL);
	} else if (strcmp(plan.action, "kill-all") == 0) {
		for (unsigned int i = n_processes; i-- > 0;) {
			if (!process[i].gone)
				(void)kill(process[i].pid, SIGKILL);
		}
	} else if (strcmp(plan.action, "short") == 0) {
		change(p->pid, shorten, (int64_t)nr);
	} else if (strncmp(plan.action, "delay:", 6) == 0) {
		(void)usleep((useconds_t)strtoul(plan.action + 6, NULL, 10));
	} else {
		/* Linux has released the descriptor when close(2) fails. */
		if (nr != SYS_close)
			change(p->pid, no_call, 0);
		p->failing = true;
	}
}

static void on_call(struct process *p)
{
	struct __ptrace_syscall_info info;

	if (ptrace(PTRACE_GET_SYSCALL_INFO, p->pid, sizeof(info), &info) < 0)
		return;
	if (info.op == PTRACE_SYSCALL_INFO_ENTRY) {
		on_entry(p, &info);
	} else if (info.op == PTRACE_SYSCALL_INFO_EXIT && p->failing) {
		p->failing = false;
		change(p->pid, fail_call, -strtol(plan.action, NULL, 10));
	}
}

/* What to pass on to the process, or -1 if it was let go. */
static int on_stop(struct process *p, int status)
{
	int event = status >> 16, signal = WSTOPSIG(status);

	if (signal == (SIGTRAP | 0x80)) {
		on_call(p);
		return 0;
	}
	if (event == PTRACE_EVENT_EXEC) {
		/* COMMAND begins. */
		memset(p->count, 0, sizeof(p->count));
		if (p == &process[0])
			return 0;
		p->gone = true;
		(void)ptrace(PTRACE_DETACH, p->pid, NULL, NULL);
		return -1;
	}
	if (event == PTRACE_EVENT_FORK || event == PTRACE_EVENT_VFORK ||
	    event == PTRACE_EVENT_CLONE) {
		unsigned long child = 0;

		if (ptrace(PTRACE_GETEVENTMSG, p->pid, NULL, &child) == 0)
			(void)find((pid_t)child);
		return 0;
	}
	if (event != 0)
		return 0;
	return signal;
}

static void follow(void)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, __WALL)) > 0 || errno == EINTR) {
		if (pid < 0)
			continue;

		struct process *p = find(pid);

		if (!WIFSTOPPED(status)) {
			if (p == &process[0])
				(void)fprintf(report,
					      WIFEXITED(status) ? "exit %d\n"
								: "signal %d\n",
					      WIFEXITED(status) ? WEXITSTATUS(status)
								: WTERMSIG(status));
			p->gone = true;
			continue;
		}

		int signal = status >> 16 == PTRACE_EVENT_STOP ? 0 : on_stop(p, status);

		if (signal >= 0)
			(void)ptrace(PTRACE_SYSCALL, pid, NULL, (void *)(intptr_t)signal);
	}
}

static pid_t start(char **argv)
{
	const long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK |
			     PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE |
			     PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL;
	pid_t pid = fork();

	if (pid < 0)
		err(2, "fork");
	if (pid == 0) {
		(void)raise(SIGSTOP);
		(void)execvp(argv[0], argv);
		_exit(127);
	}
	if (waitpid(pid, NULL, WUNTRACED) != pid ||
	    ptrace(PTRACE_SEIZE, pid, NULL, (void *)options) < 0)
		err(2, "cannot trace");
	(void)find(pid);
	(void)kill(pid, SIGCONT);
	return pid;
}

int main(int argc, char **argv)
{
	if (argc < 3)
		errx(2, "usage: inject REPORT [PROCESS CALL N ACTION] COMMAND...");
	report = fopen(argv[1], "we");
	if (!report)
		err(2, "%s", argv[1]);
	plan.list = argv[2][0] < '0' || argv[2][0] > '9';
	if (!plan.list && argc < 7)
		errx(2, "too few arguments");
	if (!plan.list) {
		plan.process = (unsigned int)strtoul(argv[2], NULL, 10);
		plan.call = number_of(argv[3]);
		plan.n = (unsigned int)strtoul(argv[4], NULL, 10);
		plan.action = argv[5];
		if (plan.process >= MOST_PROCESSES)
			errx(2, "no such process");
	}
	(void)start(argv + (plan.list ? 2 : 6));
	follow();
	for (unsigned int i = 0; plan.list && i < n_processes; i++) {
		for (unsigned int nr = 0; nr < MOST_CALLS; nr++) {
			if (process[i].count[nr] > 0)
				(void)fprintf(report, "%u %s %u\n", i, name_of(nr),
					      process[i].count[nr]);
		}
	}
	return fclose(report) == 0 ? 0 : 2;
}
