#!/bin/bash
# SPDX-License-Identifier: MIT
# stalls.sh BUILD FS EXTENTS MODE... : measures, on the running kernel, how long reads and writes of a
# file with EXTENTS extents take while cp and lullcp clone it. Prints a line of JSON for each run. FS is
# xfs or btrfs. MODE is direct, buffered (the page cache is empty) or cached (it holds all of the file).
# Reads are measured without a writer, and writes without a reader, because one that waits makes the
# other wait.
set -euo pipefail
lullcp=$1/src/lullcp fragment=$1/tests/fragment load=$1/tests/load
fs=$2 extents=$3
shift 3

T=$(mktemp -d /dev/shm/lullcp-stalls.XXXXXX)
M=$T/mnt
clean_up() {
  ! mountpoint -q "$M" || umount "$M" || umount -l "$M"
  rm -rf --one-file-system "$T"
}
trap clean_up EXIT
mkdir "$M"
truncate -s $((2 * 1024 ** 3 + extents * 4096 * 3)) "$T/image"
case $fs in
xfs)
  options=(-m "reflink=1,rmapbt=0")
  # an old kernel cannot read counters that are new in 5.19
  mkfs.xfs -N -f -i nrext64=0 "$T/image" >/dev/null 2>&1 && options+=(-i nrext64=0)
  mkfs.xfs -q -f "${options[@]}" "$T/image"
  ;;
btrfs) mkfs.btrfs -q -f "$T/image" >/dev/null 2>&1 ;;
esac

# Caches are cold, and what was deleted is freed, before each run.
settle() {
  rm -rf "$M/out"
  sync -f "$M"
  umount "$M"
  mount -o loop "$T/image" "$M"
  mkdir "$M/out"
  sync -f "$M"
}
mount -o loop "$T/image" "$M"
found=$("$fragment" "$M/src" "$extents")
settle
# the first clone marks the file as shared, once and for all
cp --reflink=always "$M/src" "$M/out/first"

measure() { # measure MODE reads|writes cp|lullcp
  local beside=(-f "$M/src") command=("$3") status
  case $2 in
  reads) beside+=(-r "$1") ;;
  writes) beside+=(-w "${1/cached/buffered}") ;;
  esac
  case $3 in
  cp) command+=(--reflink=always) ;;
  lullcp) command=("$lullcp" --json) ;;
  esac
  # One pass, whatever is written: what bounded calls do, not how writers are outlasted.
  [[ $2.$3 != writes.lullcp ]] || command+=(--on-writers=trust --passes=1)
  settle
  # Pages that are in the cache are there for writers as well.
  [[ $2.$1 != writes.cached ]] || cat "$M/src" >/dev/null
  "$load" -o "$T/load" "${beside[@]}" -- "${command[@]}" "$M/src" "$M/out/dst" >"$T/stdout" \
    2>"$T/stderr"
  status=$(jq .status "$T/load")
  [[ $status == 0 ]] || {
    echo "stalls.sh: status $status: ${command[*]}" >&2
    cat "$T/stdout" "$T/stderr" >&2
    exit 1
  }
  [[ $2 == writes ]] || cmp "$M/src" "$M/out/dst"
  jq -nc --arg kernel "$(uname -r)" --arg machine "${LULL_ACCEL:-native}" --arg fs "$fs" \
    --arg mode "$1" --arg what "$2" --arg tool "$3" --argjson extents "$found" \
    --slurpfile load "$T/load" --slurpfile out "$T/stdout" \
    '($load[0] | .reader // .writer) as $beside |
     {part: "stalls", $kernel, $machine, $fs, $mode, $what, $tool, $extents,
      wall_ns: $load[0].wall_ns, count: $beside.count, max_ns: $beside.max}
     + ([$out[] | select(.type == "summary")][0] | if . then
         {method, calls, over_budget_calls, hold_max_ns: .hold_ns.max} else {} end)'
}

for mode; do
  for what in reads writes; do
    for tool in cp lullcp; do
      measure "$mode" "$what" "$tool"
    done
  done
done
