// SPDX-License-Identifier: MIT
#include "sys/btrfs_commit.h"

#include "sys/clock.h"
#include "sys/thread.h"
#include "util/macros.h"

#include <errno.h>
#include <linux/btrfs.h>
#include <linux/types.h>
#include <sys/ioctl.h>
#include <time.h>

/* How often to repeat BTRFS_IOC_START_SYNC until the transaction is committed, or another
   one runs. The call only wakes the thread that commits. While that is busy with an
   earlier commit, it misses the call, and then sleeps for 5 s or more (seen with
   6.18). */
#define AGAIN_NS (20 * NSEC_PER_MSEC)

struct commit {
	int fd;
	__u64 transaction;
};

static void *await(void *arg)
{
	struct commit *c = arg;

	(void)ioctl(c->fd, BTRFS_IOC_WAIT_SYNC, &c->transaction);
	return NULL;
}

void lull_btrfs_commit(int fd)
{
	struct commit c = { .fd = fd };
	pthread_t thread;
	__u64 running;
	int r;

	if (ioctl(fd, BTRFS_IOC_START_SYNC, &c.transaction) < 0 ||
	    lull_thread_start(&thread, await, &c) < 0)
		return;
	running = c.transaction;
	do {
		uint64_t at = lull_clock_now() + AGAIN_NS;
		struct timespec until = {
			.tv_sec = (time_t)(at / NSEC_PER_SEC),
			.tv_nsec = (long)(at % NSEC_PER_SEC),
		};

		r = pthread_clockjoin_np(thread, NULL, CLOCK_MONOTONIC, &until);
		if (r == ETIMEDOUT && running == c.transaction)
			(void)ioctl(fd, BTRFS_IOC_START_SYNC, &running);
	} while (r == ETIMEDOUT);
}
