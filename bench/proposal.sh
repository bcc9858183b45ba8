#!/bin/bash
# SPDX-License-Identifier: MIT
# Repeats the test of the proposal that lullcp answers: a sparse image that a guest reads and writes
# while it is cloned. See README.md; proposal.sh --help.
set -euo pipefail

# shellcheck source=bench/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

usage() {
  cat <<USAGE
Usage: bench/proposal.sh [OPTION]...
Clone a sparse image by cp, by pieces of 1 MiB and by lullcp, alone and beside fio, which reads and
writes it at random. Needs root and fio.

  --fs LIST       of xfs, xfs-rmap and btrfs (xfs,xfs-rmap,btrfs)
  --extents N     blocks of 4 KiB in the image (419746)
  --size-gb N     size of the image in GB; the rest is holes (150)
  --quiet N       rounds without fio (5)
  --rounds N      rounds beside fio (2)
  --after N       seconds that fio goes on for after the clone (10)
  --tools LIST    of cp, pieces, lullcp-100, lullcp and no-hook (all of them); cp is always
                  among them
  --rate N        reads, and writes, a second of each job of fio (0: as many as it can)
  --lullcp PATH   the program (build/src/lullcp)
  --with FILE     take the figures of the other file systems from FILE, of an earlier run
  --out FILE      write all figures there as JSON
  --dir DIR       where the images lie (\$TMPDIR or /tmp)
  --fs-gib N      size of the file systems in GiB; their images are sparse (200)
USAGE
}

filesystems='xfs,xfs-rmap,btrfs' extents=419746 size_gb=150 quiet=5 rounds=2 after=10 rate=0
tools='pieces,lullcp-100,lullcp,no-hook' with=''
option() {
  case $1 in
  --fs) filesystems=$2 ;;
  --extents) extents=$(number "$1" "$2") ;;
  --size-gb) size_gb=$(number "$1" "$2") ;;
  --quiet) quiet=$(number "$1" "$2" 0) ;;
  --rounds) rounds=$(number "$1" "$2" 0) ;;
  --after) after=$(number "$1" "$2") ;;
  --tools) tools=$2 ;;
  --with) with=$(realpath "$2") ;;
  --rate) rate=$(number "$1" "$2" 0) ;;
  *) return 2 ;;
  esac
}
parse "$@"
IFS=, read -ra filesystems <<<"$filesystems"
known_fs "${filesystems[@]}"
IFS=, read -ra tools <<<"$tools"
beside_tools=(none cp) alone_tools=(cp)
for tool in "${tools[@]}"; do
  case $tool in
  cp) ;;
  no-hook) beside_tools+=("$tool") ;;
  pieces | lullcp-100 | lullcp) beside_tools+=("$tool") alone_tools+=("$tool") ;;
  *) die "--tools: none of cp, pieces, lullcp-100, lullcp and no-hook: $tool" ;;
  esac
done
needs fio
begin load spread pieces

fio=''
at_end() {
  if [[ -n $fio ]]; then
    kill -INT "$fio" 2>/dev/null || true
    wait "$fio" 2>/dev/null || true
  fi
}

# fio's writes fill holes, so each run has an image of its own, which holds only what was written when
# it was made.
pristine() { # pristine FS
  local base=$T/base

  truncate -s "${fs_gib}G" "$base"
  case $1 in
  xfs) mkfs.xfs -q -m reflink=1,rmapbt=0 "$base" ;;
  xfs-rmap) mkfs.xfs -q -m reflink=1,rmapbt=1 "$base" ;;
  btrfs) mkfs.btrfs -q "$base" >/dev/null ;;
  esac
  mount -o loop "$base" "$M"
  "$T/spread" "$M/src" "$extents" $((size_gb * 1000000000))
  unmount || die "$M: cannot be unmounted"
}
fresh() {
  drop_fs
  cp --reflink=auto --sparse=always "$T/base" "$T/run"
  loop=$(losetup --find --show "$T/run")
  # From here on the open descriptor alone keeps the loop device and its image.
  exec {loop_fd}<"$loop"
  losetup --detach "$loop"
  rm "$T/run"
  mount "$loop" "$M"
  sync -f "$M"
}

# Writers go on, as in the proposal, where they wrote to the same image during the test. So lullcp makes
# one pass and trusts that somebody redirected them. no-hook is what a user without a hook gets.
command_of() { # command_of TOOL: in ${command[@]}
  local lull=("$lullcp" --json --no-sync)

  case $1 in
  cp) command=(cp --reflink=always "$M/src" "$M/dst") ;;
  pieces) command=("$T/pieces" 1048576 "$M/src" "$M/dst") ;;
  lullcp) command=("${lull[@]}" --on-writers=trust --passes=1 "$M/src" "$M/dst") ;;
  lullcp-100)
    command=("${lull[@]}" --on-writers=trust --passes=1 --duty-cycle=100 "$M/src" "$M/dst")
    ;;
  no-hook) command=("${lull[@]}" "$M/src" "$M/dst") ;;
  esac
}

clone() { # clone TOOL: its time in $T/load.json, its calls in $calls
  command_of "$1"
  "$T/load" -o "$T/load.json" -- "${command[@]}" >"$T/said" 2>"$T/err" || die "load failed"
  [[ -e $M/dst ]] || die "$1: $(cat "$T/err")"
  case $1 in
  cp) calls=1 ;;
  pieces) calls=$(cat "$T/said") ;;
  *) calls=$(jq -s 'map(select(.type == "summary"))[0].calls' "$T/said") ;;
  esac
}

alone() { # alone TOOL ROUND: one line in $T/runs
  rm -f "$M/dst"
  remount
  clone "$1"
  jq -c --arg fs "$fs" --arg tool "$1" --argjson round "$2" --argjson calls "$calls" \
    '{$fs, $tool, $round, beside: false, $calls, wall_ns, cpu_ns}' "$T/load.json" >>"$T/runs"
}

beside() { # beside TOOL ROUND: the same, with fio; TOOL none: fio by itself, for as long
  local limit=() jobs=(--name=read --rw=randread --name=write --rw=randwrite --name=mixed --rw=randrw)

  ((rate == 0)) || limit=("--rate_iops=$rate")
  fresh
  # The figures leave out its first second, in which it maps the file.
  fio "${limit[@]}" --filename="$M/src" --bs=4k --direct=1 --ioengine=psync --time_based --runtime=100000 --ramp_time=1s \
    --randseed="$2" --norandommap --file_append=0 --allow_file_create=0 --overwrite=1 \
    --fallocate=none --output-format=json --output="$T/fio" "${jobs[@]}" >/dev/null 2>&1 &
  fio=$!
  sleep 2
  calls=0
  if [[ $1 = none ]]; then
    echo '{"wall_ns":0,"cpu_ns":0}' >"$T/load.json"
  else
    clone "$1"
  fi
  sleep "$after"
  kill -INT "$fio"
  wait "$fio" || true
  fio=''
  # fio may print something before its JSON.
  sed -n '/^{/,$p' "$T/fio" | jq -c --arg fs "$fs" --arg tool "$1" --argjson round "$2" \
    --argjson calls "$calls" --slurpfile load "$T/load.json" '
    def of($how): [.jobs[][$how] | select(.total_ios > 0)];
    def worst($how; f): [of($how)[] | f] | max;
    {$fs, $tool, $round, beside: true, $calls,
     wall_ns: $load[0].wall_ns, cpu_ns: $load[0].cpu_ns,
     read_max_ns: worst("read"; .clat_ns.max), write_max_ns: worst("write"; .clat_ns.max),
     read_p99_ns: worst("read"; .clat_ns.percentile["99.000000"]),
     write_p99_ns: worst("write"; .clat_ns.percentile["99.000000"]),
     read_iops: ([of("read")[].iops] | add), write_iops: ([of("write")[].iops] | add)}' \
    >>"$T/runs"
}

: >"$T/runs"
if [[ -n $with ]]; then
  jq -c --arg here "${filesystems[*]}" '.runs[] | select(.fs | IN($here | splits(" ")) | not)' "$with" \
    >"$T/runs"
fi
for fs in "${filesystems[@]}"; do
  say "$fs: making $extents extents"
  pristine "$fs"
  if ((quiet > 0)); then
    fresh
    for ((round = 1; round <= quiet; round++)); do
      say "$fs: round $round of $quiet, alone"
      for tool in $(in_turn "$round" "${alone_tools[@]}"); do
        alone "$tool" "$round"
      done
    done
  fi
  for ((round = 1; round <= rounds; round++)); do
    for tool in $(in_turn "$round" "${beside_tools[@]}"); do
      say "$fs: round $round of $rounds, beside fio: $tool"
      beside "$tool" "$round"
    done
  done
  drop_fs
  rm "$T/base"
done

jq -n -L "$here" --arg date "$(date -u +%FT%TZ)" --arg kernel "$(uname -sr)" \
  --arg commit "$(commit)" --arg fio "$(fio --version)" --arg cp "$(cp --version | head -n 1)" \
  --argjson cpus "$(nproc)" --argjson extents "$extents" --argjson size_gb "$size_gb" \
  --argjson after "$after" --argjson rate "$rate" --slurpfile runs "$T/runs" '
  include "lib";
  def ratio($a; $b): if $a == null or $b == null or $b == 0 then null else $a / $b end;
  {schema: 1, $date, $kernel, $commit, $fio, $cp, $cpus, $extents, $size_gb, $after, $rate, $runs,
   table: [$runs | group_by(.fs)[] | . as $of_fs |
     def got($tool; $beside; f): [$of_fs[] | select(.tool == $tool and .beside == $beside) | f] | median;
     ("cp", "pieces", "lullcp-100", "lullcp", "no-hook") as $tool |
     {fs: .[0].fs, $tool,
      wall: ratio(got($tool; false; .wall_ns); got("cp"; false; .wall_ns)),
      cpu: ratio(got($tool; false; .cpu_ns); got("cp"; false; .cpu_ns)),
      calls: ([got($tool; false; .calls), got($tool; true; .calls)] | map(select(. != null)) | first),
      beside_s: (got($tool; true; .wall_ns) | if . then . / 1e9 else null end),
      beside_wall: ratio(got($tool; true; .wall_ns); got("cp"; true; .wall_ns)),
      read_max_ms: (got($tool; true; .read_max_ns) | if . then . / 1e6 else null end),
      write_max_ms: (got($tool; true; .write_max_ns) | if . then . / 1e6 else null end),
      read_p99_ms: (got($tool; true; .read_p99_ns) | if . then . / 1e6 else null end),
      write_p99_ms: (got($tool; true; .write_p99_ns) | if . then . / 1e6 else null end),
      read_iops: got($tool; true; .read_iops), write_iops: got($tool; true; .write_iops),
      iops_left: ratio(got($tool; true; .read_iops + .write_iops);
                       got("none"; true; .read_iops + .write_iops))}]}' >"$T/report"
jq -r -L "$here" '
  include "lib";
  "\(.extents) extents in \(.size_gb) GB, \(.kernel), \(.cpus) CPUs, " +
    if .rate > 0 then "fio at \(.rate) a second and job" else "fio as fast as it can" end,
  "",
  "| | alone: wall, CPU (of cp) | calls | beside fio: s | of cp | longest read, write, ms | p99, ms | IOPS left |",
  "|---|---|---|---|---|---|---|---|",
  (.table[] | "| \(.fs), \(.tool) | \(.wall | show), \(.cpu | show) | \(.calls | show) | " +
    "\(.beside_s | show) | \(.beside_wall | show) | \(.read_max_ms | show), \(.write_max_ms | show) | " +
    "\(.read_p99_ms | show), \(.write_p99_ms | show) | " +
    "\(if .iops_left then (.iops_left * 100 | show) + " %" else "-" end) |")
' "$T/report"
[[ -z $out ]] || cp "$T/report" "$out"
