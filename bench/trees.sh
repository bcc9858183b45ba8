#!/bin/bash
# SPDX-License-Identifier: MIT
# Measures trees of small files, many files in one command, and a single one, against cp on
# the same file system. See README.md; trees.sh --help.
set -euo pipefail

# shellcheck source=bench/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

usage() {
  cat <<USAGE
Usage: bench/trees.sh [OPTION]...
Compare lullcp with cp for small files on a fresh file system. Needs root.

  --fs FS         xfs, xfs-rmap or btrfs (xfs)
  --files N       files of the tree, in directories of 100 (50000)
  --pairs N       pairs of runs over the tree (5)
  --small N       pairs of runs for 1,000 files in one command, and for one file (7)
  --jobs N        with the tree, lullcp --jobs=N as well (1: not)
  --wide N        entries of one directory that is copied once, for the memory (0: not)
  --lullcp PATH   the program (build/src/lullcp)
  --out FILE      write all figures there as JSON
  --with FILE     go on from there: what an earlier call with --out FILE measured counts as
                  well, so that many pairs can be had in several short calls
  --dir DIR       where the image lies (\$TMPDIR or /tmp)
  --fs-gib N      size of the file systems in GiB; their images are sparse (200)
USAGE
}

fs=xfs files=50000 pairs=5 small=7 jobs=1 wide=0 with=''
option() {
  case $1 in
  --fs) fs=$2 ;;
  --files) files=$(number "$1" "$2") ;;
  --pairs) pairs=$(number "$1" "$2" 0) ;;
  --small) small=$(number "$1" "$2" 0) ;;
  --jobs) jobs=$(number "$1" "$2") ;;
  --wide) wide=$(number "$1" "$2" 0) ;;
  --with) with=$2 ;;
  *) return 2 ;;
  esac
}
parse "$@"
[[ $fs =~ ^(xfs|xfs-rmap|btrfs)$ ]] || die "--fs=$fs: not xfs, xfs-rmap or btrfs"
needs python3 "mkfs.${fs%-*}"
[[ -z $with ]] || jq -e --argjson files "$files" --arg fs "$fs" \
  '.schema == 1 and .files == $files and (.fs // "xfs") == $fs' "$with" >/dev/null ||
  die "$with: not what --out made with --fs $fs --files $files"
begin load

# Sizes are from 0 to 16 KiB and mostly small, as those of source files are.
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

# measure WHAT TOOL ROUND REPEAT COMMAND...: adds one line to $T/runs; DEST in the command is a fresh name
# for each repetition
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
      # The earlier copies stay: removing them would take longer than the runs.
      remount
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

# Everything that is read is cached, so that the programs are measured.
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

# One directory with that many empty files shows how much is remembered of each.
wide_one() {
  say "making $wide files in a directory"
  python3 - "$M/wide" "$wide" <<'PY'
import os, sys
os.mkdir(sys.argv[1])
for i in range(int(sys.argv[2])):
    os.close(os.open(f"{sys.argv[1]}/file{i:07}", os.O_WRONLY | os.O_CREAT, 0o644))
PY
  remount
  measure wide cp 1 1 cp -a --reflink=always "$M/wide" DEST
  remount
  measure wide lullcp 1 1 "$lullcp" -a "$M/wide" DEST
}

if [[ $with ]]; then jq -c '.runs[]' "$with"; fi >"$T/runs"
make_fs "$fs" $((4 * 1024 ** 3 + files * (pairs + 1) * 20 * 1024 + wide * 3 * 1024))
say "making $files files"
make_trees
trees
((small == 0)) || { remount && small_ones; }
((wide == 0)) || wide_one

# shellcheck disable=SC2016 # jq's
jq -s -L "$here" --arg date "$(date -u +%FT%TZ)" --arg kernel "$(uname -sr)" --argjson cpus "$(nproc)" \
  --arg lullcp "$("$lullcp" --version | head -n 1)" --arg cp "$(cp --version | head -n 1)" \
  --arg commit "$(commit)" \
  --arg fs "$fs" --argjson files "$files" --argjson pairs "$(rounds tree)" \
  --argjson small "$(rounds list)" '
  include "lib";
  def of($tool): map(select(.tool == $tool)) | sort_by(.round);
  def against($other; $tool): of($other) as $cp | of($tool) as $ours |
    [range([$ours, $cp | length] | min)] | map($ours[.].wall_s / $cp[.].wall_s);
  {schema: 1, $date, $kernel, machine: {$cpus}, versions: {$lullcp, $commit, $cp},
   $fs, $files, $pairs, $small,
   figures: (group_by(.what) | map(. as $runs | {key: .[0].what, value:
     ($runs | group_by(.tool) | map({key: .[0].tool, value: {
       wall_s: map(.wall_s) | median,
       peak_kib: map(.peak_kib) | max,
       ratio: (.[0].tool as $tool | $runs | against("cp"; $tool) | median),
       ratio_synced: (.[0].tool as $tool | $runs | against("cp-synced"; $tool) |
                      if length > 0 then median else null end)}}) |
     from_entries)}) | from_entries),
   runs: .}' "$T/runs" >"$T/report"
[[ -z $out ]] || cp "$T/report" "$out"
jq -r '"\(.versions.lullcp) (\(.versions.commit)), \(.versions.cp), \(.kernel), " +
  "\(.machine.cpus) CPUs, \(.fs), \(.files) files, \(.pairs) pairs", "",
  (["figure", "program", "wall, ms", "ratio to cp", "to cp and sync", "peak, KiB"],
   (.figures | to_entries[] | .key as $what | .value | to_entries[] |
    [$what, .key, (.value.wall_s * 100000 | round / 100), (.value.ratio * 1000 | round / 1000),
     (if .value.ratio_synced then .value.ratio_synced * 1000 | round / 1000 else "-" end),
     .value.peak_kib]) | @tsv)' "$T/report" | column -t -s $'\t'
