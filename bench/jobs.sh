#!/bin/bash
# SPDX-License-Identifier: MIT
# Clones several images at once: what -j gains, and what it costs a program that uses one of them.
# See README.md; jobs.sh --help.
set -euo pipefail

# shellcheck source=bench/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

usage() {
  cat <<USAGE
Usage: bench/jobs.sh [OPTION]...
Clone several fragmented images by one cp and by one lullcp with -j, alone and with somebody
who reads and writes one of them. Needs root.

  --fs LIST       of xfs, xfs-rmap and btrfs (xfs,xfs-rmap,btrfs)
  --files N       images (8)
  --extents N     extents of each, 4 KiB each (100000)
  --jobs LIST     numbers for -j (1,2,4,8)
  --rounds N      rounds (3)
  --apart         each image in a directory of its own: XFS lays these into different
                  allocation groups, and all that is in one directory into one
  --lullcp PATH   the program (build/src/lullcp)
  --out FILE      write all figures there as JSON
  --dir DIR       where the images lie (\$TMPDIR or /tmp)
  --fs-gib N      size of the file systems in GiB; their images are sparse (200)
USAGE
}

filesystems='xfs,xfs-rmap,btrfs' files=8 extents=100000 jobs='1,2,4,8' rounds=3 apart=false
flag() {
  [[ $1 == --apart ]] && apart=true
}
option() {
  case $1 in
  --fs) filesystems=$2 ;;
  --files) files=$(number "$1" "$2") ;;
  --extents) extents=$(number "$1" "$2") ;;
  --jobs) jobs=$2 ;;
  --rounds) rounds=$(number "$1" "$2") ;;
  *) return 2 ;;
  esac
}
parse "$@"
IFS=, read -ra filesystems <<<"$filesystems"
known_fs "${filesystems[@]}"
IFS=, read -ra jobs <<<"$jobs"
for n in "${jobs[@]}"; do
  number --jobs "$n" >/dev/null
done
begin load fragment

measure() { # measure TOOL BESIDE ROUND: TOOL is cp or a number of jobs; one line in $T/runs
  local command beside=()

  rm -rf "$M/out"
  remount
  mkdir "$M/out"
  if [[ $1 = cp ]]; then
    command=(cp --reflink=always "$M"/src/*/* "$M/out")
  else
    command=("$lullcp" -q --no-sync --duty-cycle=100 --on-writers=trust --passes=1 -j "$1" \
      "$M"/src/*/* "$M/out")
  fi
  [[ $2 = false ]] || beside=(-f "$M/src/1/1" -r direct -w direct)
  "$T/load" "${beside[@]}" -o "$T/load.json" -- "${command[@]}" >/dev/null 2>"$T/err" ||
    die "load failed"
  [[ -e $M/out/$files ]] || die "$1: $(cat "$T/err")"
  jq -c --arg fs "$fs" --arg tool "$1" --argjson beside "$2" --argjson round "$3" \
    '{$fs, $tool, $beside, $round, wall_ns, cpu_ns, read_max_ns: .reader.max,
      write_max_ns: .writer.max}' "$T/load.json" >>"$T/runs"
}

: >"$T/runs"
for fs in "${filesystems[@]}"; do
  say "$fs: making $files images of $extents extents"
  make_fs "$fs" $((8 * 1024 ** 3 + files * extents * 4096 * 4))
  for ((i = 1; i <= files; i++)); do
    where=$M/src/1
    ! $apart || where=$M/src/$i
    mkdir -p "$where"
    "$T/fragment" "$where/$i" "$extents" >/dev/null
  done
  for ((round = 1; round <= rounds; round++)); do
    for tool in $(in_turn "$round" cp "${jobs[@]}"); do
      for beside in false true; do
        say "$fs: round $round of $rounds, $tool, beside others: $beside"
        measure "$tool" "$beside" "$round"
      done
    done
  done
  drop_fs
done

jq -n -L "$here" --arg date "$(date -u +%FT%TZ)" --arg kernel "$(uname -sr)" \
  --arg commit "$(commit)" --argjson cpus "$(nproc)" --argjson files "$files" \
  --argjson extents "$extents" --argjson rounds "$rounds" --argjson apart "$apart" --slurpfile runs "$T/runs" '
  include "lib";
  {schema: 1, $date, $kernel, $commit, $cpus, $files, $extents, $rounds, $apart, $runs,
   table: [$runs | group_by(.fs)[] | . as $of_fs |
     def got($tool; $beside; f): [$of_fs[] | select(.tool == $tool and .beside == $beside) | f] |
       if any(. == null) then null else median end;
     ([$of_fs[].tool] | unique | sort_by(if . == "cp" then 0 else tonumber end)[]) as $tool |
     {fs: .[0].fs, $tool,
      wall: (got($tool; false; .wall_ns) / got("cp"; false; .wall_ns)),
      cpu: (got($tool; false; .cpu_ns) / got("cp"; false; .cpu_ns)),
      beside_wall: (got($tool; true; .wall_ns) / got("cp"; true; .wall_ns)),
      read_max_ms: (got($tool; true; .read_max_ns) | if . then . / 1e6 else null end),
      write_max_ms: (got($tool; true; .write_max_ns) | if . then . / 1e6 else null end)}]}' \
  >"$T/report"
jq -r -L "$here" '
  include "lib";
  "\(.files) images of \(.extents) extents, \(.kernel), \(.cpus) CPUs", "",
  "| | alone: wall, CPU (of cp) | beside others: wall | longest read, write, ms |",
  "|---|---|---|---|",
  (.table[] | "| \(.fs), \(if .tool == "cp" then "cp" else "-j \(.tool)" end) | " +
    "\(.wall | show), \(.cpu | show) | \(.beside_wall | show) | " +
    "\(.read_max_ms | show), \(.write_max_ms | show) |")
' "$T/report"
[[ -z $out ]] || cp "$T/report" "$out"
