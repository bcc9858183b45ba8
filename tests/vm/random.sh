#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# lullcp-hook-qmp in random situations, with a guest that never pauses:
#  - the hook, lullcp, its keeper and QEMU are killed at any time, and QEMU is started again on the image
#    or on the sidecar;
#  - two runs at once, of one disk and of two;
#  - backup jobs, snapshots and bitmaps begin and end at any time of a run;
#  - an image is streamed into the sidecar;
#  - disks come and go, grow and shrink, and are restored;
#  - there is no space for the sidecar; a guest agent fails.
# In the end each acknowledged write (a flushed one, if QEMU was killed) must be read back, if necessary
# after running the printed commands. LULL_TEST_ROUNDS (6).
. "$(dirname "$0")/../lib.sh"
fs_test
. "$(dirname "$0")/vm.sh"
here=$(dirname "$0")
rounds=${LULL_TEST_ROUNDS:-6}
fs_mount xfs 2G
declare -A counts=()
did() { counts[$1]=$((${counts[$1]:-0} + 1)); }
asks() { python3 "$here/qmp.py" "$QMP" "$@"; } # asks COMMAND[=ARGUMENTS]...
others() { python3 "$here/qmp.py" "$OTHER_QMP" "$@"; } # the same, whatever the hook is at
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
  [ ! -e "$2" ] || holds "$1" "$3" "$(begun)" "$format" "$2"
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

freeze() { # freeze IMAGE: by hand
  "$HOOK" --socket="$QMP" "${elsewhere[@]}" freeze "$1" 2>"$T/err"
  same 'freeze' 0 $?
}
thaw() { # thaw STATUS WHAT IMAGE: by hand
  "$HOOK" --socket="$QMP" "${elsewhere[@]}" thaw "$3" 2>"$T/err"
  same "thaw: $2" "$1" $?
}
no_jobs() { soon eval '[ "$(asks query-jobs)" = "[]" ]'; }
no_export() { # no_export ID: it takes a moment to go
  for _ in $(seq 200); do
    case $(asks query-block-exports) in *"\"$1\""*) sleep 0.02 ;; *) return 0 ;; esac
  done
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
# The part of somebody else in a run: begins something, and ends it some time later. What it cannot
# do, because the hook is at work, is left undone.
top() { others query-block-exports | jq -r '.[] | select(.id == "e-a") | ."node-name"'; }
pause() { sleep "0.$(printf %03d $((RANDOM % 400)))"; }
meddle() { # meddle KIND
  local node
  pause
  case $1 in
    backup)
      rm -f "$M/target"
      make_image "$M/target" raw
      others "blockdev-add={\"driver\":\"raw\",\"node-name\":\"target\",\"file\":{\"driver\":\"file\",\"filename\":\"$M/target\"}}" \
        "blockdev-backup={\"job-id\":\"nightly\",\"device\":\"$(top)\",\"target\":\"target\",\"sync\":\"full\",\"speed\":65536}"
      pause
      for _ in $(seq 400); do
        others 'block-job-cancel={"device":"nightly","force":true}'
        [ "$(others 'blockdev-del={"node-name":"target"}')" != '{}' ] || return 0
        sleep 0.05
      done
      return 1
      ;;
    snapshot)
      rm -f "$M/above"
      node=$(top)
      others "blockdev-snapshot-sync={\"node-name\":\"$node\",\"snapshot-file\":\"$M/above\",\"snapshot-node-name\":\"above\"}"
      pause
      # begun anew where the hook was at the same; what is below it may be merged by then
      for _ in $(seq 40); do
        [ "$(top)" = above ] || return 0
        others query-named-block-nodes | grep -qF "\"$node\"" || node=a
        others "block-commit={\"job-id\":\"back\",\"device\":\"above\",\"base-node\":\"$node\"}"
        for _ in $(seq 100); do
          case $(others query-jobs) in
            *'"back"'*ready* | *ready*'"back"'*) others 'job-complete={"id":"back"}' ;;
            *'"back"'*) ;;
            *) break ;;
          esac
          sleep 0.02
        done
      done
      return 1
      ;;
    bitmap)
      node=$(top)
      others "block-dirty-bitmap-add={\"node\":\"$node\",\"name\":\"since\",\"persistent\":true}"
      pause
      others "block-dirty-bitmap-remove={\"node\":\"$node\",\"name\":\"since\"}"
      ;;
  esac
}
meddled() { # meddled KIND
  local least pid rc what="meddled with, $1"
  least=$(acked)
  meddle "$1" >>"$T/story" 2>&1 &
  meddler=$!
  "$LULLCP" "${slowly[@]}" --hook="$by_hook" "$image" "$M/c" 2>"$T/err" &
  pid=$!
  pause
  # shellcheck disable=SC2046 # a list
  case $((RANDOM % 4)) in
    0) kill -KILL $pid ;;
    1) kill -KILL $(mine lullcp-hook-qmp) ;;
  esac 2>/dev/null
  { wait $pid; } 2>/dev/null
  rc=$?
  wait $meddler
  same "$what: what somebody else had begun has ended" 0 $?
  echo "$what: status $rc: $(cat "$T/err")" >>"$T/story"
  ended "$M/c"
  published "$what" "$M/c" "$least"
  # what somebody else had begun has ended: now it can be merged
  thaw 0 "$what" "$image"
  over "$what" "$M/c"
}
beside() { # a run of each of two disks, at once, by one monitor
  local least a b
  rm -rf "$M/other" "$M/d" "$M/want"
  make_image "$M/other" raw
  qemu-io -f raw -c 'write -P 3 0 1M' "$M/other" >"$T/out"
  cp "$M/other" "$M/want"
  asks "blockdev-add={\"driver\":\"raw\",\"node-name\":\"other\",\"file\":{\"driver\":\"file\",\"filename\":\"$M/other\"}}" \
    'block-export-add={"type":"nbd","id":"e-other","node-name":"other","name":"other","writable":true}' >"$T/out"
  least=$(acked)
  "$LULLCP" "${slowly[@]}" --hook="$by_hook" "$image" "$M/c" 2>"$T/err" & a=$!
  "$LULLCP" "${slowly[@]}" --hook="$by_hook" "$M/other" "$M/d" 2>"$T/err2" & b=$!
  wait $a
  same 'one beside another' 0 $?
  wait $b
  same "another beside one: $(cat "$T/err2")" 0 $?
  published 'one beside another' "$M/c" "$least"
  check 'another beside one' cmp "$M/want" "$M/d"
  over 'one beside another' "$M/c"
  not_redirected 'another beside one' "$M/other"
  asks 'block-export-del={"id":"e-other","mode":"hard"}' >"$T/out"
  no_export e-other
  asks 'blockdev-del={"node-name":"other"}' >"$T/out"
  rm -f "$M/d"
}
streamed() { # the image goes into the sidecar, which is the whole disk then; QEMU ends in order
  freeze "$image"
  asks "block-stream={\"job-id\":\"pull\",\"device\":\"$(overlay)\"}" >"$T/out"
  no_jobs
  thaw 1 'streamed' "$image"
  sleep "0.$((RANDOM % 3))"
  writer_end
  qsd_end
  put_right
  holds 'streamed' "$(acked)" "$(acked)" "$format" "$image"
  go_on
}
backup() {
  rm -f "$M/target"
  make_image "$M/target" raw
  asks "blockdev-add={\"driver\":\"raw\",\"node-name\":\"target\",\"file\":{\"driver\":\"file\",\"filename\":\"$M/target\"}}" \
    'blockdev-backup={"job-id":"nightly","device":"a","target":"target","sync":"full","speed":1}' >"$T/out"
  expect 5 -q --hook="$by_hook" "$image" "$M/c"
  not_redirected 'beside a backup' "$image"
  asks 'block-job-cancel={"device":"nightly"}' >"$T/out"
  no_jobs
  asks 'blockdev-del={"node-name":"target"}' >"$T/out"
  over 'beside a backup' "$M/c"
}
late_backup() { # begun while the image is frozen
  freeze "$image"
  rm -f "$M/target"
  make_image "$M/target" raw
  asks "blockdev-add={\"driver\":\"raw\",\"node-name\":\"target\",\"file\":{\"driver\":\"file\",\"filename\":\"$M/target\"}}" \
    "blockdev-backup={\"job-id\":\"nightly\",\"device\":\"$(overlay)\",\"target\":\"target\",\"sync\":\"full\",\"speed\":1}" >"$T/out"
  if ! "$HOOK" --socket="$QMP" "${elsewhere[@]}" thaw "$image" 2>"$T/err"; then
    check 'a late backup: the sidecar is kept' test -s "$sidecar"
    asks 'block-job-cancel={"device":"nightly"}' >"$T/out"
    no_jobs
    thaw 0 'after a late backup' "$image"
  fi
  asks 'block-job-cancel={"device":"nightly"}' >"$T/out"
  no_jobs
  asks 'blockdev-del={"node-name":"target"}' >"$T/out"
  not_redirected 'after a late backup' "$image"
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
  # it grows, also while it is frozen; an NBD export would not allow that
  asks 'block-export-del={"id":"e-other","mode":"hard"}' >"$T/out"
  no_export e-other
  asks "block-export-add={\"type\":\"vhost-user-blk\",\"id\":\"v\",\"node-name\":\"other\",\"addr\":{\"type\":\"unix\",\"path\":\"$SOCKETS/v\"},\"writable\":true}" \
    'block_resize={"node-name":"other","size":18874368}' >"$T/out"
  freeze "$M/other"
  asks "block_resize={\"node-name\":\"$(overlay)\",\"size\":20971520}" >"$T/out"
  thaw 0 'a disk that grew' "$M/other"
  same 'it has grown' 20971520 "$(stat -c %s "$M/other")"
  freeze "$M/other"
  asks "block_resize={\"node-name\":\"$(overlay)\",\"size\":16777216}" >"$T/out"
  thaw 1 'a disk that shrank' "$M/other"
  asks "block_resize={\"node-name\":\"$(overlay)\",\"size\":20971520}" >"$T/out"
  thaw 0 'a disk that shrank, and grew' "$M/other"
  same 'it has its size' 20971520 "$(stat -c %s "$M/other")"
  not_redirected 'a disk that grew' "$M/other"
  asks 'block-export-del={"id":"v","mode":"hard"}' >"$T/out"
  no_export v
  asks 'blockdev-del={"node-name":"other"}' >"$T/out"
}
snapshot() { # somebody's snapshot comes on top while the image is frozen, and is committed again
  freeze "$image"
  rm -f "$M/above"
  asks "blockdev-snapshot-sync={\"node-name\":\"$(overlay)\",\"snapshot-file\":\"$M/above\",\"snapshot-node-name\":\"above\"}" >"$T/out"
  thaw 0 'below a snapshot' "$image"
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
restored() { # another file takes the name of the image, while QEMU has the old one, and goes again
  cp "$image" "$M/restored"
  ln "$image" "$M/kept"
  [ $((RANDOM % 2)) = 0 ] || freeze "$image"
  mv "$M/restored" "$image"
  expect 5 -q --hook="$by_hook" "$image" "$M/c"
  check_not 'restored: a clone' test -e "$M/c"
  mv "$M/kept" "$image"
  thaw 0 'restored and back' "$image"
  not_redirected 'restored and back' "$image"
  rm -f "$M/.c.lullcp"*
}
killed_frozen() { # QEMU, when the guest has flushed; what was acknowledged before the freeze: $safe
  writer_end
  safe=$(acked)
  freeze "$image"
  cp "$T/acked" "$T/acked.safe"
  writer a
  sleep "0.$((RANDOM % 3))"
  writer_end
  kill -KILL "$qsd"
  { wait "$qsd"; } 2>/dev/null
  rm -rf "${SOCKETS:?}"
}
again_on_sidecar() { # the guest finds all it wrote, and a thaw does not take it away
  killed_frozen
  qsd "a=$sidecar=qcow2"
  by_hook="$HOOK --socket=$QMP ${elsewhere[*]}"
  writer a
  "$HOOK" --socket="$QMP" "${elsewhere[@]}" thaw "$image" >"$T/out" 2>"$T/err"
  echo "on the sidecar: $? $(cat "$T/err")" >>"$T/story"
  writer_end
  qsd_end
  put_right
  holds 'again on the sidecar' "$(acked)" "$(acked)" "$format" "$image"
  go_on
}
again_on_image() { # what is in the sidecar is older and newer at once: nobody but the user decides
  killed_frozen
  cp "$T/acked" "$T/acked.sidecar"
  cp "$T/acked.safe" "$T/acked"
  go_on
  sleep 0.1
  thaw 1 'again on the image' "$image"
  check 'again on the image: the sidecar is kept' test -s "$sidecar"
  expect 5 -q --hook="$by_hook" "$image" "$M/c"
  check 'again on the image: the sidecar is kept yet' test -s "$sidecar"
  writer_end
  qsd_end
  "$HOOK" --socket="$QMP" "${elsewhere[@]}" thaw "$image" >"$T/out" 2>"$T/err"
  same 'again on the image: without QEMU' 1 $?
  says 'do not commit'
  holds 'again on the image' "$(acked)" "$(acked)" "$format" "$image"
  rm -f "$(readlink -f "$sidecar")" "$sidecar" "$M/.c.lullcp"*
  go_on
}
quiesced() { # the agent may refuse, or never answer, and something be killed meanwhile
  local faults=('' '' no-freeze silent-freeze no-thaw stale) fault agent pid least rc how=$((RANDOM % 6))
  fault=${faults[RANDOM % ${#faults[@]}]}
  did "quiesced${fault:+, $fault}"
  python3 "$here/fake-agent.py" "$SOCKETS/agent" "$fault" & agent=$!
  soon test -S "$SOCKETS/agent"
  least=$(acked)
  "$LULLCP" "${slowly[@]}" \
    --hook="$by_hook --quiesce --agent=$SOCKETS/agent --agent-timeout=1s" "$image" "$M/c" 2>"$T/err" &
  pid=$!
  [ $how -gt 3 ] || sleep "0.$(printf %03d $((RANDOM % 200)))"
  # shellcheck disable=SC2046 # a list
  case $how in
    0) kill -KILL $pid ;;
    1) kill -KILL $(mine lullcp-hook-qmp) ;;
    2) kill -KILL $pid $(pgrep -P $pid) ;;
  esac 2>/dev/null
  { wait $pid; } 2>/dev/null
  rc=$?
  ended "$M/c"
  echo "quiesced, $fault, $how: status $rc: $(cat "$T/err")" >>"$T/story"
  published "quiesced, $fault" "$M/c" "$least"
  touch "$SOCKETS/agent.mended"
  over "quiesced, $fault" "$M/c"
  # of a freeze that was asked for nothing is left
  if [ -s "$SOCKETS/agent.log" ]; then
    same "quiesced, $fault, $how: status $rc: thawed" guest-fsfreeze-thaw "$(tail -n 1 "$SOCKETS/agent.log")"
  fi
  kill $agent
  wait $agent 2>/dev/null
  rm -f "$SOCKETS"/agent*
}
no_room() { # the guest hears of it; nothing that it was told is written is lost
  local places=("${elsewhere[@]}")
  mkdir "$M/little"
  mount -t tmpfs -o size=$((RANDOM % 3000 + 300))k tmpfs "$M/little" || framework_failure 'cannot mount'
  elsewhere=(--sidecar-dir="$M/little")
  if "$HOOK" --socket="$QMP" "${elsewhere[@]}" freeze "$image" 2>"$T/err"; then
    wait "$writer"
    same 'no room: the guest hears of it' 3 $?
    case $((RANDOM % 3)) in
      0) ;;
      1)
        kill -KILL "$qsd"
        { wait "$qsd"; } 2>/dev/null
        put_right
        survives 'no room, QEMU killed' "$format" "$image"
        rm -rf "${SOCKETS:?}" "$T/acked"
        : >"$image"
        make_image "$image" "$format"
        ;;
      2)
        "$LULLCP" -q --hook="$HOOK --socket=$QMP ${elsewhere[*]}" "$image" "$M/c" 2>"$T/err"
        same 'no room: a clone' 5 $?
        rm -f "$M/c"
        ;;
    esac
  else
    writer_end
  fi
  if [ -e "$SOCKETS" ]; then
    thaw 0 'no room' "$image"
    not_redirected 'no room' "$image"
    qsd_end
    holds 'no room' "$(acked)" "$(begun)" "$format" "$image"
  fi
  same 'no room: nothing is left there' '' "$(ls -A "$M/little")"
  umount "$M/little"
  rmdir "$M/little"
  elsewhere=("${places[@]}")
  go_on
}
go_on() { # QEMU and the guest, anew
  qsd "a=$image=$format"
  by_hook="$HOOK --socket=$QMP ${elsewhere[*]}"
  writer a
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
    "$HOOK" --socket="$QMP" "${elsewhere[@]}" thaw "$image" >"$T/out" 2>"$T/err"
    rc=$?
    cat "$T/err" >>"$T/story"
    [ $rc != 0 ] || break
    command=$(advice)
    echo "run: $command" >>"$T/story"
    check "it is told what to run: $(cat "$T/err")" test -n "$command"
    did followed
    (cd / && bash -c "$command") >"$T/followed" 2>&1 || bad "$command: $(cat "$T/followed")"
  done
  same 'in the end the thaw is content' 0 $rc
  check_not 'no sidecar' test -e "$sidecar"
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
  "$HOOK" --socket="$QMP" "${elsewhere[@]}" thaw "$image" >"$T/out" 2>"$T/err"
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
  image=$M/img sidecar=$M/.img.lullcp-sidecar
  # beside the image, or elsewhere and a link beside it
  elsewhere=()
  if [ $((RANDOM % 2)) = 0 ]; then
    mkdir "$M/side"
    elsewhere=(--sidecar-dir="$M/side")
  fi
  # now and then a whole guest, which takes longer to start
  GUEST=
  [ $((RANDOM % 5)) != 0 ] || GUEST=1
  [ -z "$GUEST" ] || did 'a whole guest'
  make_image "$image" "$format"
  head -c 100000 /dev/urandom >"$M/.foreign.lullcp-sidecar"
  foreign=$(b2sum <"$M/.foreign.lullcp-sidecar")
  rm -f "$T/acked"
  go_on
  events=(clone 'killed lullcp' 'killed keeper' 'killed both' 'killed hook' two beside backup late_backup
    quiesced quiesced no_room 'meddled backup' 'meddled snapshot' 'meddled bitmap' streamed plugged snapshot restored again_on_sidecar again_on_image)
  for _ in $(seq $((RANDOM % 3 + 1))); do
    event=${events[RANDOM % ${#events[@]}]}
    did "$event"
    $event
  done
  if [ $((RANDOM % 2)) = 0 ]; then lights_out; else calm; fi
  [ ${#elsewhere[@]} = 0 ] || same 'nothing is left elsewhere' '' "$(ls -A "$M/side")"
  same 'a foreign file is left alone' "$foreign" "$(b2sum <"$M/.foreign.lullcp-sidecar")"
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
