#!/bin/bash
# SPDX-License-Identifier: MIT
# Compares ways to make a clone cheaper than cp's, each with cp. See README.md; candidates.sh --help.
set -euo pipefail

# shellcheck source=bench/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

usage() {
  cat <<USAGE
Usage: bench/candidates.sh [OPTION]...
Wall and CPU time of a clone by cp and in other ways, in turn, on fresh file systems: with other
budgets, with checkpoints that sync at other intervals, and in the order on the disk. Needs root.

  --extents N         extents of the cloned file (200000)
  --pairs N           runs of each (7)
  --fs LIST           of xfs, xfs-rmap and btrfs ("xfs xfs-rmap btrfs")
  --also NAME=PATH    another lullcp to measure as well; may be repeated
  --lullcp PATH       the program (build/src/lullcp)
  --out FILE          write all figures there as JSON
  --dir DIR           where the images lie (\$TMPDIR or /tmp)
  --fs-gib N          size of the file systems in GiB; their images are sparse (200)
USAGE
}

extents=200000 pairs=7 filesystems='xfs xfs-rmap btrfs' also=()
option() {
  case $1 in
  --extents) extents=$(number "$1" "$2") ;;
  --pairs) pairs=$(number "$1" "$2") ;;
  --fs) filesystems=$2 ;;
  --also)
    [[ $2 == *=* && -x ${2#*=} ]] || die "--also: neither NAME=PATH nor a program: $2"
    also+=("${2%%=*}=$(realpath "${2#*=}")")
    ;;
  *) return 2 ;;
  esac
}
parse "$@"
read -ra filesystems <<<"$filesystems"
known_fs "${filesystems[@]}"
begin fragment load order

# clone WAY: the command, in $command
clone() {
  local program

  command=("$lullcp" --duty-cycle=100 --no-sync)
  case $1 in
  cp) command=(cp --reflink=always) ;;
  "cp, synced")
    # shellcheck disable=SC2016 # for the inner shell
    command=(sh -c 'cp --reflink=always "$1" "$2" && sync "$2"' sh)
    ;;
  lullcp) ;;
  "budget "*) command+=(--latency-budget="${1#budget }") ;;
  "synced every "*) command=("$lullcp" --duty-cycle=100 --checkpoint-interval="${1#synced every }") ;;
  "map only") command=("$T/order" "$M/src" "$M/out/dst" 0) ;;
  "each extent") command=("$T/order" "$M/src" "$M/out/dst" 1) ;;
  "by place, "*) command=("$T/order" "$M/src" "$M/out/dst" "${1#by place, }") ;;
  *)
    for program in "${also[@]}"; do
      [[ $1 != "${program%%=*}" ]] || command[0]=${program#*=}
    done
    ;;
  esac
  [[ ${command[0]} == "$T/order" ]] || command+=("$M/src" "$M/out/dst")
}

ways=(cp lullcp 'budget 2ms' 'budget 5ms' 'budget 20ms' 'budget 50ms' 'budget 100ms'
  'map only' 'each extent' 'by place, 4096' 'by place, 65536' "by place, $extents"
  'cp, synced' 'synced every 10s' 'synced every 1s' 'synced every 100ms')
for program in "${also[@]}"; do
  ways+=("${program%%=*}")
done

: >"$T/runs"
for fs in "${filesystems[@]}"; do
  make_fs "$fs" $((6 * 1024 ** 3 + extents * 4096 * 4))
  say "$fs: making a file of $extents extents"
  "$T/fragment" "$M/src" "$extents" >/dev/null
  # The first clone of a file marks its extents as shared, once and for all.
  settle
  cp --reflink=always "$M/src" "$M/out/dst"
  for ((i = 1; i <= pairs; i++)); do
    say "$fs: round $i of $pairs"
    while read -r way; do
      clone "$way"
      settle
      "$T/load" -o "$T/load.json" -- "${command[@]}" </dev/null || die "load failed: ${command[*]}"
      [[ $(jq .status "$T/load.json") == 0 ]] || die "has failed: ${command[*]}"
      jq -c --arg fs "$fs" --arg way "$way" --argjson round "$i" \
        '{$fs, $way, $round, wall_s: (.wall_ns / 1e9), cpu_s: (.cpu_ns / 1e9)}' \
        "$T/load.json" >>"$T/runs"
    done < <(in_turn "$i" "${ways[@]}")
  done
  drop_fs
done

# shellcheck disable=SC2016 # jq's
jq -s -L "$here" --arg date "$(date -u +%FT%TZ)" --arg kernel "$(uname -sr)" --argjson cpus "$(nproc)" \
  --arg lullcp "$("$lullcp" --version | head -n 1)" --arg commit "$(commit)" \
  --arg cp "$(cp --version | head -n 1)" --argjson extents "$extents" --argjson pairs "$pairs" '
  include "lib";
  . as $runs
  | def of($fs; $way): [$runs[] | select(.fs == $fs and .way == $way)] | sort_by(.round);
    def figure($fs; $way; $cp; f):
      of($fs; $cp) as $base | of($fs; $way) as $ours
      | {median: ($ours | map(f) | median),
         ratio: ([range($ours | length) | ($ours[.] | f) / ($base[.] | f)] | median)};
  {schema: 1, $date, $kernel, machine: {$cpus}, versions: {$lullcp, $commit, $cp}, $extents, $pairs,
   table: [($runs | map(.fs) | unique[]) as $fs
     | (reduce ($runs[] | select(.fs == $fs and .round == 1).way) as $w ([]; . + [$w]))[] as $way
     | (if $way | startswith("synced") then "cp, synced" else "cp" end) as $cp
     | {$fs, $way, against: $cp, wall_s: figure($fs; $way; $cp; .wall_s),
        cpu_s: figure($fs; $way; $cp; .cpu_s)}],
   $runs}' "$T/runs" >"$T/report"
[[ -z $out ]] || cp "$T/report" "$out"
jq -r -L "$here" 'include "lib";
  "\(.versions.lullcp) (\(.versions.commit)), \(.versions.cp), \(.kernel), " +
  "\(.machine.cpus) CPUs, \(.extents) extents, \(.pairs) rounds", "",
  (["file system", "clone", "wall, s", "ratio", "CPU, s", "ratio"],
   (.table[] | [.fs, .way, (.wall_s.median | show), (.wall_s.ratio | show), (.cpu_s.median | show),
     (.cpu_s.ratio | show)]) | @tsv)' "$T/report" | column -t -s $'\t'
