#!/bin/bash
# SPDX-License-Identifier: MIT
# Measures trees of small files, many files in one command, and a single one, against cp on
# the same XFS. See README.md; trees.sh --help.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

usage() {
  cat <<USAGE
Usage: bench/trees.sh [OPTION]...
Compare lullcp with cp for small files on a fresh XFS. Needs root.

  --files N       files of the tree, in directories of 100 (50000)
  --pairs N       pairs of runs over the tree (5)
  --small N       pairs of runs for 1,000 files in one command, and for one file (7)
  --jobs N        with the tree, lullcp --jobs=N as well (1: not)
  --lullcp PATH   the program (build/src/lullcp)
  --out FILE      write all figures there as JSON
  --with FILE     go on from there: what an earlier call with --out FILE measured counts as
                  well, so that many pairs can be had in several short calls
  --dir DIR       where the image lies (\$TMPDIR or /tmp)
USAGE
}
die() {
  echo "trees.sh: $*" >&2
  exit 1
}
say() { printf '%s\n' "$*" >&2; }

number() { # number OPTION VALUE: 0 is none of them, where that makes sense
  [[ $2 =~ ^[0-9]{1,9}$ ]] || die "$1: not a number: $2"
  [[ $2 != 0 || $1 == --pairs || $1 == --small ]] || die "$1: at least 1"
  printf '%d' "$((10#$2))"
}

files=50000 pairs=5 small=7 jobs=1
lullcp=$here/../build/src/lullcp out='' with='' dir=${TMPDIR:-/tmp}
arguments=("$@")
while (($#)); do
  case $1 in
  --help)
    usage
    exit
    ;;
  --*=*)
    set -- "${1%%=*}" "${1#*=}" "${@:2}"
    ;;
  esac
  (($# >= 2)) || die "$1: unknown, or its value is missing; see --help"
  case $1 in
  --files) files=$(number "$1" "$2") ;;
  --pairs) pairs=$(number "$1" "$2") ;;
  --small) small=$(number "$1" "$2") ;;
  --jobs) jobs=$(number "$1" "$2") ;;
  --lullcp) lullcp=$2 ;;
  --out) out=$2 ;;
  --with) with=$2 ;;
  --dir) dir=$2 ;;
  *) die "$1: unknown option; see --help" ;;
  esac
  shift 2
done
for program in cc jq python3 losetup mount umount unshare mkfs.xfs; do
  command -v "$program" >/dev/null || die "needs $program"
done
[[ -x $lullcp ]] || die "$lullcp: no such program; run: meson setup build && ninja -C build"
[[ -z $out || -d $(dirname -- "$out") ]] || die "$out: no such directory"
[[ -z $with ]] || jq -e --argjson files "$files" '.schema == 1 and .files == $files' "$with" \
  >/dev/null || die "$with: not what --out made with --files $files"
((EUID == 0)) || die 'must be root, to make and mount a file system'

# What is mounted here is gone with this process, however it ends.
if [[ -z ${LULL_BENCH_UNSHARED:-} ]]; then
  LULL_BENCH_UNSHARED=1 exec unshare --mount --propagation private -- \
    "$BASH" "${BASH_SOURCE[0]}" "${arguments[@]}"
fi

lullcp=$(realpath "$lullcp")
T=$(mktemp -d "$dir/lullcp-bench.XXXXXX")
M=$T/mnt
loop='' loop_fd=''
clean_up() {
  cd /
  ! mountpoint -q "$M" || umount "$M" 2>/dev/null || umount -l "$M"
  [[ -z $loop_fd ]] || exec {loop_fd}<&-
  rm -rf --one-file-system "$T"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

make_fs() {
  mkdir "$M"
  truncate -s $((4 * 1024 ** 3 + files * (pairs + 1) * 20 * 1024)) "$T/image"
  mkfs.xfs -q -m reflink=1,rmapbt=0 "$T/image"
  loop=$(losetup --find --show "$T/image")
  # From here on the open descriptor alone keeps the loop device and its image.
  exec {loop_fd}<"$loop"
  losetup --detach "$loop"
  rm "$T/image"
  mount "$loop" "$M"
}

# Sizes from 0 to 16 KiB as source files have them, most of them small.
make_trees() {
  python3 - "$M" "$files" <<'PY'
import os, random, sys
top, files = sys.argv[1], int(sys.argv[2])
chance, data = random.Random(1), os.urandom(16384)
def fill(path, n):
    os.makedirs(path)
    for i in range(n):
        with open(f"{path}/file{i:03}", "wb") as f:
            f.write(data[:int(16384 * chance.random() ** 3)])
for d in range(0, files, 100):
    fill(f"{top}/tree/{d // 10000}/{d // 100}", min(100, files - d))
fill(f"{top}/list", 1000)
PY
}

# Everything written and nothing cached: the same for each run. What was made before stays,
# for removing it would take longer than the runs.
settle() {
  sync -f "$M"
  for _ in {1..100}; do
    ! umount "$M" 2>/dev/null || break
    sleep 0.1
  done
  ! mountpoint -q "$M" || die "$M: cannot be unmounted"
  mount "$loop" "$M"
}

# measure WHAT TOOL ROUND REPEAT COMMAND...: one line in $T/runs; DEST in the command is a
# fresh name, another one for each repetition
measure() {
  local what=$1 tool=$2 round=$3 repeat=$4 i dest
  shift 4
  : >"$T/loads"
  for ((i = 0; i < repeat; i++)); do
    dest=$M/out-$what-$tool-$round-$i
    [[ $what != list ]] || mkdir "$dest"
    "$T/load" -o "$T/load.json" -- "${@/#DEST/$dest}" || die "load failed: ${*:1:4}"
    cat "$T/load.json" >>"$T/loads"
  done
  jq -sc --arg what "$what" --arg tool "$tool" --argjson round "$round" '
    if any(.[]; .status != 0) then error("a run has failed") else
    {$what, $tool, $round, wall_s: (map(.wall_ns) | add / length / 1e9),
     peak_kib: (map(.maxrss_kib) | max)} end' "$T/loads" >>"$T/runs"
}

in_turn() { # in_turn ROUND TOOL...: in this order in odd rounds, the other way in even ones
  local round=$1
  shift
  if ((round % 2)); then printf '%s\n' "$@"; else printf '%s\n' "$@" | tac; fi
}

rounds() { # rounds WHAT: how many there are already
  jq -s --arg what "$1" 'map(select(.what == $what).round) | max // 0' "$T/runs"
}

trees() {
  local i tool tools=(cp cp-synced lullcp no-sync) last
  last=$(rounds tree)
  ((jobs == 1)) || tools+=(jobs)
  for ((i = last + 1; i <= last + pairs; i++)); do
    say "tree, pair $((i - last)) of $pairs"
    for tool in $(in_turn "$i" "${tools[@]}"); do
      settle
      case $tool in
      cp) measure tree cp "$i" 1 cp -a --reflink=always "$M/tree" DEST ;;
      cp-synced)
        # shellcheck disable=SC2016 # the other shell's
        measure tree cp-synced "$i" 1 sh -c 'cp -a --reflink=always "$0" "$1" && sync -f "$1"' \
          "$M/tree" DEST
        ;;
      lullcp) measure tree lullcp "$i" 1 "$lullcp" -a "$M/tree" DEST ;;
      no-sync) measure tree no-sync "$i" 1 "$lullcp" -a --no-sync "$M/tree" DEST ;;
      jobs) measure tree jobs "$i" 1 "$lullcp" -a "-j$jobs" "$M/tree" DEST ;;
      esac
    done
  done
}

# With all that is read cached: it is the programs that are measured.
small_ones() {
  local i tool last
  last=$(rounds list)
  cat "$M"/list/* >/dev/null
  for ((i = last + 1; i <= last + small; i++)); do
    for tool in $(in_turn "$i" cp cp-synced lullcp no-sync); do
      sync -f "$M"
      case $tool in
      cp)
        measure list cp "$i" 5 cp --reflink=always -t DEST "$M"/list/*
        measure one cp "$i" 50 cp --reflink=always "$M/list/file500" DEST
        ;;
      cp-synced)
        # shellcheck disable=SC2016 # the other shell's
        measure list cp-synced "$i" 5 \
          sh -c 'cp --reflink=always -t "$0" "$@" && sync -f "$0"' DEST "$M"/list/*
        ;;
      lullcp)
        measure list lullcp "$i" 5 "$lullcp" -t DEST "$M"/list/*
        measure one lullcp "$i" 50 "$lullcp" "$M/list/file500" DEST
        ;;
      no-sync)
        measure list no-sync "$i" 5 "$lullcp" --no-sync -t DEST "$M"/list/*
        measure one no-sync "$i" 50 "$lullcp" --no-sync "$M/list/file500" DEST
        ;;
      esac
    done
  done
}

if [[ $with ]]; then jq -c '.runs[]' "$with"; fi >"$T/runs"
cc -std=gnu17 -O2 -pthread -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -o "$T/load" "$here/load.c"
make_fs
say "making $files files"
make_trees
trees
((small == 0)) || { settle && small_ones; }

# shellcheck disable=SC2016 # jq's
jq -s --arg date "$(date -u +%FT%TZ)" --arg kernel "$(uname -sr)" --argjson cpus "$(nproc)" \
  --arg lullcp "$("$lullcp" --version | head -n 1)" --arg cp "$(cp --version | head -n 1)" \
  --arg commit "$(git -C "$here" describe --always --dirty 2>/dev/null || true)" \
  --argjson files "$files" --argjson pairs "$(rounds tree)" \
  --argjson small "$(rounds list)" '
  def median: sort | if length % 2 == 1 then .[length / 2 | floor]
    else (.[length / 2 - 1] + .[length / 2]) / 2 end;
  def of($tool): map(select(.tool == $tool)) | sort_by(.round);
  def against_cp($tool): of("cp") as $cp | of($tool) as $ours |
    [range($ours | length)] | map($ours[.].wall_s / $cp[.].wall_s);
  {schema: 1, $date, $kernel, machine: {$cpus}, versions: {$lullcp, $commit, $cp},
   $files, $pairs, $small,
   figures: (group_by(.what) | map(. as $runs | {key: .[0].what, value:
     ($runs | group_by(.tool) | map({key: .[0].tool, value: {
       wall_s: map(.wall_s) | median,
       peak_kib: map(.peak_kib) | max,
       ratio: (.[0].tool as $tool | $runs | against_cp($tool) | median)}}) |
     from_entries)}) | from_entries),
   runs: .}' "$T/runs" >"$T/report"
[[ -z $out ]] || cp "$T/report" "$out"
jq -r '"\(.versions.lullcp) (\(.versions.commit)), \(.versions.cp), \(.kernel), " +
  "\(.machine.cpus) CPUs, \(.files) files, \(.pairs) pairs", "",
  (["figure", "program", "wall, ms", "ratio to cp", "peak, KiB"],
   (.figures | to_entries[] | .key as $what | .value | to_entries[] |
    [$what, .key, (.value.wall_s * 100000 | round / 100), (.value.ratio * 1000 | round / 1000),
     .value.peak_kib]) | @tsv)' "$T/report" | column -t -s $'\t'
