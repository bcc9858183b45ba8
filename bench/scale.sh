#!/bin/bash
# SPDX-License-Identifier: MIT
# Measures what lullcp costs as the number of extents grows. See README.md; scale.sh --help.
set -euo pipefail
# shellcheck source=bench/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

usage() {
  cat <<USAGE
Usage: bench/scale.sh [OPTION]...
Clone, interrupt and resume, verify, refresh and discard files of more and more extents. Needs root.

  --fs LIST           of xfs (blocks of 1 KiB) and btrfs ("xfs btrfs")
  --extents LIST      ("1000000 2000000 5000000 10000000"; btrfs: up to 5000000)
  --lullcp PATH       the program (build/src/lullcp)
  --dir DIR           where the images lie (/dev/shm if there is room, else /var/tmp)
  --fs-gib N          size of the file systems in GiB; their images are sparse (200)
  --out FILE          every run as JSON, in place of what it holds of the same file system and
                      number
  --plot DIR          draw DIR/scale-FS.svg, of all that is in FILE

A million extents take 1.3 GB on XFS and 5 GB on Btrfs, and some minutes. A trial in seconds:
--extents '20000 40000'.
USAGE
}

filesystems='xfs btrfs' counts='' plot='' dir=''
option() {
  case $1 in
  --fs) filesystems=$2 ;;
  --extents) counts=$2 ;;
  --plot) plot=$2 ;;
  *) return 2 ;;
  esac
}
parse "$@"
for n in $counts; do
  [[ $n =~ ^[1-9][0-9]{3,8}$ ]] || die "--extents: not a number from 1000 on: $n"
done
for fs in $filesystems; do
  [[ $fs == xfs || $fs == btrfs ]] || die "--fs: neither xfs nor btrfs: $fs"
  known_fs "$fs"
done
images=$dir dir=${TMPDIR:-/tmp}
begin fragment load

# The images in memory must leave room for others, and for the extent maps.
place() { # place KIB: a directory with so much room
  local shm memory
  [[ -z $images ]] || { echo "$images"; return; }
  shm=$(df --output=avail -k /dev/shm | tail -n 1)
  memory=$(awk '/^MemAvailable/ { print $2 }' /proc/meminfo)
  if (($1 < shm && $1 * 10 < memory * 7)); then
    echo /dev/shm
  elif (($1 < $(df --output=avail -k /var/tmp | tail -n 1))); then
    echo /var/tmp
  else
    die "no room for an image of $(($1 >> 20)) GiB; see --dir"
  fi
}

with_file() { # with_file EXTENTS: a fresh file system at $M, with the file in it
  local kib mkfs=()
  case $fs in
  xfs) kib=$(($1 * 13 / 10 + 500000)) mkfs=(-b size=1024) ;;
  btrfs) kib=$(($1 * 5 + 500000)) ;;
  esac
  at=$(place "$kib")
  make_fs "$fs" $((kib * 3 * 1024)) "$at" "${mkfs[@]}"
  found=$("$T/fragment" -b "$block" "$M/src" "$1")
  ((found * 100 >= $1 * 95)) || die "$fs: only $found extents"
  truncate -s 16M "$M/other"
  dd if=/dev/zero of="$M/other" bs=1M count=16 conv=notrunc status=none
  echo one block >"$M/tiny"
  # the first clone marks the file as shared, once and for all
  cp --reflink=always "$M/src" "$M/first"
  rm "$M/first"
}

# record STEP STATUS [LOAD_OPTION]... -- COMMAND...: sets $wall to how long it took, in seconds
record() {
  local step=$1 want=$2 status
  shift 2
  remount
  "$T/load" -o "$T/load.json" "$@" >"$T/stdout" 2>"$T/stderr" || die "load: $(<"$T/stderr")"
  status=$(jq .status "$T/load.json")
  [[ $status == "$want" ]] || die "$step: status $status: $(cat "$T/stdout" "$T/stderr")"
  jq -nc --arg fs "$fs" --argjson extents "$found" --arg step "$step" --argjson asked "$n" \
    --arg image "$(stat -f -c %T "$at")" --arg kernel "$(uname -r)" \
    --slurpfile load "$T/load.json" --slurpfile out "$T/stdout" '
    $load[0] as $l | ([$out[] | select(.type == "summary")][0] // {}) as $s |
    {$fs, $asked, $extents, $step, $kernel, $image, wall_s: ($l.wall_ns / 1e9),
     cpu_s: ($l.cpu_ns / 1e9), peak_kib: $l.maxrss_kib,
     other_write_max_ms: (if $l.writer then $l.writer.max / 1e6 else null end),
     calls: $s.calls, over_budget_calls: $s.over_budget_calls, resumed_at: $s.resumed_at,
     hold_max_ms: (if $s.hold_ns then $s.hold_ns.max / 1e6 else null end),
     bytes_read: $s.bytes_read, result: $s.result}
    | with_entries(select(.value != null))' >>"$T/runs"
  tail -n 1 "$T/runs" >&2
  wall=$(jq '.wall_ns / 1e9' "$T/load.json")
}

steps() {
  local beside=(-f "$M/other" -w direct) run=("$lullcp" --json --duty-cycle=100) half
  record cp 0 -- cp --reflink=always "$M/src" "$M/dst"
  # A file that is not a clone of lullcp's is deleted with rm. XFS goes on in the background, and
  # shared extents free no block: it has finished when the inode is free. Btrfs does not count
  # inodes: it has finished when no more blocks become free.
  # shellcheck disable=SC2016 # for the inner shell
  record 'rm' 0 "${beside[@]}" -- sh -c '
    used() { stat -f -c "%c - %d" "$1"; }
    before=$(($(used "$1"))) free=0 same=0
    rm "$1/dst" && sync -f "$1"
    while [ $before -gt 0 ] && [ $(($(used "$1"))) -ge $before ]; do sleep 0.1; done
    while [ $before = 0 ] && [ $same -lt 5 ]; do
      now=$(stat -f -c %f "$1")
      if [ "$now" = "$free" ]; then same=$((same + 1)); else free=$now same=0; fi
      sleep 0.1
    done' sh "$M"
  record clone 0 -- "${run[@]}" "$M/src" "$M/dst"
  half=$(jq -n "$wall / 2")
  record verify 0 -- "$lullcp" --json --verify "$M/src" "$M/dst"
  record refresh 0 -- "${run[@]}" --refresh "$M/src" "$M/dst"
  # An abandoned clone as large as they get; only its name makes it one.
  mv "$M/dst" "$M/.gone.lullcp-part"
  record discard 0 "${beside[@]}" -- "$lullcp" --json --resume "$M/tiny" "$M/gone"
  record interrupted 124 -- timeout -s TERM "$half" "${run[@]}" --checkpoint-interval=1s \
    "$M/src" "$M/again"
  record resume 0 -- "${run[@]}" --resume "$M/src" "$M/again"
  (($(jq .resumed_at "$T/runs" | tail -n 1) > 0)) || die 'it began anew'
  record 'verify resumed' 0 -- "$lullcp" --json --verify "$M/src" "$M/again"
}

: >"$T/runs"
for fs in $filesystems; do
  case $fs in
  xfs) block=1024 default='1000000 2000000 5000000 10000000' ;;
  btrfs) block=4096 default='1000000 2000000 5000000' ;;
  esac
  for n in ${counts:-$default}; do
    say "$fs: making a file of $n extents"
    with_file "$n"
    steps
    drop_fs
  done
done

[[ -n $out ]] || out=$T/figures
[[ -s $out ]] || echo '[]' >"$out"
jq -c --slurpfile new "$T/runs" '($new | map([.fs, .asked]) | unique) as $seen
  | map(select([.fs, .asked] as $k | $seen | index([$k]) | not)) + $new
  | sort_by(.fs, .asked) | .[]' "$out" | sed '1s/^/[\n/; $!s/$/,/; $s/$/\n]/' >"$T/merged"
cp "$T/merged" "$out"
jq -r -L "$here" -f "$here/scale.jq" "$out"
if [[ -n $plot ]]; then
  mkdir -p "$plot"
  for fs in $filesystems; do
    "$here/plot-scale" "$out" "$fs" "$plot/scale-$fs.svg"
  done
fi
