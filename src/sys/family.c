// SPDX-License-Identifier: MIT
/* Finds the family of a process and ends it: see family.h. */
#include "sys/family.h"

#include "sys/clock.h"
#include "sys/process.h"
#include "util/macros.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LOOK_NS (10 * NSEC_PER_MSEC)
/* How long to wait after SIGKILL. Only a call that is stuck in a device or a frozen file
   system takes longer. */
#define LAST_NS (5 * NSEC_PER_SEC)

/* Returns when the member with that process ID was started, or 0 if there is none. */
static unsigned long long born(const struct lull_family *family, pid_t pid)
{
	if (pid == family->leader)
		return family->born;
	for (unsigned int i = 0; i < family->n; i++) {
		if (family->member[i].pid == pid)
			return family->member[i].born;
	}
	return 0;
}

static bool is_still(pid_t pid, unsigned long long since)
{
	struct lull_process process;

	return lull_process_read(pid, &process) == 0 && process.born == since;
}

/* Returns true if the process is a child of a member and not a member yet. Checks that
   the parent's ID has not gone to another process, whose children must not be ended. */
static bool is_child(const struct lull_family *family, const struct lull_process *process)
{
	unsigned long long since = born(family, process->parent);

	return since > 0 && born(family, process->pid) == 0 &&
	       is_still(process->parent, since);
}

/* Adds children until there are no more. A walk goes by process IDs, and a child may have
   a lower one than its parent. */
static void grow(struct lull_family *family)
{
	unsigned int before;

	do {
		_cleanup_list_ DIR *list = lull_process_list();
		struct lull_process process;

		before = family->n;
		while (family->n < LULL_FAMILY_MOST &&
		       lull_process_next(list, &process)) {
			if (!is_child(family, &process))
				continue;
			family->member[family->n].pid = process.pid;
			family->member[family->n++].born = process.born;
		}
	} while (family->n > before);
}

void lull_family_find(pid_t leader, struct lull_family *ret_family)
{
	struct lull_process process = { 0 };

	(void)!lull_process_read(leader, &process);
	ret_family->leader = leader;
	ret_family->born = process.born;
	ret_family->n = 0;
	grow(ret_family);
}

static bool lives(const struct lull_family *family, unsigned int i)
{
	return is_still(family->member[i].pid, family->member[i].born);
}

/* Signals a member. If the kernel supports it (5.3), never signals another process that
   has got the ID in the meantime. */
static int signal_member(const struct lull_family *family, unsigned int i, int signal)
{
	const pid_t pid = family->member[i].pid;
	int r = 0;
#if defined(SYS_pidfd_open) && defined(SYS_pidfd_send_signal)
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);

	if (fd >= 0) {
		if (lives(family, i))
			r = (int)syscall(SYS_pidfd_send_signal, fd, signal, NULL, 0);
		r = r < 0 ? -errno : 0;
		(void)close(fd);
		return r;
	}
	if (errno == ESRCH)
		return 0;
#endif
	if (lives(family, i))
		r = kill(pid, signal);
	return r < 0 ? -errno : 0;
}

int lull_family_signal(struct lull_family *family, int signal)
{
	int r;

	grow(family);
	r = kill(-family->leader, signal) < 0 ? -errno : 0;
	for (unsigned int i = 0; i < family->n; i++) {
		int one = signal_member(family, i, signal);

		if (one == -EPERM)
			r = one;
	}
	return r == -EPERM ? r : 0;
}

int lull_family_await(const struct lull_family *family, uint64_t ns)
{
	uint64_t until = NSEC_AFTER(lull_clock_now(), ns);

	for (;;) {
		bool left = lull_process_count(family->leader, NULL) > 0;

		for (unsigned int i = 0; i < family->n && !left; i++)
			left = lives(family, i);
		if (!left)
			return 0;
		if (lull_clock_now() >= until)
			return -ETIMEDOUT;
		lull_clock_sleep(LOOK_NS);
	}
}

int lull_family_end(pid_t leader, uint64_t grace_ns)
{
	struct lull_family family;
	int r;

	lull_family_find(leader, &family);
	r = lull_family_signal(&family, SIGTERM);
	if (r < 0)
		return r;
	if (lull_family_await(&family, grace_ns) == 0)
		return 0;
	(void)lull_family_signal(&family, SIGKILL);
	return lull_family_await(&family, LAST_NS);
}
