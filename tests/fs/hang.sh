#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A call hangs in the kernel: lullcp still reports its progress, answers signals and thaws in time. It
# publishes and removes nothing before the call is over.
hook=$(cd "$(dirname "$0")" && pwd)/hook-log.sh
. "$(dirname "$0")/../lib.sh"
fs_test
export HOOK_LOG=$T/log HANG_FILE=$T/hangs
small=(--latency-budget=1ms --checkpoint-interval=1h)

# await WHAT COMMAND...: waits until COMMAND succeeds
await() {
  local what=$1 _
  shift
  for _ in $(seq 600); do
    ! "$@" >/dev/null 2>&1 || { ok; return; }
    sleep 0.05
  done
  bad "$what"
}
# hanging AT ARG...: a run that hangs there, in $pid
hanging() {
  local at=$1
  shift
  rm -f "$HANG_FILE"
  HANG_AT=$at LD_PRELOAD=$TOOLS/hang.so "$LULLCP" "$@" >"$T/out" 2>"$T/err" &
  pid=$!
  await "a call hangs" test -e "$HANG_FILE"
}
goes_on() { # goes_on STATUS: the call is over
  rm "$HANG_FILE"
  wait "$pid"
  same 'status' "$1" $?
}

for kind in xfs btrfs; do
  fs_mount "$kind"
  note "$kind"
  fragmented "$M/src" 3000
  echo old >"$M/dst"

  hanging 8 "${small[@]}" "$M/src" "$M/dst"
  kill -TERM $pid
  await 'the signal is answered' grep -q 'SIGTERM: waiting for a clone call to end' "$T/err"
  check 'it is at work yet' kill -0 $pid
  check 'the temporary file is there' test -e "$M/.dst.lullcp-part"
  same 'nothing is published' old "$(cat "$M/dst")"
  goes_on 143
  same 'it is answered once' 1 "$(grep -c SIGTERM: "$T/err")"
  expect 0 --resume "$M/src" "$M/dst"
  check 'the clone' cmp "$M/src" "$M/dst"

  rm "$M/dst"
  hanging 8 "${small[@]}" --progress=always "$M/src" "$M/dst"
  await 'the line goes on' grep -q ', in a clone call for [0-9]' "$T/err"
  : >"$T/err"
  await 'and on' grep -q ', in a clone call for [2-9]' "$T/err"
  kill -USR1 $pid
  await 'it is asked how far it is' grep -q '^lullcp: .*, in a clone call for' "$T/err"
  goes_on 0
  check 'the clone' cmp "$M/src" "$M/dst"

  rm "$M/dst"
  hanging 8 "${small[@]}" --json "$M/src" "$M/dst"
  before=$(grep -c '"status"' "$T/out")
  # shellcheck disable=SC2016 # in the other shell
  await 'JSON goes on' bash -c '[ "$(grep -c "\"status\"" "$1")" -gt $(($2 + 1)) ]' sh "$T/out" "$before"
  goes_on 0
  check 'each line is JSON' jq -e . "$T/out"

  hanging sync "${small[@]}" "$M/src" "$M/synced"
  kill -HUP $pid
  await 'a sync that hangs' grep -q 'SIGHUP: waiting for a sync to end' "$T/err"
  rm "$HANG_FILE"
  wait $pid

  # the writers do not wait for the call
  : >"$HOOK_LOG"
  hanging 8 "${small[@]}" --hook="$hook" --max-freeze=1s "$M/src" "$M/frozen"
  await 'the writers are thawed' grep -qx thawed "$HOOK_LOG"
  check 'while the call hangs' kill -0 $pid
  check_not 'nothing is published' test -e "$M/frozen"
  goes_on 3
  check_not 'nor is it then' test -e "$M/frozen"
  same 'thawed once' 1 "$(grep -cx thawed "$HOOK_LOG")"
  fs_unmount "$M"
done

# a device that really stands still: the file below it is on a file system that is frozen
for kind in xfs btrfs; do
  note "$kind on a device that stands still"
  fs_mount ext4 1500M
  below=$M
  truncate -s 1G "$below/image"
  make_fs "$below/image" "$kind"
  M=$T/above-$kind
  mkdir "$M"
  mount -o loop "$below/image" "$M" || cannot_run 'no loop device above a loop device'
  fragmented "$M/src" 3000
  sync -f "$M"
  "$LULLCP" --latency-budget=1ms --duty-cycle=5 --checkpoint-interval=0 "$M/src" "$M/dst" 2>"$T/err" &
  pid=$!
  await 'a checkpoint' test -s "$M/.dst.lullcp"
  fsfreeze -f "$below"
  await 'it hangs in the kernel' grep -q '^State:.D' "/proc/$pid/status"
  kill -TERM $pid
  await 'the signal is answered' grep -q 'SIGTERM: waiting for' "$T/err"
  check_not 'nothing is published' test -e "$M/dst"
  fsfreeze -u "$below"
  wait $pid
  same 'status' 143 $?
  expect 0 --resume "$M/src" "$M/dst"
  check 'the clone' cmp "$M/src" "$M/dst"
  fs_unmount "$M"
  fs_unmount "$below"
done
finish
