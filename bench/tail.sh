#!/bin/bash
# SPDX-License-Identifier: MIT
# Which clone calls exceed the budget, and in which kernel function they wait: by tracing one
# run. See README.md; tail.sh --help. Needs root and tracefs.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

usage() {
  cat <<USAGE
Usage: bench/tail.sh [OPTION]... [-- LULLCP_OPTION...]
Trace one clone: durations of its calls, and where those over the budget waited.

  --extents N         extents of the cloned file (1000000)
  --fs LIST           of xfs, xfs-rmap and btrfs ("xfs xfs-rmap btrfs")
  --lullcp PATH       the program (build/src/lullcp)
  --out FILE          write all figures there as JSON
  --dir DIR           where the images lie (\$TMPDIR or /tmp)
USAGE
}
die() {
  echo "tail.sh: $*" >&2
  exit 1
}

extents=1000000 filesystems='xfs xfs-rmap btrfs'
lullcp=$here/../build/src/lullcp out='' dir=${TMPDIR:-/tmp}
arguments=("$@")
while (($#)); do
  case $1 in
  --help)
    usage
    exit
    ;;
  --)
    shift
    break
    ;;
  --*=*) set -- "${1%%=*}" "${1#*=}" "${@:2}" ;;
  esac
  (($# >= 2)) || die "$1: unknown, or its value is missing; see --help"
  case $1 in
  --extents)
    [[ $2 =~ ^[1-9][0-9]{0,8}$ ]] || die "$1: not a number: $2"
    extents=$2
    ;;
  --fs) filesystems=$2 ;;
  --lullcp) lullcp=$2 ;;
  --out) out=$2 ;;
  --dir) dir=$2 ;;
  *) die "$1: unknown option; see --help" ;;
  esac
  shift 2
done
read -ra filesystems <<<"$filesystems"
for program in cc jq python3 losetup mount unshare mkfs.xfs mkfs.btrfs; do
  command -v "$program" >/dev/null || die "needs $program"
done
[[ -x $lullcp ]] || die "$lullcp: no such program; run: meson setup build && ninja -C build"
((EUID == 0)) || die 'must be root, to make and mount file systems'

# What is mounted here is gone with this process, however it ends.
if [[ -z ${LULL_BENCH_UNSHARED:-} ]]; then
  LULL_BENCH_UNSHARED=1 exec unshare --mount --propagation private -- \
    "$BASH" "${BASH_SOURCE[0]}" "${arguments[@]}"
fi
T=$(mktemp -d "$dir/lullcp-bench.XXXXXX")
M=$T/mnt
trace=/sys/kernel/tracing/instances/lullcp.$$
clean_up() {
  [[ ! -d $trace ]] || rmdir "$trace" || true
  ! mountpoint -q "$M" || umount "$M" || umount -l "$M"
  rm -rf --one-file-system "$T"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
mkdir "$M"
cc -std=gnu17 -O2 -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -o "$T/fragment" "$here/fragment.c"
mountpoint -q /sys/kernel/tracing || mount -t tracefs tracefs /sys/kernel/tracing

# Three kinds of events, and where a task is when it goes to sleep.
start_trace() {
  mkdir "$trace"
  echo 0 >"$trace/tracing_on"
  echo 100000 >"$trace/buffer_size_kb"
  echo mono >"$trace/trace_clock"
  echo 1 >"$trace/events/syscalls/sys_enter_ioctl/enable"
  echo 1 >"$trace/events/syscalls/sys_exit_ioctl/enable"
  echo 1 >"$trace/events/sched/sched_switch/enable"
}

: >"$T/runs"
for fs in "${filesystems[@]}"; do
  truncate -s "$((6 * 1024 ** 3 + extents * 4096 * 4))" "$T/image"
  case $fs in
  xfs) mkfs.xfs -q -m reflink=1,rmapbt=0 "$T/image" ;;
  xfs-rmap) mkfs.xfs -q -m reflink=1,rmapbt=1 "$T/image" ;;
  btrfs) mkfs.btrfs -q "$T/image" >/dev/null ;;
  *) die "--fs: neither xfs nor xfs-rmap nor btrfs: $fs" ;;
  esac
  mount -o loop "$T/image" "$M"
  rm "$T/image"
  echo "$fs: making a file of $extents extents" >&2
  "$T/fragment" "$M/src" "$extents" >/dev/null
  cp --reflink=always "$M/src" "$M/before"
  rm "$M/before"
  sync -f "$M"
  sleep 2
  start_trace
  echo 1 >"$trace/tracing_on"
  # shellcheck disable=SC2016 # for the inner shell
  sh -ec 'echo $$ >"$1/set_event_pid"
    echo "stacktrace if prev_pid == $$" >"$1/events/sched/sched_switch/trigger"
    shift; exec "$@"' sh "$trace" "$lullcp" --json --no-sync "$@" "$M/src" "$M/dst" >"$T/stdout"
  echo 0 >"$trace/tracing_on"
  ! grep -h 'overrun: [1-9]' "$trace"/per_cpu/cpu*/stats >&2 || die 'the trace is not whole'
  budget=$(jq 'select(.type == "summary") | .budget_ns' "$T/stdout")
  python3 "$here/tail.py" "$budget" <"$trace/trace" >"$T/tail"
  rmdir "$trace"
  jq -c --arg fs "$fs" --slurpfile out "$T/stdout" \
    '{fs: $fs} + . + {summary: ([$out[] | select(.type == "summary")][0])}' "$T/tail" >>"$T/runs"
  jq -r --arg fs "$fs" '
    def ms: . / 10000 | round / 100 | tostring + " ms";
    "\($fs): \(.calls) calls, \(.over_budget) over the budget, \(.over_50ms) over 50 ms; " +
    "p50 \(.p50_ns | ms), p99 \(.p99_ns | ms), p99.9 \(.p999_ns | ms), longest \(.max_ns | ms)",
    (.waits[] | "  \(.ns | ms) in \(.calls) calls: \(.where)")' "$T/tail"
  umount "$M"
done
jq -n --arg date "$(date -u +%FT%TZ)" --arg kernel "$(uname -sr)" \
  --arg commit "$(git -C "$here" describe --always --dirty 2>/dev/null || true)" \
  --argjson cpus "$(nproc)" --argjson extents "$extents" --slurpfile runs "$T/runs" \
  '{schema: 1, $date, $kernel, $commit, $cpus, $extents, $runs}' >"$T/report"
[[ -z $out ]] || cp "$T/report" "$out"
