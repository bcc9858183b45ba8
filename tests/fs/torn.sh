#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Clones of a file that is written to all the time, without a hook: each published clone equals the file
# after some change. LULL_TEST_ROUNDS clones (12) for each kind of file system, spread over the kinds of
# writers. A control must be torn.
. "$(dirname "$0")/../lib.sh"
fs_test
rounds=${LULL_TEST_ROUNDS:-12}
total=0 published=0 stopped=0

is_a_state() { # is_a_state COPY FIRST KINDS
  sync "$1" # the check is no part of what is timed
  "$TOOLS/numbers" check "$1" "$2" "$3" "$SEED" "$T/progress" >"$T/check.out" 2>&1
}

# KIND of file system, KINDS of changes, BLOCKS
series() {
  local fs=$1 kinds=$2 blocks=$3 n=$4 i methods=''
  rm -rf "$M/f" "$M/first" "$M/out"
  mkdir "$M/out"
  fragmented "$M/f" "$blocks"
  [ "$fs" != btrfs-nocow ] || {
    mv "$M/f" "$M/f.cow"
    touch "$M/f" && chattr +C "$M/f" && cat "$M/f.cow" >"$M/f"
  }
  cat "$M/f" >"$M/first"
  writer "$M/f" "$kinds"
  for i in $(seq "$n"); do
    total=$((total + 1))
    run --json "$M/f" "$M/out/$i"
    case $rc in
      0)
        published=$((published + 1))
        methods+="$(field method) "
        is_a_state "$M/out/$i" "$M/first" "$kinds" ||
          bad "$fs, writer $kinds, clone $i, $(field method): $(cat "$T/check.out")"
        ok
        ;;
      3)
        stopped=$((stopped + 1))
        check_not "$fs: stopped, but published" test -e "$M/out/$i"
        ;;
      *) bad "$fs, writer $kinds: status $rc" ;;
    esac
    rm -f "$M/out/"* "$M/out"/.*lullcp*
  done
  stop_writer
  no_leftovers "$M/out"
  note "$fs, writer $kinds: $(tr ' ' '\n' <<<"$methods" | sort | uniq -c | tr -s '\n ' ' ')"
}

for fs in $(kinds xfs xfs-rmap btrfs btrfs-nocow btrfs-compress); do
  kind=${fs%-nocow}
  fs_mount "$kind" 2G
  blocks=1500 each=$(((rounds + 5) / 6)) range=ci
  case $fs in btrfs*) blocks=6000 range='' ;; esac
  # the number of one kind of change after the other, then all of them mixed
  for kinds in b d s m a "bdsmapptf$range"; do
    # The check goes through all changes from the first on: a new writer now and then.
    for ((left = each; left > 0; left -= 6)); do
      series "$fs" "$kinds" "$blocks" $((left < 6 ? left : 6))
    done
  done
  fs_unmount "$M"
done
note "$total clones: $published published, $stopped stopped"
check 'nothing was published' [ "$published" -gt 0 ]

# The control: what one pass gives with nobody looking is torn, and this test sees it.
for fs in xfs btrfs; do
  fs_mount "$fs" 2G
  fragmented "$M/f" 6000
  cat "$M/f" >"$M/first"
  writer "$M/f" bd
  torn=0
  for i in $(seq 10); do
    expect 0 --on-writers=trust --latency-budget=1ms "$M/f" "$M/copy"
    is_a_state "$M/copy" "$M/first" bd || torn=$((torn + 1))
  done
  stop_writer
  note "control on $fs: $torn of 10 torn"
  check "$fs: the control is not torn" [ "$torn" -gt 0 ]
  fs_unmount "$M"
done
finish
