// SPDX-License-Identifier: MIT
#include "sys/btrfs_commit.h"

#include "sys/clock.h"
#include "util/macros.h"

#include <linux/btrfs.h>
#include <linux/types.h>
#include <sys/ioctl.h>

/* The call only wakes the thread that commits. One that is about to sleep, after another
   commit, sleeps on, for up to 30 s (seen with 6.18). So it is woken again, in a time
   that a commit of any size takes. */
static const unsigned int again_ms[] = { 2, 10, 30 };

void lull_btrfs_commit(int fd)
{
	__u64 wanted, running;

	if (ioctl(fd, BTRFS_IOC_START_SYNC, &wanted) < 0)
		return;
	for (unsigned int i = 0; i < sizeof(again_ms) / sizeof(again_ms[0]); i++) {
		lull_clock_sleep(again_ms[i] * NSEC_PER_MSEC);
		/* With a later one at work the wanted one is at least being committed. */
		if (ioctl(fd, BTRFS_IOC_START_SYNC, &running) < 0 || running != wanted)
			break;
	}
	(void)ioctl(fd, BTRFS_IOC_WAIT_SYNC, &wanted);
}
