#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# lullcp-hook-qmp at random: a guest that never pauses; the hook, lullcp, its keeper and QEMU killed
# at any time; two runs at once; backup jobs, snapshots and disks that come and go. In the end each
# write that was acknowledged, and flushed where QEMU was killed, is read back, if need be by following
# what was printed.
# LULL_TEST_ROUNDS (6).
. "$(dirname "$0")/../lib.sh"
fs_test
. "$(dirname "$0")/vm.sh"
here=$(dirname "$0")
rounds=${LULL_TEST_ROUNDS:-6}
fs_mount xfs 2G
declare -A counts=()
did() { counts[$1]=$((${counts[$1]:-0} + 1)); }
asks() { python3 "$here/qmp.py" "$QMP" "$@"; } # asks COMMAND[=ARGUMENTS]...
overlay() { asks query-named-block-nodes | jq -r '.[]."node-name" | select(startswith("lull-"))'; }
slowly=(-q --duty-cycle=3 --latency-budget=1ms --checkpoint-interval=20ms)

# ended DEST: no lullcp works on it, and none of its hooks
ended() {
  for _ in $(seq 400); do
    case $("$LULLCP" --status "$1" 2>/dev/null) in *'at work now'*) ;; *) break ;; esac
    sleep 0.05
  done
  for _ in $(seq 400); do
    [ -n "$(mine lullcp-hook-qmp)" ] || return 0
    sleep 0.05
  done
  bad "a hook is at work on $1 yet"
}
# published WHAT DEST AT_LEAST: a clone that has its name is of one moment
published() {
  [ ! -e "$2" ] || holds "$1" "$3" $(($(acked) + 1)) "$format" "$2"
}
# over WHAT DEST: nothing is redirected; if the run could not see to that, --recover does
over() {
  # a temporary file without a record is of a run that had begun nothing
  if [ -e "$M/.$(basename "$2").lullcp" ]; then
    "$LULLCP" --recover "$2" >"$T/out" 2>"$T/err"
    same "$1: recovered" 0 $?
  fi
  not_redirected "$1" "$image"
  rm -f "$2" "$M/.$(basename "$2").lullcp"*
}

clone() {
  local least rc=0
  least=$(acked)
  "$LULLCP" -q --hook="$by_hook" "$image" "$M/c" 2>"$T/err" || rc=$?
  same 'a clone' 0 $rc
  published 'a clone' "$M/c" "$least"
  over 'a clone' "$M/c"
}
killed() { # killed lullcp|keeper|both|hook
  local least pid rc
  least=$(acked)
  "$LULLCP" "${slowly[@]}" --hook="$by_hook" "$image" "$M/c" 2>"$T/err" &
  pid=$!
  sleep "0.$(printf %03d $((RANDOM % 250)))"
  # shellcheck disable=SC2046 # lists
  case $1 in
    lullcp) kill -KILL $pid ;;
    keeper) kill -KILL $(pgrep -P $pid) ;;
    both) kill -KILL $pid $(pgrep -P $pid) ;;
    hook) kill -KILL $(mine lullcp-hook-qmp) ;;
  esac 2>/dev/null
  { wait $pid; } 2>/dev/null
  rc=$?
  ended "$M/c"
  published "$1 killed" "$M/c" "$least"
  # a run that ended by itself has thawed, or says that it could not
  [ "$1" = both ] || [ $rc = 137 ] || [ $rc = 6 ] || not_redirected "$1 killed, status $rc" "$image"
  over "$1 killed" "$M/c"
}
two() {
  local a b least
  least=$(acked)
  "$LULLCP" "${slowly[@]}" --lock-wait=60s --hook="$by_hook" "$image" "$M/c" 2>"$T/err" & a=$!
  "$LULLCP" "${slowly[@]}" --lock-wait=60s --hook="$by_hook" "$image" "$M/d" 2>"$T/err2" & b=$!
  wait $a
  same 'the first of two' 0 $?
  wait $b
  same 'the second of two' 0 $?
  published 'the first of two' "$M/c" "$least"
  published 'the second of two' "$M/d" "$least"
  over 'the first of two' "$M/c"
  over 'the second of two' "$M/d"
}
backup() {
  rm -f "$M/target"
  make_image "$M/target" raw
  asks "blockdev-add={\"driver\":\"raw\",\"node-name\":\"target\",\"file\":{\"driver\":\"file\",\"filename\":\"$M/target\"}}" \
    'blockdev-backup={"job-id":"nightly","device":"a","target":"target","sync":"full","speed":1}' >"$T/out"
  expect 5 -q --hook="$by_hook" "$image" "$M/c"
  not_redirected 'beside a backup' "$image"
  asks 'block-job-cancel={"device":"nightly"}' >"$T/out"
  for _ in $(seq 200); do
    [ "$(asks query-jobs)" != '[]' ] || break
    sleep 0.02
  done
  asks 'blockdev-del={"node-name":"target"}' >"$T/out"
  over 'beside a backup' "$M/c"
}
plugged() { # another disk comes, is cloned with this one, and goes
  local least rc=0
  rm -rf "$M/other" "$M/set"
  make_image "$M/other" raw
  mkdir "$M/set"
  asks "blockdev-add={\"driver\":\"raw\",\"node-name\":\"other\",\"file\":{\"driver\":\"file\",\"filename\":\"$M/other\"}}" \
    'block-export-add={"type":"nbd","id":"e-other","node-name":"other","name":"other","writable":true}' >"$T/out"
  least=$(acked)
  "$LULLCP" -q --hook="$by_hook" "$image" "$M/other" "$M/set" 2>"$T/err" || rc=$?
  same 'with another disk' 0 $rc
  published 'with another disk' "$M/set/img" "$least"
  not_redirected 'with another disk' "$image" "$M/other"
  asks 'block-export-del={"id":"e-other","mode":"hard"}' 'blockdev-del={"node-name":"other"}' >"$T/out"
}
snapshot() { # somebody's snapshot comes on top while the image is frozen, and is committed again
  "$HOOK" --socket="$QMP" freeze "$image" 2>"$T/err"
  same 'freeze' 0 $?
  rm -f "$M/above"
  asks "blockdev-snapshot-sync={\"node-name\":\"$(overlay)\",\"snapshot-file\":\"$M/above\",\"snapshot-node-name\":\"above\"}" >"$T/out"
  "$HOOK" --socket="$QMP" thaw "$image" 2>"$T/err"
  same 'thaw below a snapshot' 0 $?
  not_redirected 'below a snapshot' "$image"
  asks 'block-commit={"job-id":"back","device":"above","auto-dismiss":true}' >"$T/out"
  for _ in $(seq 200); do
    case $(asks query-jobs) in
      *ready*) asks 'job-complete={"id":"back"}' >"$T/out" ;;
      '[]') break ;;
    esac
    sleep 0.02
  done
  same 'the snapshot is committed' '[]' "$(asks query-jobs)"
}

# what a thaw told to run, as it stands
advice() {
  local command
  command=$(sed -n 's/.* If no guest was: \(.*\)\. If one was,.*/\1/p' "$T/err")
  [ -n "$command" ] || command=$(sed -n 's/^lullcp-hook-qmp: .* run: //p' "$T/err")
  echo "$command"
}
# No QEMU has the image: a thaw by hand, and what it tells, until it says that all is well.
put_right() {
  local command rc
  for _ in 1 2 3 4; do
    "$HOOK" --socket="$QMP" thaw "$image" >"$T/out" 2>"$T/err"
    rc=$?
    cat "$T/err" >>"$T/story"
    [ $rc != 0 ] || break
    command=$(advice)
    echo "run: $command" >>"$T/story"
    check "it is told what to run: $(cat "$T/err")" test -n "$command"
    did followed
    (cd / && bash -c "$command") >"$T/followed" 2>&1 || bad "$command: $(cat "$T/followed")"
    # that of a merge that was cut off leaves the sidecar, whose contents are in the image now
    case $command in *' && rm '*) ;; *) rm -f "$M/.img.lullcp-sidecar" ;; esac
  done
  same 'in the end the thaw is content' 0 $rc
  check_not 'no sidecar' test -e "$M/.img.lullcp-sidecar"
}
lights_out() { # QEMU is killed, and perhaps lullcp with its keeper, or a hook
  local least pid how=$((RANDOM % 4))
  least=$(acked)
  "$LULLCP" "${slowly[@]}" --hook="$by_hook" "$image" "$M/c" 2>"$T/err" &
  pid=$!
  sleep "0.$(printf %03d $((RANDOM % 300)))"
  # shellcheck disable=SC2046 # lists
  case $how in
    0) kill -KILL "$qsd" ;;
    1) kill -KILL "$qsd" $pid ;;
    2) kill -KILL $pid $(pgrep -P $pid) "$qsd" ;;
    3) kill -KILL "$qsd" $(mine lullcp-hook-qmp) ;;
  esac 2>/dev/null
  { wait "$qsd"; wait "$writer"; wait $pid; } 2>/dev/null
  did "QEMU killed ($how)"
  ended "$M/c"
  {
    echo "QEMU killed ($how), acknowledged: $(acked)"
    cat "$T/err"
    find "$M" -name '.*lullcp*' -printf '%f %s\n'
  } >>"$T/story"
  published 'QEMU killed' "$M/c" "$least"
  put_right
  # QEMU has the tables of a qcow2 file in memory until the guest flushes
  survives 'QEMU killed' "$format" "$image"
  # what is recorded of the run has nothing left to thaw
  if [ -e "$M/.c.lullcp" ]; then
    "$LULLCP" --recover "$M/c" >"$T/out" 2>"$T/err"
    same 'recovered without QEMU' 0 $?
  fi
  rm -rf "${SOCKETS:?}"
}
calm() {
  writer_end
  "$HOOK" --socket="$QMP" thaw "$image" >"$T/out" 2>"$T/err"
  same 'a thaw by hand' 0 $?
  not_redirected 'in the end' "$image"
  qsd_end
  holds 'in the end' "$(acked)" "$(acked)" "$format" "$image"
}

sound=0
for round in $(seq "$rounds"); do
  before=$failures
  : >"$T/story"
  rm -rf "${M:?}"/* "$M"/.??*
  formats=(raw qcow2)
  format=${formats[RANDOM % 2]}
  image=$M/img
  make_image "$image" "$format"
  head -c 100000 /dev/urandom >"$M/.foreign.lullcp-sidecar"
  foreign=$(sha256sum <"$M/.foreign.lullcp-sidecar")
  qsd "a=$image=$format"
  by_hook="$HOOK --socket=$QMP"
  rm -f "$T/acked"
  writer a
  events=(clone 'killed lullcp' 'killed keeper' 'killed both' 'killed hook' two backup plugged snapshot)
  for _ in $(seq $((RANDOM % 3 + 1))); do
    event=${events[RANDOM % ${#events[@]}]}
    did "$event"
    $event
  done
  if [ $((RANDOM % 2)) = 0 ]; then lights_out; else calm; fi
  same 'a foreign file is left alone' "$foreign" "$(sha256sum <"$M/.foreign.lullcp-sidecar")"
  if [ "$failures" = "$before" ]; then
    sound=$((sound + 1))
  else
    note "round $round of seed $SEED failed; what was said:"
    sed 's/^/    /' "$T/story"
    pkill -KILL -P $$ 2>/dev/null
    wait 2>/dev/null
  fi
done
for event in "${!counts[@]}"; do note "$event: ${counts[$event]}"; done
note "rounds $rounds, sound $sound"
finish
