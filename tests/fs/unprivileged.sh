#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Everything as an ordinary user without privileges, in the user's own directory: a clone with and without
# a hook, killed, resumed, refreshed, verified and kept. What only root may do is not done, and a message
# says so.
. "$(dirname "$0")/../lib.sh"
fs_test

# The user must find the program and the hook, which are run; $T is only passed through.
chmod 755 "$T"
real=$LULLCP
cat >"$T/as-user" <<USER
#!/bin/sh
exec setpriv --reuid=65534 --regid=65534 --clear-groups --bounding-set=-all --no-new-privs '$real' "\$@"
USER
cat >"$T/hook" <<'HOOK'
#!/bin/sh
echo "$1 $(id -u)" >>"$2.hook"
HOOK
chmod 755 "$T/as-user" "$T/hook"
LULLCP=$T/as-user

patch() { # patch FILE BLOCK
  scribble "$1" 4096 "$2"
}
theirs() { # theirs FILE: owned by the user
  same "$1: owner" '65534:65534' "$(stat -c %u:%g "$1")"
}

killed() { # killed ARG... DEST: once it has come somewhere
  "$LULLCP" --duty-cycle=1 --checkpoint-interval=20ms "$@" 2>/dev/null &
  local pid=$! checkpoint
  checkpoint=$(dirname "${*: -1}")/.$(basename "${*: -1}").lullcp
  for _ in $(seq 1000); do
    [ "$(jq .offset "$checkpoint" 2>/dev/null)" -gt 0 ] 2>/dev/null && break
    sleep 0.01
  done
  kill -9 $pid && wait $pid 2>/dev/null
}

for kind in xfs btrfs; do
  fs_mount "$kind"
  note "$kind"
  D=$M/home
  mkdir "$D"
  fragmented "$D/img" 3000 -h 5
  chown -R 65534:65534 "$D"
  chmod 640 "$D/img"

  expect 0 --json "$D/img" "$D/copy"
  same 'nobody writes' quiet "$(field method)"
  check 'the copy' cmp "$D/img" "$D/copy"
  theirs "$D/copy"
  no_leftovers "$D"
  expect 0 --verify --json "$D/img" "$D/copy"
  same 'proven without reading' 'identical 0' "$(field result) $(field bytes_read)"
  expect 0 --probe "$D/img"

  # frozen by a hook, that runs as the user
  expect 0 --json --hook="$T/hook" "$D/img" "$D/frozen"
  same 'the hook' $'freeze 65534\nthaw 65534' "$(cat "$D/img.hook")"
  check 'the frozen copy' cmp "$D/img" "$D/frozen"

  # killed while it is frozen: thawed by the keeper; then resumed
  rm "$D/img.hook"
  killed --hook="$T/hook" "$D/img" "$D/killed"
  soon grep -q thaw "$D/img.hook"
  same 'thawed by the keeper' $'freeze 65534\nthaw 65534' "$(cat "$D/img.hook")"
  expect 0 --status --json "$D/killed"
  theirs "$D/.killed.lullcp"
  # the keeper holds the lock until it has written down that it thawed
  for _ in $(seq 100); do
    run --resume --json --hook="$T/hook" "$D/img" "$D/killed"
    [ "$rc" = 7 ] || break
    sleep 0.05
  done
  same 'resumed' 0 "$rc"
  check 'from where it was' test "$(field resumed_at)" -gt 0
  check 'the resumed copy' cmp "$D/img" "$D/killed"
  no_leftovers "$D"

  # brought up to date, and generations
  patch "$D/img" 17
  expect 0 --refresh "$D/img" "$D/copy"
  check 'refreshed' cmp "$D/img" "$D/copy"
  for _ in 1 2 3; do
    patch "$D/img" $((RANDOM % 1000))
    expect 0 --keep=2 "$D/img" "$D/night"
  done
  newest=$(jq -r '.generations[-1].name' "$D/.night.lullcp-generations")
  check 'the newest generation' cmp "$D/img" "$D/$newest"
  same 'two are kept' 2 "$(find "$D" -name 'night.2*' | wc -l)"

  # somebody writes all the time: a point-in-time copy, or none
  fragmented "$D/live" 3000
  cat "$D/live" >"$D/first"
  "$TOOLS/numbers" write "$D/live" d "$SEED" "$T/progress" &
  writer=$!
  soon has_written "$T/progress"
  chown 65534:65534 "$D/live"
  run --json "$D/live" "$D/moment"
  # Btrfs: a snapshot takes a privilege, so only a writer that rests leaves a copy
  case "$kind $rc $(field method)" in
    'xfs 0 '* | 'btrfs 0 quiet')
      check 'a copy of one moment' "$TOOLS/numbers" check "$D/moment" "$D/first" d "$SEED" "$T/progress" ;;
    'btrfs 3 '*) check_not 'not published' test -e "$D/moment" ;;
    *) bad "while it is written: status $rc, $(field method)" ;;
  esac
  kill $writer
  wait $writer 2>/dev/null
  rm -f "$T/progress"
  rm -f "$D"/.moment*

  # what is not theirs
  install -m 600 "$D/img" "$M/secret"
  expect 1 "$M/secret" "$D/stolen"
  says 'Permission denied'
  expect 1 "$D/img" "$M/elsewhere"
  says 'Permission denied'
  check_not 'nothing made' test -e "$M/elsewhere" -o -e "$D/stolen"
  install -m 644 "$D/img" "$M/public"
  expect 0 -p "$M/public" "$D/mine"
  theirs "$D/mine"
  # a checkpoint of somebody else's is not believed: its hook would run as the user
  killed "$D/img" "$D/half"
  chown 0:0 "$D/.half.lullcp"
  chmod 644 "$D/.half.lullcp"
  expect 1 --resume "$D/img" "$D/half"
  says 'is not to be trusted'
  check 'nothing made of it, nothing lost' test ! -e "$D/half" -a -s "$D/.half.lullcp-part"

  fs_unmount "$M"
done
finish
