#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A file is rolled back to a generation: which generation is meant, what is refused, what is kept, and
# what happens if others interfere. TARGET has its old contents or those of the generation, and neither
# is lost.
. "$(dirname "$0")/../lib.sh"
fs_test "$@"

sum() { cksum <"$1"; }
# A live file whose only generation is from before it changed.
live() {
  rm -f "$M"/img* "$M"/.img*
  fragmented "$M/img" 1200 -h 9
  chown 12:34 "$M/img"
  chmod 640 "$M/img"
  setfattr -n user.kept -v yes "$M/img"
  expect 0 --keep=9 "$M/img" "$M/img"
  generation=$(echo "$M"/img.2*)
  was=$(sum "$M/img")
  scribble "$M/img" 4096 3 77 500 900
  fallocate -p -o 819200 -l 40960 "$M/img"
  sync "$M/img"
  now=$(sum "$M/img")
  inode=$(stat -c %i "$M/img")
  undo=$M/img.before-restore
}
# A restore that is at work in $pid, and a program that has opened TARGET since and written to it, by 7.
written_late() {
  live
  "$LULLCP" --restore --latency-budget=50us --duty-cycle=4 "$M/other" "$M/img" 2>"$T/err" &
  pid=$!
  for _ in $(seq 1000); do
    [ ! -e "$undo" ] || [ ! -s "$M/.img.lullcp-part" ] || break
    sleep 0.01
  done
  exec 7<>"$M/img"
  printf late >&7
}
untouched() { # untouched WHAT: nothing was changed
  same "$1: TARGET" "$now" "$(sum "$M/img")"
  same "$1: the generation" "$was" "$(sum "$generation")"
  check_not "$1: an undo" test -e "$undo"
}
restored() { # restored WHAT
  same "$1: TARGET" "$was" "$(sum "$M/img")"
  same "$1: the generation" "$was" "$(sum "$generation")"
  same "$1: owner and mode" '12 34 640' "$(stat -c '%u %g %a' "$M/img")"
  same "$1: attributes" yes "$(getfattr --only-values -n user.kept "$M/img" 2>/dev/null)"
  [ -z "$keeps" ] || same "$1: its inode" "$inode" "$(stat -c %i "$M/img")"
  same "$1: left behind" '' "$(find "$M" -name '.img*lullcp' -o -name '.img*part' -o -name '.img*restore')"
}
undone() { # undone WHAT: what TARGET was is there
  same "$1: undo" "$now" "$(sum "$undo")"
  same "$1: owner and mode of the undo" '12 34 640' "$(stat -c '%u %g %a' "$undo")"
  same "$1: attributes of the undo" yes "$(getfattr --only-values -n user.kept "$undo" 2>/dev/null)"
}

for kind in $(kinds xfs xfs-exchange btrfs); do
  [ "$kind" != xfs-exchange ] || ! kernel_before 6.10 || continue
  fs_mount "$kind"
  note "$kind"
  keeps=
  [ "$kind" != xfs-exchange ] || keeps=1

  # by each name
  live
  date=${generation##*.}
  for name in latest "$date" "${date%??????}" "${generation##*/}" "$generation"; do
    live
    case $name in
      latest) ;;
      "$M"/*) name=$generation ;;
      *.*) name=${generation##*/} ;;
      *Z) name=${generation##*.} ;;
      *) name=${generation##*.} name=${name%??????} ;;
    esac
    expect 0 --restore "$name" "$M/img"
    restored "by '$name'"
    undone "by '$name'"
    silent
  done
  (cd "$M" && rm img.before-restore && scribble img 4096 5 && "$LULLCP" --restore latest img) || bad 'in the directory'
  same 'in the directory' "$was" "$(sum "$M/img")"
  live
  expect 0 --restore --json -v latest "$M/img"
  same 'a summary of each clone' "$undo $M/img" "$(jq -r 'select(.type == "summary") | .dest' "$T/out" | xargs)"
  live
  expect 0 --restore -v latest "$M/img"
  case $kind in
    xfs-exchange) grep -q 'in one step' "$T/out" || bad 'not said how' ;;
    *) grep -q 'by a new file' "$T/out" || bad 'not said how' ;;
  esac

  # without an undo, which costs next to nothing where contents are exchanged
  live
  expect 0 --restore --no-undo --json latest "$M/img"
  restored 'no undo'
  check_not 'no undo' test -e "$undo"
  [ -z "$keeps" ] || [ "$(field extents_cloned)" -lt 100 ] || bad "cloned $(field extents_cloned) extents"
  # back again by the undo
  live
  expect 0 --restore latest "$M/img"
  expect 0 --restore --no-undo "$undo" "$M/img"
  same 'undone' "$now" "$(sum "$M/img")"
  # by hand, from another file, to a TARGET that is gone
  live
  rm "$M/img"
  expect 0 --restore latest "$M/img"
  same 'made anew' "$was" "$(sum "$M/img")"
  check_not 'nothing to undo' test -e "$undo"
  # a link: what it leads to
  live
  ln -s img "$M/img-link"
  expect 0 --restore "$generation" "$M/img-link"
  restored 'by a link'
  undone 'by a link'
  check 'still a link' test -L "$M/img-link"

  # several names
  live
  ln "$M/img" "$M/img-too"
  expect 0 --restore latest "$M/img"
  same 'several names' "$was $inode 2" "$(sum "$M/img-too") $(stat -c '%i %h' "$M/img")"
  undone 'several names'
  [ -n "$keeps" ] || says 'not in one step'

  # another one of the same TARGET is at work: that is no program that has it open
  for at in 1 6 12; do
    live
    DIE_AT=$at DIE_DO=stop LD_PRELOAD=$TOOLS/die.so \
      "$LULLCP" --restore --latency-budget=50us latest "$M/img" 2>"$T/first" &
    pid=$!
    soon is_stopped $pid
    expect 11 --restore --latency-budget=50us latest "$M/img"
    says 'another lullcp is at work'
    expect 11 --restore --lock-wait=100ms --force latest "$M/img"
    "$LULLCP" --restore --lock-wait=60s latest "$M/img" 2>"$T/err" &
    waits=$!
    kill -CONT $pid
    wait $pid
    same "two at work, held at $at: the first" 0 $?
    wait $waits
    same "two at work, held at $at: the second" 0 $?
    restored "two at work, held at $at"
    undone "two at work, held at $at"
  done
  # and one that was killed is in nobody's way
  live
  DIE_AT=6 DIE_DO=kill LD_PRELOAD=$TOOLS/die.so \
    "$LULLCP" --restore --latency-budget=50us latest "$M/img" 2>/dev/null
  expect 0 --restore --resume latest "$M/img"
  restored 'one was killed'
  undone 'one was killed'

  # in place, and it fails half way: the undo is all that is left of TARGET, and nobody is told to
  # remove it
  if [ -z "$keeps" ]; then
    for how in --resume --restart; do
      live
      "$TOOLS/scribble" "$M/img" 4096 $(seq 1200)
      sync "$M/img"
      now=$(sum "$M/img")
      ln "$M/img" "$M/name"
      CLONE_ERRNO=28 CLONE_ERRNO_AFTER=20 LD_PRELOAD=$TOOLS/clones.so \
        "$LULLCP" --restore --latency-budget=20us latest "$M/img" 2>"$T/err"
      same 'it fails in place: status' 1 $?
      says 'incomplete'
      undone 'it fails in place'
      expect 1 --restore latest "$M/img"
      says "$how"
      undone 'it failed in place'
      expect 0 --restore $how latest "$M/img"
      restored "it failed in place, $how"
      undone "it failed in place, $how"
      rm "$M/name"
    done
  fi

  # refused
  live
  exec 9<"$M/img"
  expect 1 --restore latest "$M/img"
  says 'has'
  says 'open'
  exec 9<&-
  exec 9<>"$M/img"
  expect 1 --restore latest "$M/img"
  says 'a program has'
  untouched 'open'
  expect 0 --restore --force latest "$M/img"
  restored 'open, forced'
  exec 9<&-
  live
  expect 1 --restore 2 "$M/nothing"
  says 'No such file'
  expect 1 --restore latest "$M/src"
  says 'has no generation'
  # a date of none of the row, here and elsewhere
  for none in 19700101 "$M/img.19700101"; do
    expect 1 --restore "$none" "$M/img"
    says 'has no generation'
    says '--list=quick'
  done
  expect 1 --restore "$M/img.bak" "$M/img"
  says 'No such file'
  expect 1 --restore "$M/img" "$M/img"
  says 'are the same file'
  expect 1 --restore "$M" "$M/img"
  says 'not a regular file'
  expect 1 --restore "$generation" "$M"
  says 'not a regular file'
  expect 0 --keep=9 "$M/img" "$M/img"
  expect 1 --restore 2 "$M/img"
  says "${generation##*.}"
  says 'several generations'
  for flag in i a; do
    chattr "+$flag" "$M/img"
    expect 1 --restore --force "$generation" "$M/img"
    chattr "-$flag" "$M/img"
    says 'chattr -i or chattr -a'
  done
  untouched 'refused'
  echo something >"$undo"
  expect 1 --restore "$generation" "$M/img"
  says 'already exists'
  same 'the undo of before' something "$(cat "$undo")"
  rm "$undo"
  untouched 'an undo in the way'
  live
  mv "$generation" "$M/img-away"
  cp "$M/img-away" "$generation"
  expect 1 --restore latest "$M/img"
  says 'is not the file that lullcp made'
  untouched 'another file'
  live
  record=$M/.img.lullcp-generations
  sed -i 's/"pending": *false/"pending": true/' "$record"
  own_state "$record"
  expect 1 --restore "${generation##*/}" "$M/img"
  says 'not known to be complete'
  untouched 'pending'
  if [ -z "$keeps" ]; then
    live
    head -c 100 /dev/urandom >"$M/half"
    LD_PRELOAD=$TOOLS/clones.so CLONE_DELAY_US=10000 "$LULLCP" --inplace --duty-cycle=1 \
      --latency-budget=1ms --checkpoint-interval=0 "$M/img" "$M/half" 2>/dev/null &
    pid=$!
    soon is_begun "$M/.half.lullcp"
    kill -9 $pid
    wait $pid 2>/dev/null
    expect 1 --restore "$M/half" "$M/img"
    says 'not known to be complete'
    untouched 'half a generation'
    rm -f "$M"/half "$M"/.half*
  fi

  # once more: it is what it should be, and so is its undo
  live
  for i in 1 2; do
    expect 0 --restore latest "$M/img"
    restored "time $i"
    undone "time $i"
  done

  # stopped in each of the two clones, and goes on
  for part in .img.before-restore .img; do
    live
    # too much has changed to be cloned by itself
    [ $part != .img ] || { scribble "$M/img" 4096000 0 && sync "$M/img"; now=$(sum "$M/img"); }
    LD_PRELOAD=$TOOLS/clones.so CLONE_DELAY_US=10000 "$LULLCP" --restore --duty-cycle=30 \
      --latency-budget=1ms --checkpoint-interval=0 latest "$M/img" 2>"$T/err" >"$T/out" &
    pid=$!
    soon is_begun "$M/$part.lullcp"
    kill -TERM $pid
    wait $pid
    same "stopped in $part" 143 $?
    same "stopped in $part: TARGET" "$now" "$(sum "$M/img")"
    expect 1 --restore latest "$M/img"
    says 'interrupted clone'
    expect 0 --restore --resume latest "$M/img"
    restored "stopped in $part, resumed"
    undone "stopped in $part, resumed"
  done

  # killed at every step
  live
  DIE_COUNT=$T/count LD_PRELOAD=$TOOLS/die.so expect 0 --restore --latency-budget=1ms latest "$M/img"
  n=$(cat "$T/count")
  moments=(before after)
  for i in 1 2 3 4 5; do moments+=($((RANDOM % n + 1)) $((n + 1 - i))); done
  for at in "${moments[@]}"; do
    live
    case $at in
      before | after) EXCHANGE_DO=$at LD_PRELOAD=$TOOLS/exchange.so \
        "$LULLCP" --restore --latency-budget=1ms latest "$M/img" 2>/dev/null ;;
      *) DIE_AT=$at LD_PRELOAD=$TOOLS/die.so \
        "$LULLCP" --restore --latency-budget=1ms latest "$M/img" 2>/dev/null ;;
    esac
    case $(sum "$M/img") in
      "$now" | "$was") ok ;;
      *) bad "killed at $at of $n: TARGET is neither" ;;
    esac
    [ "$(sum "$M/img")" = "$now" ] || undone "killed at $at of $n"
    expect 0 --restore --resume latest "$M/img"
    restored "killed at $at of $n"
    undone "killed at $at of $n"
  done
  # TARGET was shorter: a crash may leave it with a hole at its end, and what is next is said
  if [ -n "$keeps" ]; then
    live
    truncate -s 2000000 "$M/img"
    sync "$M/img"
    now=$(sum "$M/img")
    EXCHANGE_DO=before LD_PRELOAD=$TOOLS/exchange.so "$LULLCP" --restore latest "$M/img" 2>/dev/null
    same 'longer' "$(stat -c %s "$generation")" "$(stat -c %s "$M/img")"
    rm -f "$M/.img.lullcp"
    expect 1 --restore latest "$M/img"
    says 'with --resume'
    same 'its undo' "$now" "$(sum "$undo")"
    expect 0 --restore --resume latest "$M/img"
    restored 'made longer, resumed'
    undone 'made longer, resumed'
  fi
  # a restore that was cut off, then a write, then --resume: the write is in the undo, or it is refused
  live
  fragmented "$M/other" 3000
  "$LULLCP" --restore --latency-budget=50us --duty-cycle=1 --checkpoint-interval=0 "$M/other" "$M/img" 2>"$T/err" &
  pid=$!
  soon test -e "$undo"
  sleep 0.1
  kill -TERM $pid # SIGINT is ignored by what a shell runs with &
  rc=0
  wait $pid || rc=$?
  same 'cut off' 143 $rc
  scribble "$M/img" 4096 9
  sync "$M/img"
  now=$(sum "$M/img")
  run --restore --resume "$M/other" "$M/img"
  if [ "$rc" = 0 ]; then
    same 'the write is in the undo' "$now" "$(sum "$undo")"
  else
    says 'before-restore'
    same 'the write is in TARGET' "$now" "$(sum "$M/img")"
  fi
  # a program that opens TARGET while the new file is made: what it writes is in the undo as well
  if [ -z "$keeps" ]; then
    written_late
    wait $pid
    same 'rolled back' 0 $?
    exec 7<&-
    same 'TARGET' "$(sum "$M/other")" "$(sum "$M/img")"
    same 'the late write is in the undo' late "$(head -c 4 "$undo")"
  fi
  # a file that somebody gives the name of the undo meanwhile stays
  live
  NAME_AT=1 NAME_DO=take LD_PRELOAD=$TOOLS/naming.so expect 1 --restore latest "$M/img"
  says 'File exists'
  same 'somebody else'"'"'s file' theirs "$(head -c 6 "$undo")"
  same 'that, and TARGET' "$now" "$(sum "$M/img")"
  rm "$undo"
  expect 0 --restore latest "$M/img"
  restored 'after that'
  undone 'after that'
  if [ -z "$keeps" ]; then
    written_late
    mv "$undo" "$M/img-away"
    echo theirs >"$undo"
    wait $pid
    same 'the undo was replaced' 1 $?
    exec 7<&-
    says 'img.before-restore.late'
    same 'somebody else'"'"'s undo' theirs "$(head -c 6 "$undo")"
    same 'the late write is beside it' late "$(head -c 4 "$undo.late")"
    same 'TARGET, rolled back' "$(sum "$M/other")" "$(sum "$M/img")"
  fi
  # an interrupted clone to TARGET is not a restore: there is an undo
  live
  timeout -s INT 0.5 "$LULLCP" --latency-budget=50us --duty-cycle=1 --checkpoint-interval=0 "$M/other" "$M/img" 2>"$T/err"
  same 'cut off' "$now" "$(sum "$M/img")"
  expect 0 --restore --resume "$M/other" "$M/img"
  same 'what it was' "$now" "$(sum "$undo")"
  # a TARGET that was not there, and that somebody makes meanwhile: there is no undo of it
  live
  rm "$M/img"
  DIE_AT=6 DIE_DO=stop LD_PRELOAD=$TOOLS/die.so \
    "$LULLCP" --restore --latency-budget=50us "$M/other" "$M/img" 2>"$T/err" &
  pid=$!
  soon is_stopped $pid
  check_not 'it is not there yet' test -e "$M/img"
  echo mine >"$M/img"
  kill -CONT $pid
  rc=0
  wait $pid || rc=$?
  same 'there by now: status' 1 $rc
  says 'It was left alone'
  same "somebody's file" mine "$(head -c 4 "$M/img")"
  same 'left behind' '' "$(find "$M" -name '.img*lullcp' -o -name '.img*part')"
  # one that takes no copy of the other's blocks is refused before anything changes
  if [ "$kind" = btrfs ]; then
    mkdir "$M/nocow"
    chattr +C "$M/nocow"
    cp --reflink=never "$M/other" "$M/nocow/other"
    live
    ln "$M/img" "$M/name"
    expect 1 --restore --no-undo "$M/nocow/other" "$M/img"
    says 'NOCOW'
    same 'not cut off' "$now" "$(sum "$M/img")"
    rm "$M/name"
  fi
  fs_unmount "$M"
done

# the power goes at any moment: what the device holds then is mounted
for kind in $(kinds xfs-exchange btrfs); do
  [ "$kind" != xfs-exchange ] || ! kernel_before 6.10 || continue
  note "$kind: the power goes"
  img=$(image 400M)
  make_fs "$img" "$kind"
  M=$T/m
  mkdir -p "$M"
  keeps=
  [ "$kind" != xfs-exchange ] || keeps=1
  for at in stop-before stop-after $((RANDOM % 60)) $((RANDOM % 300)) $((RANDOM % 900)); do
    [ "$kind" = xfs-exchange ] || case $at in stop-*) continue ;; esac
    mount -o loop "$img" "$M" || framework_failure mount
    live
    sync -f "$M"
    case $at in
      stop-*) EXCHANGE_DO=$at LD_PRELOAD=$TOOLS/exchange.so "$LULLCP" --restore --latency-budget=1ms latest "$M/img" 2>/dev/null & ;;
      *) LD_PRELOAD=$TOOLS/clones.so CLONE_DELAY_US=2000 "$LULLCP" --restore --latency-budget=1ms latest "$M/img" 2>/dev/null & ;;
    esac
    pid=$!
    case $at in
      stop-*)
        soon is_stopped $pid ;;
      *)
        sleep "0.$(printf %03d "$at")"
        kill -STOP $pid 2>/dev/null ;;
    esac
    cp --sparse=always "$img" "$img.cut"
    kill -KILL $pid 2>/dev/null
    wait $pid 2>/dev/null
    unmounted "$M" || framework_failure umount
    mount -o loop "$img.cut" "$M" || framework_failure mount
    case $(sum "$M/img") in
      "$now" | "$was") ok ;;
      *) bad "the power goes at $at: TARGET is neither" ;;
    esac
    [ "$(sum "$M/img")" = "$now" ] || undone "the power goes at $at"
    expect 0 --restore --resume latest "$M/img"
    restored "the power goes at $at"
    undone "the power goes at $at"
    unmounted "$M" || framework_failure umount
  done
  rm -f "$img" "$img.cut"
done
finish
