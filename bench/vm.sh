#!/bin/bash
# SPDX-License-Identifier: MIT
# Measures how long a virtual machine's reads wait while its image is cloned: through NBD from a
# qemu-storage-daemon whose writes are redirected, by lullcp and by cp in the same freeze.
# See README.md; vm.sh --help.
set -euo pipefail
# shellcheck source=bench/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
build=$here/../build extents=100000 rounds=3 filesystems='xfs xfs-rmap btrfs'
usage() {
  cat <<USAGE
Usage: bench/vm.sh [OPTION]...
Measure reads through NBD during a clone in a freeze. Needs root.

  --build DIR     where lullcp and its hook were built (build)
  --extents N     extents of the image, 4 KiB each ($extents)
  --rounds N      rounds ($rounds)
  --fs LIST       of xfs, xfs-rmap and btrfs ("$filesystems")
  --out FILE      write all figures there as JSON
  --dir DIR       where the images lie (\$TMPDIR or /tmp)
  --fs-gib N      size of the file systems in GiB; their images are sparse (200)
USAGE
}
option() {
  case $1 in
  --build) build=$(cd "$2" && pwd) ;;
  --extents) extents=$(number "$1" "$2") ;;
  --rounds) rounds=$(number "$1" "$2") ;;
  --fs) filesystems=$2 ;;
  *) return 2 ;;
  esac
}
parse "$@"
read -ra filesystems <<<"$filesystems"
known_fs "${filesystems[@]}"
needs qemu-storage-daemon
lullcp=$build/src/lullcp hook=$build/hooks/lullcp-hook-qmp nbd=$build/tests/nbd
for program in "$hook" "$nbd"; do
  [[ -x $program ]] || die "$program: not built"
done
qsd='' writer='' reader=''
at_end() {
  local pid
  for pid in $reader $writer $qsd; do kill "$pid" 2>/dev/null || true; done
}
begin fragment

guest_up() { # a daemon that exports the image, and a guest that writes to it
  qemu-storage-daemon --blockdev "driver=raw,node-name=d,file.driver=file,file.filename=$M/src,file.cache.direct=on" \
    --nbd-server "addr.type=unix,addr.path=$T/nbd,max-connections=0" \
    --export type=nbd,id=e,node-name=d,name=d,writable=on \
    --chardev "socket,id=m,path=$T/qmp,server=on,wait=off" --monitor chardev=m >"$T/qsd.log" 2>&1 &
  qsd=$!
  for _ in {1..200}; do [[ ! -S $T/qmp || ! -S $T/nbd ]] || break; sleep 0.02; done
  rm -f "$T/acked"
  "$nbd" write "$T/nbd" d 1 "$T/acked" 2>/dev/null &
  writer=$!
}
guest_down() {
  # not by SIGTERM: it would read back the whole disk
  kill -KILL "$writer"
  wait "$writer" 2>/dev/null || true
  kill "$qsd"
  wait "$qsd" 2>/dev/null || true
  writer='' qsd=''
  rm -f "$T/qmp" "$T/nbd"
}
clone() {
  if [[ $1 == lullcp ]]; then
    "$lullcp" -q --no-sync --hook="$T/freeze-once" "$M/src" "$M/dst"
  else
    cp --reflink=always "$M/src" "$M/dst"
  fi
}
run() { # run FS TOOL ROUND: one line in $T/runs
  local begun
  rm -f "$M/dst"
  sync -f "$M"
  guest_up
  "$hook" --socket="$T/qmp" freeze "$M/src" 2>/dev/null
  "$nbd" read "$T/nbd" d "$3" >"$T/read.json" &
  reader=$!
  # by then the extent maps are in memory, and the reads at full speed
  sleep 1
  kill -TERM "$reader"
  wait "$reader" || true
  "$nbd" read "$T/nbd" d "$3" >"$T/read.json" &
  reader=$!
  begun=$(date +%s%N)
  clone "$2"
  local took=$(($(date +%s%N) - begun))
  kill -TERM "$reader"
  wait "$reader" || die 'the reader read nothing'
  reader=''
  "$hook" --socket="$T/qmp" thaw "$M/src" 2>"$T/err" || die "$(cat "$T/err")"
  guest_down
  jq -c --arg fs "$1" --arg tool "$2" --argjson round "$3" --argjson clone_ns "$took" \
    '{$fs, $tool, $round, $clone_ns} + .' "$T/read.json" >>"$T/runs"
}
# Both tools share one freeze: the hook that lullcp calls only says that it is frozen.
printf '#!/bin/sh\nexit 0\n' >"$T/freeze-once"
chmod +x "$T/freeze-once"
: >"$T/runs"
for fs in "${filesystems[@]}"; do
  echo "$fs: making an image of $extents extents" >&2
  make_fs "$fs" $((6 * 1024 ** 3 + extents * 16384))
  "$T/fragment" "$M/src" "$extents" >/dev/null
  # the first clone marks all extents as shared, once and for all
  cp --reflink=always "$M/src" "$M/dst"
  for ((i = 1; i <= rounds; i++)); do
    echo "$fs: round $i of $rounds" >&2
    if ((i % 2)); then run "$fs" cp "$i"; run "$fs" lullcp "$i"; else run "$fs" lullcp "$i"; run "$fs" cp "$i"; fi
  done
  drop_fs
done
jq -s -L "$here" --arg kernel "$(uname -sr)" --arg qemu "$(qemu-storage-daemon --version | head -n 1)" \
  --argjson cpus "$(nproc)" --argjson extents "$extents" --argjson rounds "$rounds" '
  include "lib";
  . as $runs | {schema: 1, $kernel, $qemu, $cpus, $extents, $rounds,
    figures: [group_by(.fs)[] | {fs: .[0].fs} + (group_by(.tool) | map({key: .[0].tool, value: {
      read_p99_ms: ([.[].p99_ns / 1e6] | median), longest_read_ms: ([.[].max_ns / 1e6] | median),
      longest_read_worst_ms: ([.[].max_ns / 1e6] | max), reads: ([.[].reads] | median),
      clone_s: ([.[].clone_ns / 1e9] | median)}}) | from_entries)], $runs}' "$T/runs" >"$T/report"
jq -r '"| | clone, s: cp | lullcp | read p99, ms: cp | lullcp | longest read, ms: cp | lullcp |",
  "|---|---|---|---|---|---|---|",
  (.figures[] | "| \(.fs) | " + ([(.cp.clone_s, .lullcp.clone_s), (.cp.read_p99_ms, .lullcp.read_p99_ms),
    (.cp.longest_read_ms, .lullcp.longest_read_ms)] | map(. * 100 | round / 100 | tostring) | join(" | ")) + " |")' "$T/report"
[[ -z $out ]] || cp "$T/report" "$out"
