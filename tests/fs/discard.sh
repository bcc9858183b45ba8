#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# An abandoned clone is freed in bounded steps, and may be interrupted between any two of them. What a
# checkpoint says of the file must be true at each moment.
. "$(dirname "$0")/../lib.sh"
command -v strace >/dev/null || cannot_run 'needs strace'
fs_test

# Steps of a few extents, and a long pause after each.
slowly=(--latency-budget=20us --duty-cycle=1)

abandon() { # abandon DEST: leaves the first half of a clone, and a checkpoint that says so
  "$LULLCP" --duty-cycle=5 --checkpoint-interval=20ms "$M/src" "$1" 2>"$T/err" &
  local pid=$! half
  half=$(($(stat -c %s "$M/src") / 2))
  for _ in $(seq 1000); do
    [ "$(offset_in "$M/.${1##*/}.lullcp")" -lt "$half" ] || break
    sleep 0.01
  done
  kill -TERM $pid
  wait $pid
  same 'abandoned' 143 $?
}
size_of() { stat -c %s "$1" 2>/dev/null || echo 0; }
# cut_off SIGNAL FILE ARG...: lullcp, which is to shrink FILE, ended while it does; in $steps
# how many different sizes were seen
cut_off() {
  local signal=$1 file=$2 now=0 last pid
  shift 2
  last=$(size_of "$file")
  steps=0
  "$LULLCP" "${slowly[@]}" "$@" >"$T/out" 2>"$T/err" &
  pid=$!
  for _ in $(seq 1000); do
    now=$(size_of "$file")
    [ "$now" = "$last" ] || steps=$((steps + 1))
    last=$now
    [ $steps -lt 4 ] || break
    sleep 0.005
  done
  kill -USR1 $pid
  sleep 0.1
  kill "-$signal" $pid
  wait $pid 2>/dev/null
  rc=$?
  left=$(size_of "$file")
}

for kind in $(kinds xfs btrfs); do
  fs_mount "$kind"
  note "$kind"
  fragmented "$M/src" 6000 -h 10
  for signal in TERM KILL; do
    abandon "$M/a"
    was=$(stat -c %b "$M/.a.lullcp-part")
    cut_off $signal "$M/.a.lullcp-part" --restart "$M/src" "$M/a"
    check "$signal: several steps ($steps)" test $steps -ge 4
    check "$signal: something is left" test "$left" -gt 0
    check "$signal: something is gone" test "$(stat -c %b "$M/.a.lullcp-part")" -lt "$was"
    says 'discarding an abandoned clone'
    if [ $signal = TERM ]; then
      same 'ended by the signal' 143 $rc
      says '--resume'
    fi
    expect 0 --status --json "$M/a"
    same "$signal: nothing is said to be cloned" 0 "$(jq .offset "$T/out")"
    expect 1 "$M/src" "$M/a"
    says '--resume'
    # cut off once more, now when it goes on
    cut_off $signal "$M/.a.lullcp-part" --resume "$M/src" "$M/a"
    expect 0 --resume --json "$M/src" "$M/a"
    same "$signal: from the beginning" 0 "$(field resumed_at)"
    check "$signal: whole" cmp "$M/src" "$M/a"
    no_leftovers "$M"
    rm "$M/a"
  done
  # DEST itself: what it held is in none of the source's holes
  for how in --resume --restart; do
    fragmented "$M/b" 8000
    cut_off KILL "$M/b" --inplace "$M/src" "$M/b"
    check 'in place: cut off half-way' test "$left" -gt 0 -a $steps -ge 4
    expect 0 --inplace $how "$M/src" "$M/b"
    check "in place, $how: whole" cmp "$M/src" "$M/b"
    no_leftovers "$M"
  done
  # any file, by --discard: its own name is gone at once, and a signal leaves the rest hidden
  mkdir "$M/x"
  fragmented "$M/x/big" 6000
  cut_off TERM "$M/x/.big.lullcp-discard" --discard "$M/x/big"
  check "--discard: several steps ($steps)" test $steps -ge 4
  same '--discard: ended by the signal' 143 $rc
  says "what is left of it is '$M/x/.big.lullcp-discard'"
  check_not '--discard: half a file has no name' test -e "$M/x/big"
  expect 0 --json --discard "$M/x/.big.lullcp-discard"
  same '--discard: the summary' 'discard ok' "$(jq -r 'select(.type == "summary") | .method + " " + .result' "$T/out")"
  same '--discard: nothing is left' '' "$(ls -A "$M/x")"
  # the same command continues there, but not if another file has that name by then
  fragmented "$M/x/big" 6000
  cut_off KILL "$M/x/.big.lullcp-discard" --discard "$M/x/big"
  echo new >"$M/x/big"
  expect 0 --discard "$M/x/big"
  same '--discard: what has the name goes first' .big.lullcp-discard "$(ls -A "$M/x")"
  expect 0 --discard -f "$M/x/big"
  same '--discard: and then what was left' '' "$(ls -A "$M/x")"
  expect 1 --discard "$M/x/big"
  says 'No such file or directory'
  free=$(stat -fc %f "$M")
  fragmented "$M/x/a" 500
  fragmented "$M/x/-b" 500
  echo small >"$M/x/c"
  expect 0 -v --discard "$M/x/a" "$M/x/c" -- "$M/x/-b"
  same '--discard -v' "removed '$M/x/a' removed '$M/x/c' removed '$M/x/-b'" "$(tr '\n' ' ' <"$T/out" | sed 's/ $//')"
  same '--discard: several' '' "$(ls -A "$M/x")"
  # what it refuses, and goes on
  echo a >"$M/x/open"
  echo b >"$M/x/linked"
  ln "$M/x/linked" "$M/x/other"
  ln -s linked "$M/x/link"
  echo c >"$M/x/fine"
  echo d >"$M/x/fixed" && chattr +i "$M/x/fixed"
  exec 7<"$M/x/open"
  expect 1 --discard "$M/x/open" "$M/x/none" "$M/x" "$M/x/link" "$M/x/linked" "$M/x/fixed" "$M/x/fine"
  exec 7<&-
  chattr -i "$M/x/fixed"
  says "cannot remove '$M/x/open': a program has it open"
  says "cannot remove '$M/x/none': No such file or directory"
  says "cannot remove '$M/x': Is a directory"
  says "cannot remove '$M/x/link': not a regular file"
  says "cannot remove '$M/x/fixed': Operation not permitted"
  same '--discard: the others go' 'fixed link open other' "$(cd "$M/x" && echo *)"
  same '--discard: another name keeps what it holds' b "$(cat "$M/x/other")"
  expect 0 -f --discard "$M/x/none" "$M/x/open"
  silent
  # another name, or a reader, that came in the last moment
  for how in link reader; do
    echo late >"$M/x/late"
    ASAN_OPTIONS=${ASAN_OPTIONS-}:detect_leaks=0 strace -f -qq -o /dev/null -e trace=renameat2 -e inject=renameat2:delay_enter=700000 "$LULLCP" --discard "$M/x/late" 2>"$T/err" &
    pid=$!
    sleep 0.3
    case $how in
      link) ln "$M/x/late" "$M/x/later" ;;
      reader) exec 7<"$M/x/late" ;;
    esac
    rc=0
    wait $pid || rc=$?
    case $how in
      link) same 'the other name keeps it' 'late 0' "$(cat "$M/x/later") $rc" ;;
      reader)
        same 'who reads it reads on' 'late 1' "$(cat <&7) $rc"
        exec 7<&-
        check 'and it has its name' test -s "$M/x/late"
        ;;
    esac
    rm -f "$M/x/late" "$M/x/later"
  done
  # a leftover in the way, and a name too long for the hidden one
  echo old >"$M/x/.other.lullcp-discard"
  long=$(printf '%0250d' 7)
  echo e >"$M/x/$long"
  expect 0 --discard "$M/x/other" "$M/x/$long"
  same '--discard: a leftover in the way stays' old "$(cat "$M/x/.other.lullcp-discard")"
  rm -r "$M/x"
  # holes cost nothing, were they exabytes
  echo some >"$M/.c.lullcp-part"
  echo more | dd of="$M/.c.lullcp-part" bs=1M seek=1M conv=notrunc status=none
  truncate -s 7E "$M/.c.lullcp-part"
  check 'mostly holes' timeout 30 "$LULLCP" --resume "$M/src" "$M/c"
  check 'whole' cmp "$M/src" "$M/c"
  no_leftovers "$M"
  fs_unmount "$M"
done
finish
