#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The machine crashes at random moments (XFS: shut down without flushing the log; Btrfs: a
# copy of the backing file, taken live, is what is left). After the next mount DEST is the
# old file or the whole new one, and --resume completes it. LULL_TEST_ROUNDS (200).
. "$(dirname "$0")/../lib.sh"
fs_test
rounds=${LULL_TEST_ROUNDS:-200}
half=$(((rounds + 1) / 2))
survived=0

after_crash() { # after_crash ROUND: what must hold after the remount
  local got new
  new=$(sha256sum <"$M/src")
  got=$(sha256sum <"$M/dst")
  case $got in
    "$old" | "$new") ok ;;
    *) bad "round $1: neither the old file nor the new one" ;;
  esac
  expect 0 --resume "$M/src" "$M/dst"
  same "round $1: resumed" "$new" "$(sha256sum <"$M/dst")"
  no_leftovers "$M"
}
start() { # a clone at work, in $pid; then a random while
  "$LULLCP" --duty-cycle=$((RANDOM % 60 + 40)) --checkpoint-interval=$((RANDOM % 20))ms \
    "$M/src" "$M/dst" 2>/dev/null &
  pid=$!
  sleep "0.$(printf %03d $((RANDOM % 90)))"
}

M=$T/crash
mkdir "$M"
head -c 100000 /dev/urandom >"$T/old"
old=$(sha256sum <"$T/old")

img=$(image 400M)
loop=$(losetup -f --show "$img") || cannot_run 'no loop device'
rm -f "$img"
trap 'ended=$?; umount "$M" 2>/dev/null; losetup -d "$loop" 2>/dev/null; (exit $ended); fs_end' EXIT
make_fs "$loop" xfs
mount "$loop" "$M" || framework_failure mount
fragmented "$M/src" 1500 -h 5
sync -f "$M"
note xfs
for i in $(seq "$half"); do
  before=$failures
  cp "$T/old" "$M/dst.new" && mv "$M/dst.new" "$M/dst" && sync -f "$M"
  start
  if [ $((RANDOM % 2)) = 0 ]; then
    xfs_io -x -c 'shutdown' "$M" # the log is not flushed
  else
    xfs_io -x -c 'shutdown -f' "$M"
  fi
  wait $pid 2>/dev/null
  umount "$M" && mount "$loop" "$M" || framework_failure 'remount'
  after_crash "$i"
  [ "$failures" != "$before" ] || survived=$((survived + 1))
done
umount "$M"
losetup -d "$loop"

note btrfs
img=$(image 400M)
copy=$(image 400M)
make_fs "$img" btrfs
mkdir "$T/live"
mount -o loop,commit=1 "$img" "$T/live"
fragmented "$T/live/src" 1500 -h 5
sync -f "$T/live"
# the tail of a run is where things happen: syncs, rename, removal
for i in $(seq "$half"); do
  before=$failures
  M=$T/live
  cp "$T/old" "$M/dst.new" && mv "$M/dst.new" "$M/dst" && sync -f "$M"
  start
  # a crash leaves what the device holds at one instant: fsfreeze would flush, so the
  # copy is taken of a stopped device instead, with the writer still at work above it
  kill -STOP $pid 2>/dev/null
  cp --reflink=auto --sparse=always "$img" "$copy"
  kill -KILL $pid 2>/dev/null
  wait $pid 2>/dev/null
  "$LULLCP" --restart "$M/src" "$M/dst" 2>/dev/null
  M=$T/crash
  # the same UUID twice: the live one must go before its copy comes
  umount "$T/live"
  mount -o loop "$copy" "$M" || { bad "round $i: cannot mount"; mount -o loop,commit=1 "$img" "$T/live"; continue; }
  after_crash "$i"
  umount "$M"
  mount -o loop,commit=1 "$img" "$T/live"
  [ "$failures" != "$before" ] || survived=$((survived + 1))
done
umount "$T/live"
rm -f "$img" "$copy"
note "injected $((2 * half)), survived $survived"
finish
