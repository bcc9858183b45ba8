#!/bin/bash
# SPDX-License-Identifier: MIT
# Runs cp --reflink=always and lullcp in turn on Btrfs with quotas on and off, beside a buffered writer.
set -euo pipefail

# shellcheck source=bench/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

usage() {
  cat <<USAGE
Usage: bench/quota.sh [OPTION]...
Compare cp --reflink=always with lullcp on Btrfs, with quotas off and on. Needs root.
The clones stay: what the n-th costs with n-1 before it is a row. Only ratios within a run count.

  --extents N         extents of the cloned file (30000)
  --pairs N           pairs of runs (5)
  --quotas LIST       of off, on and simple ("off on"); simple takes btrfs-progs 6.7 and Linux 6.7
  --lullcp PATH       the program (build/src/lullcp)
  --out FILE          write all figures there as JSON Lines
  --dir DIR           where the image lies (\$TMPDIR or /tmp)
  --fs-gib N          size of the file system in GiB; its image is sparse (200)
USAGE
}

extents=30000 pairs=5 quotas='off on'
option() {
  case $1 in
  --extents) extents=$(number "$1" "$2") ;;
  --pairs) pairs=$(number "$1" "$2") ;;
  --quotas) quotas=$2 ;;
  *) return 2 ;;
  esac
}

parse "$@"
needs btrfs mkfs.btrfs
begin fragment load

# one QUOTAS PAIR PROGRAM COMMAND...: runs COMMAND beside the writer, and prints a row
one() {
  local kind=$1 pair=$2 program=$3 since synced method=-
  shift 3
  "$T/load" -f "$M/sub/f" -w buffered -o "$T/load.json" -- "$@" >"$T/said"
  [[ $program == cp ]] || method=$(jq -r 'select(.type == "summary") | .method' "$T/said")
  since=$EPOCHREALTIME
  sync -f "$M"
  # what the command has left behind: the accounting of the transaction in which it ended
  synced=$((${EPOCHREALTIME/./} - ${since/./}))
  jq -c --arg quotas "$kind" --argjson pair "$pair" --arg program "$program" --arg method "$method" \
    --argjson synced "$synced" '{$quotas, $pair, $program, $method, wall_ms: (.wall_ns / 1e6 | round),
      cpu_ms: (.cpu_ns / 1e6 | round), sync_ms: ($synced / 1e3 | round),
      write_p99_ms: (.writer.p99 / 1e6 * 10 | round / 10), write_max_ms: (.writer.max / 1e6 | round)}' \
    "$T/load.json" | tee -a "$T/rows"
}

for kind in $quotas; do
  make_fs btrfs $((8 * 1024 ** 3))
  case $kind in
  off) ;;
  on) btrfs quota enable "$M" ;;
  simple) btrfs quota enable --simple "$M" ;;
  *) die "--quotas: neither off nor on nor simple: $kind" ;;
  esac
  btrfs -q subvolume create "$M/sub"
  "$T/fragment" "$M/sub/f" "$extents" >/dev/null
  [[ $kind != on ]] || btrfs quota rescan -w "$M" >/dev/null 2>&1 || true
  sync -f "$M"
  for ((pair = 1; pair <= pairs; pair++)); do
    one "$kind" "$pair" cp cp --reflink=always "$M/sub/f" "$M/cp.$pair"
    one "$kind" "$pair" lullcp "$lullcp" --json "$M/sub/f" "$M/lullcp.$pair"
  done
  drop_fs
done
[[ -z $out ]] || cp "$T/rows" "$out"
