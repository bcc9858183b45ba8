#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Each system call of a run fails in turn, with each errno that it can return, or is the last one
# before a kill -9. DEST must be the old file or the complete new one, the writers must be thawed, and
# one more run must repair everything. See walk.py. LULL_TEST_ROUNDS (12): faults in each scenario, or
# "all".
. "$(dirname "$0")/../lib.sh"
fs_test
fs_mount xfs
xfs=$M
fs_mount btrfs
btrfs=$M
mkdir "$T/other"
mount -t tmpfs tmpfs "$T/other" || framework_failure mount
# A forked keeper looks at each descriptor that it may have: with a limit of 20,000 that is nine in ten of
# all calls.
ulimit -n 1024
python3 "$(dirname "$0")/walk.py" "$xfs" "$btrfs" "$T/other" "$T" "${LULL_TEST_ROUNDS:-12}" "$SEED" &
wait $! || bad 'not all was survived'
ok
finish
