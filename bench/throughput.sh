#!/bin/bash
# SPDX-License-Identifier: MIT
# Measures what a clone leaves to others: the reads and writes a second beside it, as a share of those
# beside a program that uses as much of a processor but takes no lock. See README.md;
# throughput.sh --help. Needs root and fio.
set -euo pipefail

# shellcheck source=bench/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

usage() {
  cat <<USAGE
Usage: bench/throughput.sh [OPTION]...
Direct reads and writes of 4 KiB on a file that is cloned again and again meanwhile, by cp
and by lullcp with several duty cycles. Needs root and fio.

  --extents N         extents of the cloned file (50000)
  --seconds N         length of a measurement (3)
  --rounds N          rounds (3)
  --duty LIST         duty cycles in percent ("20 50 80 95")
  --fs LIST           of xfs, xfs-rmap and btrfs ("xfs-rmap btrfs")
  --lullcp PATH       the program (build/src/lullcp)
  --out FILE          write all figures there as JSON
  --dir DIR           where the images lie (\$TMPDIR or /tmp)
  --fs-gib N          size of the file systems in GiB; their images are sparse (200)
USAGE
}

extents=50000 seconds=3 rounds=3 duties='20 50 80 95' filesystems='xfs-rmap btrfs'
option() {
  case $1 in
  --extents) extents=$(number "$1" "$2") ;;
  --seconds) seconds=$(number "$1" "$2") ;;
  --rounds) rounds=$(number "$1" "$2") ;;
  --duty) duties=$2 ;;
  --fs) filesystems=$2 ;;
  *) return 2 ;;
  esac
}
parse "$@"
read -ra duties <<<"$duties"
read -ra filesystems <<<"$filesystems"
known_fs "${filesystems[@]}"
needs fio
cloner=''
at_end() {
  [[ -z $cloner ]] || kill "$cloner" 2>/dev/null || true
  wait
}
begin fragment

# Keeps something at work all the time. The older clones stay, because to remove them is work as well.
keep_on() { # keep_on TOOL DUTY
  local i clone='' stop=''

  # An idle machine is no measure: with two processors a reader of depth 1 got 16 to 20 thousand reads a
  # second with nothing beside it, and 136 to 143 thousand beside this loop.
  if [[ $1 == busy ]]; then
    while :; do :; done
  fi

  trap 'stop=1; [[ -z $clone ]] || kill "$clone" 2>/dev/null || true' TERM
  for ((i = 0; ; i++)); do
    case $1 in
    cp) cp --reflink=always "$M/src" "$M/out/$i" & ;;
    lullcp)
      # One pass, whatever is written meanwhile, shows what bounded calls do to others.
      "$lullcp" --quiet --no-sync --on-writers=trust --passes=1 --duty-cycle="$2" \
        "$M/src" "$M/out/$i" 2>/dev/null &
      ;;
    esac
    clone=$!
    [[ -z $stop ]] || kill "$clone"
    wait "$clone" || [[ -n $stop ]]
    if [[ -n $stop ]]; then
      # Waits for the one that runs, so that none of it falls into the next measurement.
      wait "$clone" || true
      exit
    fi
  done
}

measure() { # measure TOOL DUTY RW DEPTH ROUND: one line in $T/runs
  # XFS frees deleted files in the background: that must be over before the measurement.
  rm -rf "$M/out"
  remount
  mkdir "$M/out"
  # Writes always find a shared file, beside the busy loop too.
  cp --reflink=always "$M/src" "$M/out/before"
  sync -f "$M"
  keep_on "$1" "$2" &
  cloner=$!
  fio --name=load --filename="$M/src" --rw="rand$3" --bs=4k --direct=1 --iodepth="$4" \
    --ioengine=libaio --time_based --runtime="$seconds" --ramp_time=1 --randseed="$5" \
    --norandommap --file_append=0 --allow_file_create=0 --overwrite=1 \
    --output-format=json --output="$T/fio" >/dev/null
  kill "$cloner" 2>/dev/null || die "$1: the clones ended by themselves"
  wait "$cloner" 2>/dev/null || true
  cloner=''
  jq -c --arg fs "$fs" --arg tool "$1" --argjson duty "$2" --arg rw "$3" --argjson depth "$4" \
    --argjson round "$5" '.jobs[0] | if $rw == "read" then .read else .write end |
    {$fs, $tool, $duty, $rw, $depth, $round, iops,
     p99_ns: .clat_ns.percentile["99.000000"]}' "$T/fio" >>"$T/runs"
}

: >"$T/runs"
for fs in "${filesystems[@]}"; do
  make_fs "$fs" $((8 * 1024 ** 3 + extents * 4096 * 4))
  "$T/fragment" "$M/src" "$extents" >/dev/null
  for ((round = 1; round <= rounds; round++)); do
    for rw in read write; do
      for depth in 1 16; do
        echo "$fs: round $round of $rounds, $rw, depth $depth" >&2
        measure busy 0 $rw $depth $round
        measure cp 0 $rw $depth $round
        for duty in "${duties[@]}"; do
          measure lullcp "$duty" $rw $depth $round
        done
      done
    done
  done
  drop_fs
done

jq -n -L "$here" --arg date "$(date -u +%FT%TZ)" --arg kernel "$(uname -sr)" \
  --arg commit "$(commit)" \
  --arg fio "$(fio --version)" --argjson cpus "$(nproc)" --argjson extents "$extents" \
  --argjson seconds "$seconds" --argjson rounds "$rounds" --slurpfile runs "$T/runs" '
  include "lib";
  {schema: 1, $date, $kernel, $commit, $fio, $cpus, $extents, $seconds, $rounds, $runs,
   table: [$runs | group_by([.fs, .rw, .depth])[] |
     (map(select(.tool == "busy").iops) | median) as $busy |
     {fs: .[0].fs, rw: .[0].rw, depth: .[0].depth, busy_iops: $busy,
      shares: [group_by([.tool, .duty])[] | select(.[0].tool != "busy") |
        {tool: .[0].tool, duty: .[0].duty, share: ((map(.iops) | median) / $busy),
         p99_ns: (map(.p99_ns) | median)}]}]}' \
  >"$T/report"
jq -r '
  def percent: . * 1000 | round / 10 | tostring + " %";
  "| | per second | " + ([.table[0].shares[] |
    if .tool == "cp" then "cp" else "\(.duty) %" end] | join(" | ")) + " |",
  "|---|" + ([range(.table[0].shares | length + 1)] | map("---|") | join("")),
  (.table[] | "| \(.fs), \(.rw)s, depth \(.depth) | \(.busy_iops | round) | " +
    ([.shares[] | .share | percent] | join(" | ")) + " |")
' "$T/report"
[[ -z $out ]] || cp "$T/report" "$out"
