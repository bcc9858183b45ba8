#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The machine crashes at random moments. XFS is shut down without flushing the log; for Btrfs the
# backing file is copied live. After the next mount DEST must be the old file or the complete new one,
# and --resume must complete it. LULL_TEST_ROUNDS (100).
. "$(dirname "$0")/../lib.sh"
fs_test
rounds=${LULL_TEST_ROUNDS:-100}
half=$(((rounds + 1) / 2))
survived=0

# Every other round clones two files in one freeze. This takes two renames, and a crash may come between.
# In $M: src goes to dst, or src and src2 go to set/.
pairs() { # pairs ROUND: source and destination of each file that it clones
  if [ $(($1 % 2)) = 0 ]; then
    echo "src set/src"
    echo "src2 set/src2"
  else
    echo "src dst"
  fi
}
command_of() { # command_of ROUND [OPTION]...: in ${command[@]}
  if [ $(($1 % 2)) = 0 ]; then
    command=("$LULLCP" "${@:2}" --hook=true "$M/src" "$M/src2" "$M/set")
  else
    command=("$LULLCP" "${@:2}" "$M/src" "$M/dst")
  fi
}
put_old() { # put_old ROUND
  local src dst
  while read -r src dst; do
    cp "$T/old" "$M/$dst.new" && mv "$M/$dst.new" "$M/$dst"
  done < <(pairs "$1")
  sync -f "$M"
}
after_crash() { # after_crash ROUND: what must hold after the remount
  local src dst status
  while read -r src dst; do
    case $(b2sum <"$M/$dst") in
      "$old" | "$(b2sum <"$M/$src")") ok ;;
      *) bad "round $1: $dst: neither the old file nor the new one" ;;
    esac
  done < <(pairs "$1")
  command_of "$1" --resume
  status=0
  "${command[@]}" >"$T/out" 2>"$T/err" || status=$?
  same "round $1: status" 0 "$status"
  while read -r src dst; do
    same "round $1: $dst resumed" "$(b2sum <"$M/$src")" "$(b2sum <"$M/$dst")"
  done < <(pairs "$1")
  no_leftovers "$M"
  no_leftovers "$M/set"
}
start() { # start ROUND: a clone at work, in $pid; then a random while, or to a rename that publishes
  command_of "$1" --duty-cycle=$((RANDOM % 60 + 40)) --checkpoint-interval=$((RANDOM % 20))ms
  if [ $(($1 % 4)) = 0 ]; then
    how=(before after)
    env RENAME_AT=$((RANDOM % 2 + 1)) RENAME_DO="${how[RANDOM % 2]}" LD_PRELOAD="$TOOLS/renames.so" \
      "${command[@]}" 2>/dev/null &
    pid=$!
    wait $pid 2>/dev/null
  else
    "${command[@]}" 2>/dev/null &
    pid=$!
    sleep "0.$(printf %03d $((RANDOM % 90)))"
  fi
}
make_sources() { # in $M
  fragmented "$M/src" 1500 -h 5
  fragmented "$M/src2" 300
  mkdir "$M/set"
  sync -f "$M"
}

M=$T/crash
mkdir "$M"
head -c 100000 /dev/urandom >"$T/old"
old=$(b2sum <"$T/old")

img=$(image 400M)
loop=$(losetup -f --show "$img") || cannot_run 'no loop device'
rm -f "$img"
trap 'ended=$?; umount "$M" 2>/dev/null; losetup -d "$loop" 2>/dev/null; (exit $ended); fs_end' EXIT
make_fs "$loop" xfs
mount "$loop" "$M" || framework_failure mount
make_sources
note xfs
for i in $(seq "$half"); do
  before=$failures
  put_old "$i"
  start "$i"
  if [ $((RANDOM % 2)) = 0 ]; then
    xfs_io -x -c 'shutdown' "$M" # the log is not flushed
  else
    xfs_io -x -c 'shutdown -f' "$M"
  fi
  wait $pid 2>/dev/null
  # a keeper may not have ended yet
  soon umount "$M" 2>/dev/null
  mount "$loop" "$M" || framework_failure 'remount'
  after_crash "$i"
  [ "$failures" != "$before" ] || survived=$((survived + 1))
done
unmounted "$M" || framework_failure umount
losetup -d "$loop"

note btrfs
img=$(image 400M)
copy=$(image 400M)
make_fs "$img" btrfs
mkdir "$T/live"
mount -o loop,commit=1 "$img" "$T/live"
M=$T/live
make_sources
# the tail of a run is where things happen: syncs, rename, removal
for i in $(seq "$half"); do
  before=$failures
  M=$T/live
  put_old "$i"
  start "$i"
  # a crash leaves what the device holds at one instant: fsfreeze would flush, so the
  # copy is taken of a stopped device instead, with the writer still at work above it
  kill -STOP $pid 2>/dev/null
  cp --reflink=auto --sparse=always "$img" "$copy"
  kill -KILL $pid 2>/dev/null
  wait $pid 2>/dev/null
  # the keeper may still be thawing
  command_of "$i" --resume --lock-wait=10
  "${command[@]}" 2>/dev/null
  # the same UUID twice: the live one must go before its copy comes
  unmounted "$T/live" || framework_failure umount
  # one file is known by its name alone, a set by its path
  [ $((i % 2)) = 0 ] || M=$T/crash
  mount -o loop "$copy" "$M" || { bad "round $i: cannot mount"; mount -o loop,commit=1 "$img" "$T/live"; continue; }
  after_crash "$i"
  unmounted "$M" || framework_failure umount
  mount -o loop,commit=1 "$img" "$T/live"
  [ "$failures" != "$before" ] || survived=$((survived + 1))
done
unmounted "$T/live" || framework_failure umount
rm -f "$img" "$copy"
note "injected $((2 * half)), survived $survived"
finish
