/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Commits the running transaction of the Btrfs of fd, and waits for that. Unlike
 * syncfs(2), it does not write dirty pages of other files. Errors are not reported: a
 * later fsync(2) of a file reports them, and has nothing left to write.
 * (BTRFS_IOC_START_SYNC, BTRFS_IOC_WAIT_SYNC.)
 */
void lull_btrfs_commit(int fd);
