#!/bin/bash
# SPDX-License-Identifier: MIT
# Traces one run: which clone calls exceed the budget, and in which kernel function they wait. See
# README.md; tail.sh --help. Needs root and tracefs.
set -euo pipefail

# shellcheck source=bench/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

usage() {
  cat <<USAGE
Usage: bench/tail.sh [OPTION]... [-- LULLCP_OPTION...]
Trace one clone: durations of its calls, and where those over the budget waited.

  --extents N         extents of the cloned file (1000000)
  --fs LIST           of xfs, xfs-rmap and btrfs ("xfs xfs-rmap btrfs")
  --lullcp PATH       the program (build/src/lullcp)
  --out FILE          write all figures there as JSON
  --dir DIR           where the images lie (\$TMPDIR or /tmp)
  --fs-gib N          size of the file systems in GiB; their images are sparse (200)
USAGE
}

extents=1000000 filesystems='xfs xfs-rmap btrfs'
option() {
  case $1 in
  --extents) extents=$(number "$1" "$2") ;;
  --fs) filesystems=$2 ;;
  *) return 2 ;;
  esac
}
parse "$@"
read -ra filesystems <<<"$filesystems"
known_fs "${filesystems[@]}"
needs python3
at_end() { end_trace; }
begin fragment

: >"$T/runs"
for fs in "${filesystems[@]}"; do
  make_fs "$fs" $((6 * 1024 ** 3 + extents * 4096 * 4))
  echo "$fs: making a file of $extents extents" >&2
  "$T/fragment" "$M/src" "$extents" >/dev/null
  cp --reflink=always "$M/src" "$M/before"
  rm "$M/before"
  sync -f "$M"
  sleep 2
  # A switch takes some 300 bytes; with a reverse mapping tree there is more than one for each extent.
  trace_calls $((100000 + extents / 2))
  "${traced[@]}" "$lullcp" --json --no-sync "${rest[@]}" "$M/src" "$M/dst" >"$T/stdout"
  budget=$(jq 'select(.type == "summary") | .budget_ns' "$T/stdout")
  read_trace "$budget" >"$T/tail"
  jq -c --arg fs "$fs" --slurpfile out "$T/stdout" \
    '{fs: $fs} + . + {summary: ([$out[] | select(.type == "summary") | del(.source, .dest)][0])}' "$T/tail" >>"$T/runs"
  jq -r --arg fs "$fs" '
    def ms: . / 10000 | round / 100 | tostring + " ms";
    "\($fs): \(.calls) calls, \(.over_budget) over the budget, \(.over_50ms) over 50 ms; " +
    "p50 \(.p50_ns | ms), p99 \(.p99_ns | ms), p99.9 \(.p999_ns | ms), longest \(.max_ns | ms)",
    (.waits[] | "  \(.ns | ms) in \(.calls) calls: \(.where)")' "$T/tail"
  drop_fs
done
jq -n --arg date "$(date -u +%FT%TZ)" --arg kernel "$(uname -sr)" \
  --arg commit "$(commit)" \
  --argjson cpus "$(nproc)" --argjson extents "$extents" --slurpfile runs "$T/runs" \
  '{schema: 1, $date, $kernel, $commit, $cpus, $extents, $runs}' >"$T/report"
[[ -z $out ]] || cp "$T/report" "$out"
