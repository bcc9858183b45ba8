#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# --export and --apply: generations arrive complete, on any file system. A wrong stream or a wrong base
# changes nothing.
. "$(dirname "$0")/../lib.sh"
fs_test
# -S: it needs no packages, and looking for them can take longer than all of its work
changes=$(dirname "$0")/changes.py

export_to() { # export_to STREAM ARG...: --export must succeed
  local stream=$1
  shift
  rc=0
  "$LULLCP" --export "$@" >"$stream" 2>"$T/err" || rc=$?
  same "--export $*" 0 "$rc"
}
apply() { # apply STATUS STREAM ARG...: --apply must end so
  local want=$1 stream=$2
  shift 2
  rc=0
  "$LULLCP" --apply "$@" <"$stream" >"$T/out" 2>"$T/err" || rc=$?
  same "--apply $*" "$want" "$rc"
}
untouched() { # untouched DEST SUM WHAT: DEST is what it was, and nothing is left behind
  same "$3: DEST" "$2" "$(b2sum <"$1")"
  no_leftovers "${1%/*}"
}
mutated() { # mutated OLD NEW SEED: a clone of it with changes
  cp --reflink=always "$1" "$2" && python3 -S "$changes" mutate "$2" "$3" $((RANDOM % 20 + 1)) ||
    framework_failure mutate
  # one mutation in ten writes the bytes that are there
  ! cmp -s "$1" "$2" || mutated "$1" "$2" "${3}0"
}
first_said() { # first_said FILE: waits until something is in it, or 10 seconds
  for _ in {1..1000}; do
    [ ! -s "$1" ] || return 0
    sleep 0.01
  done
  return 1
}

fs_mount btrfs && B=$M
fs_mount ext4 && E=$M
for kind in $(kinds xfs btrfs); do
  fs_mount "$kind"
  note "$kind"
  S=$M
  mkdir "$S/s" "$S/r"
  python3 -S "$changes" make "$S/s/g0" 3000001 "$SEED"
  # ---- a chain of generations, over three file systems ----
  export_to "$S/full" "$S/s/g0"
  [ "$(du -k --apparent-size "$S/full" | cut -f 1)" -lt 2900 ] || bad 'holes are in the stream'
  for R in "$S/r" "$B" "$E"; do
    apply 0 "$S/full" "$R/g0"
    silent
    check "$R: the whole" cmp "$S/s/g0" "$R/g0"
    no_leftovers "$R"
    same "$R: mode" "$(umask | awk '{ printf "%o", 438 - (substr($0, 3, 1) * 8 + substr($0, 4, 1)) }')" "$(stat -c %a "$R/g0")"
  done
  for i in $(seq 1 "${LULL_TEST_ROUNDS:-8}"); do
    mutated "$S/s/g$((i - 1))" "$S/s/g$i" "$SEED$i"
    export_to "$S/stream" --base="$S/s/g$((i - 1))" "$S/s/g$i"
    for R in "$S/r" "$B"; do
      apply 0 "$S/stream" --base="$R/g$((i - 1))" "$R/g$i"
      silent
    done
    apply 1 "$S/stream" --base="$E/g$((i - 1))" "$E/g$i"
    says '--reflink=auto'
    check_not 'nothing was made' test -e "$E/g$i"
    apply 0 "$S/stream" --reflink=auto --base="$E/g$((i - 1))" "$E/g$i"
    says ' of 1 file that could not be cloned'
    for R in "$S/r" "$B" "$E"; do
      check "$R: generation $i" cmp "$S/s/g$i" "$R/g$i"
      check "$R: the base is what it was" cmp "$S/s/g$((i - 1))" "$R/g$((i - 1))"
      no_leftovers "$R"
    done
  done
  # what is shared stays so: OLD and NEW differ by what changed, and no more
  expect 4 --diff --json "$S/r/g1" "$S/r/g2"
  check 'the new one shares with the old one' test "$(field bytes_data)" -lt 2000000
  # a full one goes over an older DEST, and a base may be DEST itself
  export_to "$S/stream" --base="$S/s/g2" "$S/s/g3"
  cp "$S/s/g2" "$S/r/self" && chmod 640 "$S/r/self"
  apply 0 "$S/stream" --base="$S/r/self" "$S/r/self"
  silent
  check 'onto itself' cmp "$S/s/g3" "$S/r/self"
  same 'its permissions stay' 640 "$(stat -c %a "$S/r/self")"
  apply 0 "$S/full" "$S/r/self"
  check 'a whole one over it' cmp "$S/s/g0" "$S/r/self"
  same 'and stay' 640 "$(stat -c %a "$S/r/self")"
  # no change, and nothing at all
  cp --reflink=always "$S/s/g3" "$S/s/same"
  export_to "$S/stream" --base="$S/s/g3" "$S/s/same"
  apply 0 "$S/stream" --json --base="$S/r/g3" "$S/r/same"
  same 'result' ok "$(field result)"
  check 'no change' cmp "$S/s/g3" "$S/r/same"
  : >"$S/s/empty"
  export_to "$S/stream" "$S/s/empty"
  apply 0 "$S/stream" "$S/r/empty"
  same 'an empty one' 0 "$(stat -c %s "$S/r/empty")"
  export_to "$S/stream" --base="$S/s/g3" "$S/s/empty"
  apply 0 "$S/stream" --base="$S/r/g3" "$S/r/empty"
  same 'an empty one, of a full one' 0 "$(stat -c %s "$S/r/empty")"
  # preallocated, no byte of it: as good as a hole
  truncate -s 1M "$S/s/p0" && fallocate -l 1M "$S/s/p1"
  export_to "$S/stream" "$S/s/p1"
  check 'preallocation is no data' test "$(stat -c %s "$S/stream")" -lt 200

  # ---- another base ----
  export_to "$S/stream" --base="$S/s/g4" "$S/s/g5"
  cp --reflink=always "$S/r/g5" "$S/r/dest"
  sum=$(b2sum <"$S/r/dest")
  apply 1 "$S/stream" "$S/r/dest"
  says "the stream holds changes to 'g4', but there is no --base"
  says 'Nothing was changed.'
  apply 1 "$S/full" --base="$S/r/g4" "$S/r/dest"
  says 'the stream holds a whole file'
  cp --reflink=always "$S/r/g4" "$S/r/longer" && truncate -s +1 "$S/r/longer"
  apply 1 "$S/stream" --base="$S/r/longer" "$S/r/dest"
  says "'$S/r/longer' has $(stat -c %s "$S/r/longer")"
  head -c "$(stat -c %s "$S/r/g4")" /dev/urandom >"$S/r/other"
  apply 1 "$S/stream" --base="$S/r/other" "$S/r/dest"
  says 'has other contents'
  cp --reflink=always "$S/s/g4" "$S/s/v.20261125T010000Z"
  cp --reflink=always "$S/s/g5" "$S/s/v.20261125T020000Z"
  cp --reflink=always "$S/r/g4" "$S/r/w.20261125T010000Z"
  cp --reflink=always "$S/r/g4" "$S/r/w.20261124T010000Z"
  export_to "$S/dated" --base="$S/s/v.20261125T010000Z" "$S/s/v.20261125T020000Z"
  apply 1 "$S/dated" --base="$S/r/w.20261124T010000Z" "$S/r/dest"
  says 'is another generation'
  apply 0 "$S/dated" --base="$S/r/w.20261125T010000Z" "$S/r/w.20261125T020000Z"
  check 'its own' cmp "$S/s/g5" "$S/r/w.20261125T020000Z"
  apply 1 "$S/stream" --base="$S/r/nothing" "$S/r/dest"
  says 'No such file'
  untouched "$S/r/dest" "$sum" 'another base'

  # ---- damage ----
  head -c 100000 /dev/urandom >"$S/s/d0"
  cp --reflink=always "$S/s/d0" "$S/s/d1" && python3 -S "$changes" mutate "$S/s/d1" "$SEED" 8
  export_to "$S/stream" --base="$S/s/d0" "$S/s/d1"
  for i in $(seq 100); do
    python3 -S "$changes" damage "$S/stream" "$S/damaged" "$SEED$i"
    apply 1 "$S/damaged" --base="$S/s/d0" "$S/r/dest"
    says 'Nothing was changed.'
    untouched "$S/r/dest" "$sum" "damage $i"
  done
  : >"$S/damaged"
  apply 1 "$S/damaged" "$S/r/dest"
  says 'the stream breaks off at byte 0'
  cat "$S/stream" "$S/stream" >"$S/damaged"
  apply 1 "$S/damaged" --base="$S/s/d0" "$S/r/dest"
  says 'something follows the end of the stream'
  apply 1 "$S/s/g0" "$S/r/dest"
  says 'is not a stream of --export'
  printf 'rbd diff v3\ne' >"$S/damaged"
  apply 1 "$S/damaged" "$S/r/dest"
  says 'of another version'
  printf 'rbd diff v1\ne' >"$S/damaged"
  apply 1 "$S/damaged" "$S/r/dest"
  says 'an incremental diff of RBD of version 1'
  printf 'rbd diff v2\ns\10\0\0\0\0\0\0\0\0\1\0\0\0\0\0\0e' >"$S/damaged"
  apply 1 "$S/damaged" "$S/r/dest"
  says 'has no checksum'
  untouched "$S/r/dest" "$sum" 'not whole'
  apply 0 "$S/stream" --base="$S/s/d0" "$S/r/whole"
  check 'undamaged' cmp "$S/s/d1" "$S/r/whole"

  # ---- DEST with several names, of another kind ----
  ln "$S/r/dest" "$S/r/link"
  apply 1 "$S/full" "$S/r/dest"
  says 'several names'
  rm "$S/r/link"
  apply 1 "$S/full" "$S/r"
  says 'directory'
  untouched "$S/r/dest" "$sum" 'several names'

  # ---- cut off while the stream still comes ----
  mkfifo "$S/fifo"
  for signal in TERM HUP KILL; do
    "$LULLCP" --apply "$S/r/dest" <"$S/fifo" >"$T/out" 2>"$T/err" &
    reader=$!
    exec 7>"$S/fifo"
    head -c 100000 "$S/full" >&7
    for _ in {1..1000}; do
      [ "$(stat -c %s "$S/r/.dest.lullcp-part" 2>/dev/null || echo 0)" = 0 ] || break
      sleep 0.01
    done
    same 'meanwhile DEST is the older one' "$sum" "$(b2sum <"$S/r/dest")"
    kill -$signal $reader
    rc=0
    wait $reader || rc=$?
    exec 7>&-
    same "$signal: status" $((128 + $(kill -l $signal))) $rc
    [ $signal = KILL ] || untouched "$S/r/dest" "$sum" "$signal"
  done
  check_not 'no checkpoint' test -e "$S/r/.dest.lullcp"
  apply 0 "$S/full" "$S/r/dest"
  no_leftovers "$S/r"
  check 'started again' cmp "$S/s/g0" "$S/r/dest"
  # a half changed base is not continued from: there is no checkpoint
  sum=$(b2sum <"$S/r/dest")
  fragmented "$S/s/long" 3000
  cp --reflink=always "$S/s/long" "$S/s/long2"
  scribble "$S/s/long2" 4096 $(seq 0 5 2999)
  export_to "$S/stream" --base="$S/s/long" "$S/s/long2"
  "$LULLCP" --apply --latency-budget=50us --checkpoint-interval=0 --base="$S/s/long" "$S/r/dest" <"$S/fifo" 2>/dev/null &
  reader=$!
  # more than what is read ahead: when it is written, changes have been made
  exec 7>"$S/fifo"
  head -c 1000000 "$S/stream" >&7
  kill -KILL $reader
  wait $reader 2>/dev/null
  exec 7>&-
  check 'it was at work' test -s "$S/r/.dest.lullcp-part"
  check_not 'no checkpoint of it' test -e "$S/r/.dest.lullcp"
  same 'DEST stays' "$sum" "$(b2sum <"$S/r/dest")"
  apply 0 "$S/stream" --latency-budget=50us --restart --base="$S/s/long" "$S/r/dest"
  check 'many calls' cmp "$S/s/long2" "$S/r/dest"
  no_leftovers "$S/r"
  # an interrupted clone is somebody's
  sum=$(b2sum <"$S/r/dest")
  "$LULLCP" --latency-budget=100us --duty-cycle=5 --checkpoint-interval=0 "$S/s/long" "$S/r/dest" 2>/dev/null &
  reader=$!
  for _ in {1..1000}; do
    [ ! -s "$S/r/.dest.lullcp" ] || break
    sleep 0.01
  done
  kill -KILL $reader
  wait $reader 2>/dev/null
  apply 1 "$S/full" "$S/r/dest"
  says 'an interrupted clone is recorded'
  check 'it is left alone' test -s "$S/r/.dest.lullcp"
  same 'and so is DEST' "$sum" "$(b2sum <"$S/r/dest")"
  export_to "$S/stream" "$S/s/g1"
  apply 0 "$S/stream" --restart "$S/r/dest"
  check 'discarded' cmp "$S/s/g1" "$S/r/dest"
  no_leftovers "$S/r"

  # version 1, without a checksum: only where both ends say so
  export_to "$S/stream1" --format=1 "$S/s/g0"
  apply 1 "$S/stream1" "$S/r/first"
  says 'an incremental diff of RBD of version 1'
  says '--format=1'
  no_leftovers "$S/r"
  apply 0 "$S/stream1" --format=1 "$S/r/first"
  check 'version 1, the whole' cmp "$S/s/g0" "$S/r/first"
  export_to "$S/stream1" --format=1 --base="$S/s/g0" "$S/s/g1"
  apply 0 "$S/stream1" --format=1 --base="$S/r/first" "$S/r/first1"
  check 'version 1, changes' cmp "$S/s/g1" "$S/r/first1"
  same 'as RBD has it' 'rbd diff v1' "$(head -n 1 "$S/stream1")"
  # both versions where 1 is allowed
  export_to "$S/stream" --format=2 --base="$S/s/g0" "$S/s/g1"
  apply 0 "$S/stream" --format=1 --base="$S/r/first" "$S/r/first1"
  # cut anywhere, or with something after it
  sum=$(b2sum <"$S/r/first1")
  size=$(stat -c %s "$S/stream1")
  for at in 0 5 12 13 60 $((size - 1)) $((RANDOM * 32768 % size)) $((RANDOM * 32768 % size)); do
    [ "$at" -lt "$size" ] || continue # few changes make a short one
    head -c "$at" "$S/stream1" >"$S/cut"
    apply 1 "$S/cut" --format=1 --base="$S/r/first" "$S/r/first1"
    untouched "$S/r/first1" "$sum" "version 1, cut at $at"
  done
  { cat "$S/stream1" && echo; } >"$S/cut"
  apply 1 "$S/cut" --format=1 --base="$S/r/first" "$S/r/first1"
  untouched "$S/r/first1" "$sum" 'version 1, and more'
  apply 1 "$S/stream1" --format=1 "$S/r/first1"
  says 'but there is no --base'
  rm -f "$S/r/first" "$S/r/first1" "$S/cut"

  # what was applied is counted and said
  truncate -s 0 "$S/s/count" && truncate -s 8M "$S/s/count"
  scribble "$S/s/count" 4096 3 5 100 101 102
  sync "$S/s/count"
  cp --reflink=always "$S/s/count" "$S/s/count2"
  scribble "$S/s/count2" 4096 7 8
  fallocate -p -o 409600 -l 8192 "$S/s/count2"
  sync "$S/s/count2"
  export_to "$S/stream" "$S/s/count"
  apply 0 "$S/stream" --json "$S/r/count"
  same 'in full: written, zeroed' '20480 0' "$(field bytes_written) $(field bytes_zeroed)"
  apply 0 "$S/stream" --summary "$S/r/count"
  check 'said' grep -q '20 KiB written and 0 B zeroed' "$T/out"
  apply 0 "$S/stream" -v "$S/r/count"
  same '-v' "standard input -> '$S/r/count'" "$(cat "$T/out")"
  export_to "$S/stream" --base="$S/s/count" "$S/s/count2"
  apply 0 "$S/stream" --json --base="$S/s/count" "$S/r/count"
  same 'changes: written, zeroed, cloned' '8192 8192 20480' "$(field bytes_written) $(field bytes_zeroed) $(field bytes_cloned)"
  apply 0 "$S/stream" -v --base="$S/s/count" "$S/r/count"
  same '-v, changes' "'$S/s/count' -> '$S/r/count'" "$(cat "$T/out")"
  # progress is that of the stream, and goes one way
  "$LULLCP" --export --progress=always --rate=2M "$S/s/long" 2>"$T/err" >/dev/null
  check_not 'no calls of a clone' grep -qE 'calls|extents' "$T/err"
  check 'what was written' grep -qE ': [0-9]+%, .* of .*, .* written' "$T/err"
  sed -n 's/.*: \([0-9]*\)%.*/\1/p' "$T/err" >"$T/percents"
  check 'several lines' test "$(wc -l <"$T/percents")" -gt 1
  same 'one way' "$(sort -n "$T/percents")" "$(cat "$T/percents")"

  # that of --apply as well: the clone of the base, then the stream
  export_to "$S/stream" --base="$S/s/long" "$S/s/long2"
  export_to "$S/whole" "$S/s/long"
  for stream in stream whole; do
    base=--base=$S/s/long
    [ $stream = stream ] || base=
    { head -c 50000 && sleep 1.2 && head -c 500000 && sleep 1.2 && cat; } <"$S/$stream" |
      "$LULLCP" --apply --progress=always --latency-budget=50us --duty-cycle=3 ${base:+"$base"} "$S/r/dest" 2>"$T/err" >/dev/null
    sed -n 's/.*: \([0-9]*\)%.*/\1/p' "$T/err" >"$T/percents"
    check 'several lines' test "$(wc -l <"$T/percents")" -gt 1
    same 'one way' "$(sort -n "$T/percents")" "$(cat "$T/percents")"
    sed -n 's/.*%, .* of \([0-9]*\) MiB.*/\1/p' "$T/err" | sort -u >"$T/all-$stream"
  done
  same 'one whole' '1 1' "$(wc -l <"$T/all-stream") $(wc -l <"$T/all-whole")"
  check 'of both' test "$(cat "$T/all-stream")" -gt "$(cat "$T/all-whole")"

  # ---- the writing end ----
  exec 7<>"$S/fifo"
  "$LULLCP" --export "$S/s/g0" >"$S/fifo" 2>"$T/err" &
  writer=$!
  sleep 0.3
  kill -TERM $writer
  rc=0
  wait $writer || rc=$?
  exec 7>&-
  same 'a reader that does not read: status' 143 $rc
  rc=0
  { "$LULLCP" --export "$S/s/g0" 2>"$T/err" || echo $? >"$T/status"; } | head -c 1000 >/dev/null
  same 'a reader that is gone: status' 1 "$(cat "$T/status")"
  says 'error writing the stream: Broken pipe'
  rc=0
  "$LULLCP" --export "$S/s/g0" >/dev/full 2>"$T/err" || rc=$?
  same 'a full disk: status' 1 $rc
  says 'error writing the stream: No space left on device'
  rc=0
  script -qec "'$LULLCP' --export '$S/s/g0'" /dev/null </dev/null >"$T/err" 2>&1 || rc=$?
  same 'a terminal: status' 1 $rc
  says 'standard output is a terminal'
  # written to meanwhile: no end
  changed_meanwhile "$S/s/long" --export "$S/s/long" >"$S/stream"
  same 'written to meanwhile: status' 1 "$rc"
  says 'was written to meanwhile'
  apply 1 "$S/stream" "$S/r/dest"
  says 'breaks off'
  # what was cached stays so, and nothing else is
  sync "$S/s/long"
  dd if="$S/s/long" iflag=nocache count=0 status=none
  same 'nothing is cached' 0 "$(fincore -bnoRES "$S/s/long" | tr -d ' ')"
  export_to /dev/null "$S/s/long"
  same 'nothing is cached afterwards' 0 "$(fincore -bnoRES "$S/s/long" | tr -d ' ')"
  for _ in 1 2 3; do # the kernel may take memory back meanwhile
    cat "$S/s/long" >/dev/null
    was=$(fincore -bnoRES "$S/s/long" | tr -d ' ')
    export_to /dev/null "$S/s/long"
    is=$(fincore -bnoRES "$S/s/long" | tr -d ' ')
    [ "$was" != "$is" ] || break
  done
  same 'what was cached is' "$was" "$is"
  # no faster than --rate
  start=$(date +%s%N)
  export_to /dev/null --rate=2M "$S/s/g0"
  took=$((($(date +%s%N) - start) / 1000000))
  bytes=$("$LULLCP" --export "$S/s/g0" | wc -c)
  check "--rate: $bytes bytes in $took ms" test $took -ge $((bytes / 2098 - 100))
  fs_unmount "$S"
  rm "$B"/* "$E"/g*
done

# ---- a full disk ----
note 'full'
fs_mount xfs
S=$M
head -c 60M /dev/urandom >"$S/big"
export_to "$S/stream" "$S/big"
for kind in ext4 btrfs; do
  fs_mount "$kind" 128M
  echo older >"$M/dest"
  sum=$(b2sum <"$M/dest")
  fallocate -l $(($(df --output=avail -B1 "$M" | tail -n 1) - 40000000)) "$M/filler"
  sync -f "$M"
  apply 1 "$S/stream" "$M/dest"
  says 'No space left on device'
  untouched "$M/dest" "$sum" "$kind is full"
  rm "$M/filler"
done
finish
