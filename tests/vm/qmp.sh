#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# lullcp-hook-qmp with a real qemu-storage-daemon and a guest that never stops writing: the clone holds
# exactly the writes up to the redirect, and the image holds all of them afterwards, whichever process is
# killed at any time. LULL_TEST_ROUNDS (12) rounds of killing.
. "$(dirname "$0")/../lib.sh"
fs_test
. "$(dirname "$0")/vm.sh"
rounds=$(((${LULL_TEST_ROUNDS:-12} + 3) / 4))
victims=(lullcp hook both keeper lullcp+keeper all)
killed=0 survived=0
here=$(dirname "$0")

copy() { # copy WHAT STATUS OPTION...: by lullcp; the clone is of a moment meanwhile
  local what=$1 want=$2 before
  shift 2
  before=$(acked)
  expect "$want" "$@" --hook="$HOOK --socket=$QMP" "$image" "$clone"
  holds "$what: the clone" "$before" "$(begun)" "$format" "$clone"
}
sink() { # sink VICTIM: SIGKILL
  local pids=
  case $1 in
    lullcp) pids=$pid ;;
    hook) pids=$(mine lullcp-hook-qmp) ;;
    both) pids="$pid $(mine lullcp-hook-qmp)" ;;
    keeper) pids=$(mine lullcp-keeper) ;;
    lullcp+keeper) pids="$pid $(mine lullcp-keeper)" ;;
    all) pids="$pid $(mine lullcp-keeper) $(mine lullcp-hook-qmp)" ;;
  esac
  # shellcheck disable=SC2086 # a list
  [ -z "$pids" ] || ! kill -KILL $pids 2>/dev/null || killed=$((killed + 1))
}
job_is() { # job_is ID STATE: QEMU's job ID comes to STATE, 'gone' when QEMU has forgotten it
  local state=
  for _ in $(seq 300); do
    state=$(python3 "$here/qmp.py" "$QMP" query-jobs | jq -r --arg id "$1" '[.[] | select(.id == $id).status][0] // "gone"')
    [ "$state" != "$2" ] || return 0
    sleep 0.05
  done
  bad "the job $1 is $state, not $2"
}
settled() { # what was left to itself has come to its end
  for _ in $(seq 200); do
    [ -n "$(mine lullcp-keeper)$(mine lullcp-hook-qmp)" ] || return 0
    sleep 0.05
  done
  bad 'the keeper does not end'
}

for kind in xfs btrfs; do
  for format in raw qcow2; do
    fs_mount "$kind" 1G
    note "$kind, $format"
    image=$M/disk.$format clone=$M/clone
    make_image "$image" "$format"
    rm -f "$T/acked"
    qsd "d=$image=$format"
    writer d
    # in peace
    copy 'in peace' 0
    silent
    copy 'once more' 0 --duty-cycle=20
    not_redirected 'in peace' "$image"
    copy 'to another directory' 0
    mkdir -p "$M/side"
    rm "$clone"
    expect 0 --hook="$HOOK --socket=$QMP --sidecar-dir=$M/side" "$image" "$clone"
    same 'the directory of sidecars is empty' '' "$(ls -A "$M/side")"
    # while it is frozen no write reaches the image, whatever the hook is asked again
    check 'freeze' "$HOOK" --socket="$QMP" freeze "$image"
    sum=$(b2sum <"$image")
    first=$(acked)
    check 'freeze again' "$HOOK" --socket="$QMP" freeze "$image"
    sleep 0.2
    same 'the image rests' "$sum" "$(b2sum <"$image")"
    check 'the guest goes on' test "$(acked)" -gt "$first"
    check 'thaw' "$HOOK" --socket="$QMP" thaw "$image"
    check 'thaw again' "$HOOK" --socket="$QMP" thaw "$image"
    not_redirected 'by hand' "$image"
    # a thaw that was killed after the merge, before or after it removed the sidecar
    sidecar=$M/.disk.$format.lullcp-sidecar
    for gone in false true; do
      check 'freeze' "$HOOK" --socket="$QMP" freeze "$image"
      job=$(python3 "$here/qmp.py" "$QMP" query-named-block-nodes | jq -r '.[]."node-name" | select(startswith("lull-"))')
      chmod +t "$sidecar"
      # as it does before it asks QEMU to change over
      state=$(getfattr --only-values -n user.lullcp.freeze "$sidecar" 2>/dev/null)
      setfattr -n user.lullcp.freeze -v "${state%state=*}state=completing" "$sidecar"
      python3 "$here/qmp.py" "$QMP" "block-commit={\"job-id\":\"$job\",\"device\":\"$job\",\"base-node\":\"d\",\"auto-dismiss\":false}" >"$T/out"
      job_is "$job" ready
      python3 "$here/qmp.py" "$QMP" "job-complete={\"id\":\"$job\"}" >>"$T/out"
      job_is "$job" concluded
      check 'the job is over' grep -q . "$sidecar"
      ! $gone || rm "$sidecar"
      check "thaw, sidecar gone: $gone" "$HOOK" --socket="$QMP" thaw "$image"
      not_redirected "sidecar gone: $gone" "$image"
    done
    # a merge that somebody cancels, at work or when it is ready: nothing is lost
    for how in job-cancel block-job-cancel; do
      check 'freeze' "$HOOK" --socket="$QMP" freeze "$image"
      "$HOOK" --socket="$QMP" --commit-timeout=1ms thaw "$image" 2>"$T/err"
      same 'the merge is not over' 1 $?
      says 'is not merged into'
      job=$(python3 "$here/qmp.py" "$QMP" query-jobs | jq -r '.[0].id')
      key=id
      [ $how = job-cancel ] || key=device
      job_is "$job" ready
      python3 "$here/qmp.py" "$QMP" "$how={\"$key\":\"$job\"}" >/dev/null
      job_is "$job" concluded
      # with no trace of it left in QEMU but the overlay
      [ $how = block-job-cancel ] || python3 "$here/qmp.py" "$QMP" "job-dismiss={\"id\":\"$job\"}" >/dev/null
      # half merged: the image shows no point in time, so a freeze must refuse it
      before=$(acked)
      : >"$T/err"
      check 'freeze after a merge that was cut off' "$HOOK" --socket="$QMP" freeze "$image"
      after=$(begun)
      check 'copy' cp --reflink=always "$image" "$clone"
      holds "freeze after $how" "$before" "$after" "$format" "$clone"
      check 'thaw' "$HOOK" --socket="$QMP" thaw "$image"
      not_redirected "after $how" "$image"
    done

    for round in $(seq "$rounds"); do
      before_failures=$failures
      victim=${victims[RANDOM % ${#victims[@]}]}
      at=0.$(printf %03d $((RANDOM % 500)))
      what="round $round: $victim at ${at} s"
      rm -f "$clone"
      before=$(acked)
      "$LULLCP" --duty-cycle=$((RANDOM % 90 + 10)) --hook="$HOOK --socket=$QMP" "$image" "$clone" \
        2>"$T/err" &
      pid=$!
      sleep "$at"
      sink "$victim"
      wait $pid 2>/dev/null
      rc=$?
      settled
      if [ -e "$clone" ]; then holds "$what: published" "$before" "$(begun)" "$format" "$clone"; fi
      run --recover "$clone"
      # 1: there is no checkpoint. Then the hook was never started, or thawed
      case $rc in 0 | 1) ok ;; *) bad "$what: --recover: status $rc" ;; esac
      not_redirected "$what" "$image"
      copy "$what, resumed" 0 --resume
      not_redirected "$what, resumed" "$image"
      no_leftovers "$M"
      [ "$failures" != "$before_failures" ] || survived=$((survived + 1))
    done
    writer_end
    n=$(acked)
    qsd_end
    holds 'the image holds each write' "$n" "$n" "$format" "$image"
    [ "$format" = raw ] || check "$format is sound" qemu-img check -q -f "$format" "$image"
    fs_unmount "$M"
  done
done

# two disks, one moment: the guest writes to them in turn
fs_mount xfs 1G
note 'two disks'
make_image "$M/a" raw
make_image "$M/b" raw
rm -f "$T/acked"
qsd "a=$M/a=raw" "b=$M/b=raw"
writer a,b
for round in 1 2 3; do
  before=$(acked)
  check 'freeze two' "$HOOK" --socket="$QMP" freeze "$M/a" "$M/b"
  after=$(begun)
  cp --reflink=always "$M/a" "$M/ca"
  cp --reflink=always "$M/b" "$M/cb"
  holds 'two disks are of one moment' "$before" "$after" raw "$M/ca" "$M/cb"
  check 'thaw two' "$HOOK" --socket="$QMP" thaw "$M/a" "$M/b"
  not_redirected 'two disks' "$M/a" "$M/b"
done
mkdir "$M/set"
for how in '' -j2 '--live -j2' --reflink=never; do
  before=$(acked)
  # shellcheck disable=SC2086 # words
  expect 0 $how --hook="$HOOK --socket=$QMP" "$M/a" "$M/b" "$M/set"
  holds "two disks in one run, $how" "$before" "$(begun)" raw "$M/set/a" "$M/set/b"
  not_redirected "two disks in one run, $how" "$M/a" "$M/b"
done
for round in $(seq "$rounds"); do
  before_failures=$failures
  victim=${victims[RANDOM % ${#victims[@]}]}
  at=0.$(printf %03d $((RANDOM % 400)))
  what="two disks, round $round: $victim at ${at} s"
  rm -f "$M/set"/*
  before=$(acked)
  "$LULLCP" -j$((RANDOM % 2 + 1)) --duty-cycle=$((RANDOM % 90 + 10)) --hook="$HOOK --socket=$QMP" \
    "$M/a" "$M/b" "$M/set" 2>"$T/err" &
  pid=$!
  sleep "$at"
  sink "$victim"
  wait $pid 2>/dev/null
  settled
  # published in part is for --resume to finish
  if [ -e "$M/set/a" ] && [ -e "$M/set/b" ]; then
    holds "$what: published" "$before" "$(begun)" raw "$M/set/a" "$M/set/b"
  fi
  run --recover "$M/set/b"
  case $rc in 0 | 1) ok ;; *) bad "$what: --recover: status $rc" ;; esac
  not_redirected "$what" "$M/a" "$M/b"
  expect 0 --resume --hook="$HOOK --socket=$QMP" "$M/a" "$M/b" "$M/set"
  holds "$what, resumed" "$before" "$(begun)" raw "$M/set/a" "$M/set/b"
  not_redirected "$what, resumed" "$M/a" "$M/b"
  no_leftovers "$M/set"
  [ "$failures" != "$before_failures" ] || survived=$((survived + 1))
done
check 'freeze one' "$HOOK" --socket="$QMP" freeze "$M/a"
"$HOOK" --socket="$QMP" freeze "$M/a" "$M/b" 2>"$T/err"
same 'one is frozen already' 1 $?
says 'would show different points in time'
check 'thaw both' "$HOOK" --socket="$QMP" thaw "$M/a" "$M/b"
not_redirected 'one of two' "$M/a" "$M/b"
writer_end
n=$(acked)
qsd_end
holds 'both images hold each write' "$n" "$n" raw "$M/a" "$M/b"
fs_unmount "$M"
note "injected $((5 * rounds)) ($killed killed at work), survived $survived"
finish
