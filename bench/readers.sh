#!/bin/bash
# SPDX-License-Identifier: MIT
# Traces what the longest reads and writes beside a clone wait for, and how often a call of the clone
# overtakes one that waits. See README.md; readers.sh --help. Needs root and tracefs.
set -euo pipefail

# shellcheck source=bench/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

usage() {
  cat <<USAGE
Usage: bench/readers.sh [OPTION]... [-- LULLCP_OPTION...]
Trace direct reads and writes of a file while it is cloned, by cp and by lullcp with several duty
cycles, on an idle machine and beside programs that compute.

  --extents N         extents of the cloned file (100000)
  --readers N         reads at the same time (4)
  --writers N         writes at the same time (1); the clone is one pass all the same
  --pause N           microseconds that each reader and writer rests after each (200)
  --duty LIST         duty cycles in percent ("100 80 50")
  --busy LIST         programs that compute beside it, for each processor ("0 2")
  --fs LIST           of xfs, xfs-rmap and btrfs ("xfs-rmap btrfs")
  --lullcp PATH       the program (build/src/lullcp)
  --out FILE          write all figures there as JSON
  --dir DIR           where the images lie (\$TMPDIR or /tmp)
  --fs-gib N          size of the file systems in GiB; their images are sparse (200)
USAGE
}

extents=100000 readers=4 writers=1 pause=200 duties='100 80 50' loads='0 2' filesystems='xfs-rmap btrfs'
option() {
  case $1 in
  --extents) extents=$(number "$1" "$2") ;;
  --readers) readers=$(number "$1" "$2") ;;
  --writers) writers=$(number "$1" "$2" 0) ;;
  --pause) pause=$(number "$1" "$2" 0) ;;
  --duty) duties=$2 ;;
  --busy) loads=$2 ;;
  --fs) filesystems=$2 ;;
  *) return 2 ;;
  esac
}
parse "$@"
read -ra duties <<<"$duties"
read -ra loads <<<"$loads"
read -ra filesystems <<<"$filesystems"
known_fs "${filesystems[@]}"
needs python3
trace=/sys/kernel/tracing/instances/lullcp.$$
computing=()
at_end() {
  ((${#computing[@]} == 0)) || kill "${computing[@]}" 2>/dev/null || true
  [[ ! -d $trace ]] || rmdir "$trace" || true
}
begin fragment load
mountpoint -q /sys/kernel/tracing || mount -t tracefs tracefs /sys/kernel/tracing

start_trace() {
  local event

  mkdir "$trace"
  echo 0 >"$trace/tracing_on"
  echo 600000 >"$trace/buffer_size_kb"
  echo mono >"$trace/trace_clock"
  echo 1 >"$trace/options/event-fork"
  for event in syscalls/sys_{enter,exit}_{ioctl,pread64,pwrite64} sched/sched_{switch,waking}; do
    echo 1 >"$trace/events/$event/enable"
  done
  echo 'stacktrace if prev_comm == "load"' >"$trace/events/sched/sched_switch/trigger"
}

measure() { # measure FS BUSY TOOL DUTY: one line in $T/runs
  local i command=(cp --reflink=always "$M/src" "$M/dst")

  # One pass, whatever is written meanwhile.
  [[ $3 == cp ]] || command=("$lullcp" --quiet --no-sync --on-writers=trust --passes=1
    --duty-cycle="$4" "${rest[@]}" "$M/src" "$M/dst")

  rm -f "$M/dst"
  remount
  for ((i = 0; i < readers; i++)); do
    command=("$T/load" --file="$M/src" --reader=direct --reader-pause="$pause" --seed="$i"
      --output="$T/load.$i" -- "${command[@]}")
  done
  for ((i = 0; i < writers; i++)); do
    command=("$T/load" --file="$M/src" --writer=direct --writer-pause="$pause" --seed="$i"
      --output="$T/load-w.$i" -- "${command[@]}")
  done
  for ((i = 0; i < $2 * $(nproc); i++)); do
    while :; do :; done &
    computing+=($!)
  done
  start_trace
  # shellcheck disable=SC2016 # for the inner shell
  sh -ec 'echo $$ >"$1/set_event_pid"; echo 1 >"$1/tracing_on"; shift; exec "$@"' \
    sh "$trace" "${command[@]}" >"$T/stdout" 2>"$T/stderr" || die "$(cat "$T/stderr")"
  echo 0 >"$trace/tracing_on"
  ((${#computing[@]} == 0)) || kill "${computing[@]}"
  wait
  computing=()
  ! grep -h 'overrun: [1-9]' "$trace"/per_cpu/cpu*/stats >&2 || die 'the trace is not whole'
  python3 "$here/readers.py" 20000000 <"$trace/trace" >"$T/reads"
  rmdir "$trace"
  jq -c --arg fs "$1" --argjson busy "$2" --arg tool "$3" --argjson duty "$4" \
    '{$fs, $busy, $tool, $duty} + .' "$T/reads" >>"$T/runs"
  tail -n 1 "$T/runs" | jq -r '
    def ms: . / 10000 | round / 100 | tostring + " ms";
    def line(what): select(.) |
      "  \(.count) \(what), \(.long) over 20 ms, p99.9 \(.p999_ns | ms), longest \(.max_ns | ms); " +
      "overtaken by \(.overtaken) calls at most",
      (.waits[] | "    \(.ns | ms) in \(.count): \(.where)");
    "\(.fs), \(if .tool == "cp" then .tool else "\(.duty) %" end), \(if .busy > 0 then "beside computing" else "idle" end): " +
    "\(.calls.count) calls, longest \(.calls.max_ns | ms)",
    (.reads | line("reads")), (.writes | line("writes"))'
}

: >"$T/runs"
for fs in "${filesystems[@]}"; do
  make_fs "$fs" $((6 * 1024 ** 3 + extents * 4096 * 4))
  say "$fs: making a file of $extents extents"
  "$T/fragment" "$M/src" "$extents" >/dev/null
  cp --reflink=always "$M/src" "$M/before"
  rm "$M/before"
  for busy in "${loads[@]}"; do
    measure "$fs" "$busy" cp 100
    for duty in "${duties[@]}"; do
      measure "$fs" "$busy" lullcp "$duty"
    done
  done
  drop_fs
done
jq -n --arg date "$(date -u +%FT%TZ)" --arg kernel "$(uname -sr)" --arg commit "$(commit)" \
  --argjson cpus "$(nproc)" --argjson extents "$extents" --argjson readers "$readers" \
  --argjson writers "$writers" --argjson pause_us "$pause" --slurpfile runs "$T/runs" \
  '{schema: 1, $date, $kernel, $commit, $cpus, $extents, $readers, $writers, $pause_us, $runs}' >"$T/report"
[[ -z $out ]] || cp "$T/report" "$out"
