/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Commits the running transaction of the Btrfs that fd is on, and waits for that. Unlike
 * syncfs(2) it writes no other file's dirty pages. What it came to is not told: fsync(2)
 * tells it of a file, and has nothing left to do. (BTRFS_IOC_START_SYNC,
 * BTRFS_IOC_WAIT_SYNC.)
 */
void lull_btrfs_commit(int fd);
