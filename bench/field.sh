#!/bin/bash
# SPDX-License-Identifier: MIT
# Does every job of lullcp on one file as large as those in the field. See README.md; field.sh --help.
set -euo pipefail
# shellcheck source=bench/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

usage() {
  cat <<USAGE
Usage: bench/field.sh --fs FS [OPTION]...
Make a file of tens of millions of extents; clone it beside readers and writers, interrupt and
resume that, verify, change 1 %, compare, refresh, list, and remove it. Needs root and tracefs.

  --fs FS             xfs (blocks of 1 KiB), xfs-rmap (the same) or btrfs
  --extents N         (xfs, xfs-rmap: 20000000; btrfs: 10000000)
  --image FILE        keep the file system there, for steps that are measured one by one
  --steps LIST        of make, cp, rm, clone, beside, caught-up, interrupted, resume, verify, change,
                      diff, refresh, list and discard (all)
  --part I/N          of the step "make", only this part of N, for a machine that others use
  --lullcp PATH       the program (build/src/lullcp)
  --dir DIR           where the image lies without --image (\$TMPDIR or /tmp)
  --fs-gib N          size of the file system in GiB; its image is sparse (200)
  --out FILE          every step as JSON, in place of what it holds of the same step and number

A million extents take 0.5 GB on XFS, whose data is not kept, and 5 GB on Btrfs.
USAGE
}

fs='' extents='' image='' part=1/1
steps='make cp rm clone beside caught-up interrupted resume verify change diff refresh list discard'
option() {
  case $1 in
  --fs) fs=$2 ;;
  --extents) extents=$(number "$1" "$2" 1000) ;;
  --image) image=$2 ;;
  --steps) steps=$2 ;;
  --part) part=$2 ;;
  *) return 2 ;;
  esac
}
parse "$@"
read -ra steps <<<"$steps"
for step in "${steps[@]}"; do
  [[ $step =~ ^(make|cp|rm|clone|beside|caught-up|interrupted|resume|verify|change|diff|refresh|list|discard)$ ]] ||
    die "--steps: no such step: $step"
done
known_fs "$fs"
needs python3 xfs_io
case $fs in
xfs*) block=1024 how=clone mkfs=(-b size=1024) extents=${extents:-20000000} ;;
btrfs) block=4096 how=half mkfs=() extents=${extents:-10000000} ;;
esac
[[ -z $image || $image == /* ]] || image=$PWD/$image
kept=$image
at_end() { end_trace; }
begin fragment load
image=${image:-$T/image}

open_image() {
  local fresh=0

  if [[ ! -e $image ]]; then
    truncate -s $((fs_gib * 1024 ** 3)) "$image"
    fresh=1
  fi
  loop=$(losetup --find --show "$image")
  # From here on the open descriptor alone keeps the loop device.
  exec {loop_fd}<"$loop"
  losetup --detach "$loop"
  if ((fresh)); then
    case $fs in
    xfs) mkfs.xfs -q -m reflink=1,rmapbt=0 "${mkfs[@]}" "$loop" ;;
    xfs-rmap) mkfs.xfs -q -m reflink=1,rmapbt=1 "${mkfs[@]}" "$loop" ;;
    btrfs) mkfs.btrfs -q "${mkfs[@]}" "$loop" >/dev/null ;;
    esac
  fi
  mount "$loop" "$M"
}

# Clones read no data, and the plain file repeats one byte: its blocks need not be kept.
forget_plain() {
  xfs_io -r -c 'fiemap -v' "$M/src.plain" | python3 -c '
import re, sys
for line in sys.stdin:
    found = re.match(r"\s*\d+: \[\d+\.\.\d+\]: (\d+)\.\.(\d+)\s", line)
    if found:
        first, last = int(found[1]), int(found[2])
        print(first * 512, (last - first + 1) * 512)' |
    while read -r offset length; do
      fallocate --punch-hole --offset "$offset" --length "$length" "$image"
    done
}

make() {
  local n=${part#*/}

  if [[ $how == clone && ${part%/*} == 1 ]]; then
    "$T/fragment" -b "$block" -w plain "$M/src" "$extents"
    sync -f "$M"
    forget_plain
  fi
  "$T/fragment" -b "$block" -w "$how" -p "$part" "$M/src" "$extents" >"$T/made"
  [[ ${part%/*} == "$n" ]] || return 0
  (($(<"$T/made") * 100 >= extents * 95)) || die "$fs: only $(<"$T/made") extents"
  dd if=/dev/zero of="$M/other" bs=1M count=64 status=none
  sync -f "$M"
}

# Writes one extent of a hundred again.
change() {
  python3 - "$M/src" "$extents" "$block" <<'PY'
import os, random, sys
fd = os.open(sys.argv[1], os.O_WRONLY)
extents, block = int(sys.argv[2]), int(sys.argv[3])
apart = os.fstat(fd).st_size // block // extents  # every other block may be a hole
for at in sorted(random.sample(range(extents), extents // 100)):
    os.pwrite(fd, os.urandom(block), at * apart * block)
os.fsync(fd)
PY
}

# The busy time of the processors, in hundredths of a second.
busy() { awk '/^cpu / { print $2 + $3 + $4 + $7 + $8 }' /proc/stat; }

# record STEP STATUS COMMAND...: with $inner beside it, on the source, and $outer, on another file. Its
# calls are traced if $watched. $before is called just before it starts.
inner=() outer=() before=() watched=0
record() {
  local step=$1 want=$2 status load busy quiet=()
  shift 2
  remount
  traced=()
  ((!watched)) || trace_calls 200000
  echo null >"$T/tail"
  read -r load _ </proc/loadavg
  busy=$(busy)
  ((${#outer[@]})) && quiet=("$T/load" -o "$T/outer.json" "${outer[@]}" --)
  "${quiet[@]}" "$T/load" -o "$T/inner.json" "${inner[@]}" -- \
    "${before[@]}" "${traced[@]}" "$@" \
    >"$T/stdout" 2>"$T/stderr" || die "load: $(<"$T/stderr")"
  busy=$(($(busy) - busy))
  ((!watched)) || read_trace 10000000 >"$T/tail"
  ((${#outer[@]})) || echo null >"$T/outer.json"
  status=$(jq .status "$T/inner.json")
  [[ $status == "$want" ]] || die "$step: status $status: $(tail -n 3 "$T/stdout" "$T/stderr")"
  grep '"type":"summary"' "$T/stdout" >"$T/summary" || echo '{}' >"$T/summary"
  jq -nc --arg fs "$fs" --argjson asked "$extents" --arg step "$step" \
    --arg image "$(stat -f -c %T "$image")" --arg kernel "$(uname -r)" --arg commit "$(commit)" \
    --argjson load "$load" --argjson busy "$busy" --argjson checkpoint "$(stat -c %s "$M"/.*.lullcp 2>/dev/null | tail -n 1 | grep . || echo null)" \
    --slurpfile tail "$T/tail" --slurpfile inner "$T/inner.json" --slurpfile outer "$T/outer.json" \
    --slurpfile out "$T/summary" '
    def ms: if . then . / 1e6 else null end;
    $inner[0] as $l | $outer[0] as $o | $out[0] as $s | $tail[0] as $t |
    {$fs, $asked, $step, $kernel, $image, $commit, wall_s: ($l.wall_ns / 1e9),
     cpu_s: ($l.cpu_ns / 1e9), machine_cpu_s: ($busy / 100), load_before: $load, peak_kib: $l.maxrss_kib, checkpoint_bytes: (if $step == "interrupted" or $step == "beside" then $checkpoint else null end),
     source_read_max_ms: ($l.reader.max | ms), source_write_max_ms: ($l.writer.max | ms),
     other_read_max_ms: ($o.reader.max | ms), other_write_max_ms: ($o.writer.max | ms),
     calls: $s.calls, over_budget_calls: $s.over_budget_calls, over_50ms: $t.over_50ms,
     hold_ms: ($s.hold_ns | if . then map_values(ms) else null end),
     extents_cloned: $s.extents_cloned, bytes_cloned: $s.bytes_cloned, resumed_at: $s.resumed_at,
     bytes_read: $s.bytes_read, ranges: $s.ranges, method: $s.method, result: $s.result,
     waits: $t.waits, worst: $t.worst}
    | with_entries(select(.value != null))' >>"$T/runs"
  tail -n 1 "$T/runs" >&2
}

# The rests are longer than in other benches: with more writes the file's shape would change.
slow=(--reader-pause=2000 --writer-pause=10000)
run=("$lullcp" --json --duty-cycle=100)
measure() { # measure STEP
  local reader=(-f "$M/src" -r direct "${slow[@]}") half
  local other=(-f "$M/other" -r direct -w direct "${slow[@]}")

  inner=() outer=() before=() watched=0
  case $1 in
  make | change) "$1" ;;
  cp) record cp 0 cp --reflink=always "$M/src" "$M/cp" ;;
  rm)
    # XFS goes on in the background until the inode is free. Btrfs does not count inodes, and frees
    # what it removed within its next commits.
    outer=(-f "$M/other" -w direct)
    # shellcheck disable=SC2016 # for the inner shell
    record 'rm' 0 sh -c '
      used() { stat -f -c "%c - %d" "$1"; }
      before=$(($(used "$1"))) free=0 same=0
      rm "$1/cp" && sync -f "$1"
      while [ $before -gt 0 ] && [ $(($(used "$1"))) -ge $before ]; do sleep 0.1; done
      while [ $before = 0 ] && [ $same -lt 20 ]; do
        now=$(stat -f -c %f "$1")
        if [ "$now" = "$free" ]; then same=$((same + 1)); else free=$now same=0; fi
        sleep 0.1
      done' sh "$M" ;;
  clone) record clone 0 "${run[@]}" "$M/src" "$M/alone" ;;
  beside)
    # A file that is written to meanwhile is not published, but the pass covers all of it.
    inner=("${reader[@]}" -w direct --writer-delay=100) outer=("${other[@]}") watched=1
    record beside 3 "${run[@]}" --on-writers=fail --keep=2 "$M/src" "$M/row" ;;
  caught-up) record caught-up 0 "${run[@]}" --resume --keep=2 "$M/src" "$M/row" ;;
  interrupted)
    half=$(jq -s '(map(select(.step == "cp").wall_s / 2) | max) // 10' "$T/seen")
    inner=("${reader[@]}") outer=("${other[@]}") watched=1 before=(timeout -s TERM "$half")
    record interrupted 124 "${run[@]}" "$M/src" "$M/dst" ;;
  resume)
    inner=("${reader[@]}") outer=("${other[@]}") watched=1
    record resume 0 "${run[@]}" --resume "$M/src" "$M/dst" ;;
  verify) record verify 0 "$lullcp" --json --verify "$M/src" "$M/dst" ;;
  diff) record diff 4 "$lullcp" --json --diff "$M/dst" "$M/src" ;;
  refresh) record refresh 0 "${run[@]}" --refresh "$M/src" "$M/dst" ;;
  list) record list 0 "$lullcp" --json --list "$M/row" ;;
  discard)
    outer=(-f "$M/other" -w direct)
    record discard 0 "$lullcp" --json --discard "$M/dst" ;;
  esac
}

: >"$T/runs"
[[ -n $out ]] || out=$T/figures
[[ -s $out ]] || echo '[]' >"$out"
jq -c --arg fs "$fs" --argjson n "$extents" '.[] | select(.fs == $fs and .asked == $n)' \
  "$out" >"$T/seen"
open_image
for step in "${steps[@]}"; do
  say "$fs, $extents extents: $step"
  measure "$step"
  cat "$T/runs" "$T/seen" >"$T/both" && mv "$T/both" "$T/seen"
  jq -c --slurpfile new "$T/runs" '($new | map([.fs, .asked, .step])) as $again
    | map(select([.fs, .asked, .step] as $k | $again | index([$k]) | not)) + $new
    | .[]' "$out" | sed '1s/^/[\n/; $!s/$/,/; $s/$/\n]/' >"$T/merged"
  [[ ! -s $T/runs ]] || cp "$T/merged" "$out"
  : >"$T/runs"
done
[[ -n $kept ]] || rm "$image"
