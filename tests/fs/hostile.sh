#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The directory of DEST is writable by all, and an attacker uses that. root's lullcp writes only to its
# own files, follows no checkpoint of another user, and ends. If it ends with 0, DEST equals SOURCE.
# LULL_TEST_ROUNDS (50).
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../lib.sh"
fs_test
rounds=${LULL_TEST_ROUNDS:-50}
chmod 755 "$T"
rm -f /tmp/pwned

for kind in xfs btrfs; do
  fs_mount "$kind"
  note "$kind"
  chmod 755 "$M"
  mkdir -m 777 "$M/pub"
  mkdir "$M/safe"
  fragmented "$M/src" 700
  chmod 600 "$M/src"
  # open to all, or the kernel forbids hard links to it
  echo 'not to be touched' >"$M/safe/victim"
  chmod 666 "$M/safe/victim"
  cp -p "$M/safe/victim" "$M/pub/bystander"
  victim=$(stat -c '%i %u %a %s' "$M/safe/victim")
  bystander=$(stat -c '%i %u %a %s %Y' "$M/pub/bystander")
  declare -A ends=()
  python3 "$here/hostile.py" "$M/pub" dst "$M/safe/victim" "$SEED" 65534 &
  enemy=$!
  for i in $(seq $(((rounds + 1) / 2))); do
    rm -rf "$M/pub/dst"
    old=
    if [ $((RANDOM % 2)) = 0 ]; then
      old='an old file'
      echo "$old" >"$M/pub/dst"
    fi
    args=(--checkpoint-interval=$((RANDOM % 3))ms --latency-budget=$((RANDOM % 3 + 1))ms)
    case $((RANDOM % 6)) in
      0) args+=(--resume) ;;
      1) args+=(--restart) ;;
      2) args+=(--inplace --restart) ;;
      3)
        rm -f "$M/pub/dst" && cp --reflink=always "$M/src" "$M/pub/dst" && args+=(--refresh --restart)
        old=$(b2sum <"$M/pub/dst")
        ;;
    esac
    rc=0
    timeout -k 1 20 "$LULLCP" "${args[@]}" "$M/src" "$M/pub/dst" >"$T/out" 2>"$T/err" </dev/null || rc=$?
    ends[$rc]=$((${ends[$rc]:-0} + 1))
    case $rc in
      0)
        check "round $i: 0, and DEST is not SOURCE" cmp "$M/src" "$M/pub/dst"
        same "round $i: owner" 0 "$(stat -c %u "$M/pub/dst")"
        ;;
      1 | 3 | 11) check "round $i: $rc, and nothing is said" test -s "$T/err" ;;
      *) bad "round $i: lullcp ${args[*]}: status $rc" ;;
    esac
    same 'the victim' "$victim" "$(stat -c '%i %u %a %s' "$M/safe/victim")"
    same 'its data' 'not to be touched' "$(cat "$M/safe/victim")"
    same 'a file that nobody spoke of' "$bystander" "$(stat -c '%i %u %a %s %Y' "$M/pub/bystander")"
    [ $((RANDOM % 4)) != 0 ] || timeout 20 "$LULLCP" --recover "$M/pub/dst" >/dev/null 2>&1
    check_not "a planted checkpoint's hook was run" test -e /tmp/pwned
  done
  kill $enemy || bad 'the enemy gave up'
  wait $enemy 2>/dev/null
  note "$kind: statuses$(for rc in "${!ends[@]}"; do printf ' %s x %s' "${ends[$rc]}" "$rc"; done)"
  check 'never got through' test "${ends[0]:-0}" -gt 0
  check 'never disturbed' test "${ends[1]:-0}" -gt 0

  # when he is gone, what he left is in the way of nobody but by its name
  rm -rf "$M/pub/".dst.lullcp* "$M/pub/dst"
  expect 0 --restart "$M/src" "$M/pub/dst"
  check 'in peace' cmp "$M/src" "$M/pub/dst"
  unset ends

  # a subvolume that is not a snapshot of SOURCE's has the name of one
  if [ "$kind" = btrfs ]; then
    btrfs -q subvolume create "$M/precious"
    echo precious >"$M/precious/file"
    "$LULLCP" --duty-cycle=2 --latency-budget=1ms --checkpoint-interval=0 "$M/src" "$M/pub/dst" &
    pid=$!
    state=
    for _ in $(seq 100); do
      state=$(find "$STATE_DIRECTORY" -name '*.lullcp')
      [ -z "$state" ] || break
      sleep 0.02
    done
    kill -9 $pid
    wait $pid 2>/dev/null
    jq '.snapshot_name = ".dst.lullcp-snap"' "$state" >"$T/new" || bad jq
    cat "$T/new" >"$state"
    mv "$M/precious" "$M/pub/.dst.lullcp-snap"
    expect 0 --recover "$M/pub/dst"
    says '.dst.lullcp-snap'
    expect 0 --resume "$M/src" "$M/pub/dst"
    same 'another subvolume' precious "$(cat "$M/pub/.dst.lullcp-snap/file")"
    btrfs -q subvolume delete "$M/pub/.dst.lullcp-snap"
  fi
  fs_unmount "$M"
done
finish
