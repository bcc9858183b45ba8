#!/bin/bash
# SPDX-License-Identifier: MIT
# Measures lullcp against cp --reflink=always. See README.md; run.sh --help.
set -euo pipefail

# shellcheck source=bench/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

usage() {
  cat <<USAGE
Usage: bench/run.sh [OPTION]...
Compare lullcp with cp --reflink=always on fresh file systems. Needs root.

  --extents N         extents of the cloned file (200000)
  --pairs N           pairs of runs for the speed (7)
  --rounds N          rounds for the stalls (3)
  --fs LIST           of xfs, xfs-rmap and btrfs ("xfs xfs-rmap btrfs")
  --lullcp PATH       the program (build/src/lullcp)
  --out FILE          write all figures there as JSON
  --plot DIR          draw the stalls: DIR/stall-FS.svg
  --big               the memory at 1,000,000 extents too: minutes, 5 GB of disk
  --writer-delay MS   when the writer of the stalls begins (100)
  --dir DIR           where the images lie (\$TMPDIR or /tmp)
  --fs-gib N          size of the file systems in GiB; their images are sparse (200)
USAGE
}

extents=200000 pairs=7 rounds=3 filesystems='xfs xfs-rmap btrfs' big=0 writer_delay=100 plot=''
flag() { [[ $1 == --big ]] && big=1; }
option() {
  case $1 in
  --extents) extents=$(number "$1" "$2") ;;
  --pairs) pairs=$(number "$1" "$2") ;;
  --rounds) rounds=$(number "$1" "$2") ;;
  --writer-delay) writer_delay=$(number "$1" "$2" 0) ;;
  --fs) filesystems=$2 ;;
  --plot) plot=$2 ;;
  *) return 2 ;;
  esac
}
parse "$@"
read -ra filesystems <<<"$filesystems"
known_fs "${filesystems[@]}"
needs python3
[[ -z $plot ]] || needs gnuplot
begin fragment load

# measure TOOL PART ROUND EXTENTS [LOAD_OPTION]... -- COMMAND...: one line in $T/runs
measure() {
  settle
  record "$@"
}

record() {
  local tool=$1 part=$2 round=$3 n=$4 status

  shift 4
  "$T/load" -o "$T/load.json" "$@" >"$T/stdout" 2>"$T/stderr" || {
    cat "$T/stderr" >&2
    die "load failed: $*"
  }
  status=$(jq .status "$T/load.json")
  if [[ $status != 0 ]]; then
    cat "$T/stdout" "$T/stderr" >&2
    die "exit status $status: $*"
  fi
  jq -nc --arg fs "$fs" --arg part "$part" --arg tool "$tool" --argjson round "$round" \
    --argjson extents "$n" --slurpfile load "$T/load.json" --slurpfile out "$T/stdout" \
    '{$fs, $part, $tool, $round, $extents, load: $load[0],
      summary: ([$out[] | select(.type == "summary") | del(.source, .dest)][0])}' >"$T/run"
  cat "$T/run" >>"$T/runs"
}

speed() {
  local i tool

  # The first clone of a file marks its extents as shared, once and for all.
  settle
  cp --reflink=always "$M/src" "$M/out/dst"
  for ((i = 1; i <= pairs; i++)); do
    say "$fs: speed, pair $i of $pairs"
    for tool in $(in_turn "$i" cp lullcp); do
      case $tool in
      cp)
        measure cp speed "$i" "$extents" -- cp --reflink=always "$M/src" "$M/out/dst"
        ;;
      lullcp)
        measure lullcp speed "$i" "$extents" -- \
          "$lullcp" --json --duty-cycle=100 --no-sync "$M/src" "$M/out/dst"
        ;;
      esac
    done
    for tool in $(in_turn "$i" cp lullcp); do
      case $tool in
      cp)
        # shellcheck disable=SC2016 # for the inner shell
        measure cp sync "$i" "$extents" -- \
          sh -c 'cp --reflink=always "$1" "$2" && sync "$2"' sh "$M/src" "$M/out/dst"
        ;;
      lullcp)
        measure lullcp sync "$i" "$extents" -- \
          "$lullcp" --json --duty-cycle=100 "$M/src" "$M/out/dst"
        ;;
      esac
    done
  done
}

# One pass over the whole file, whatever is written meanwhile, shows what the bounded calls alone do to
# others. What lullcp does by default comes next.
stall_run() { # stall_run PART TOOL ROUND
  local options=(-f "$M/src" -r direct -w direct --writer-delay "$writer_delay" --seed "$3")
  local choice=()

  [[ -z $plot || $3 != 1 || $1 != stall ]] || options+=(--tsv "$T/$2.tsv")
  [[ $1 != stall ]] || choice=(--on-writers=trust --passes=1)
  if [[ $2 == cp ]]; then
    measure cp "$1" "$3" "$extents" "${options[@]}" -- cp --reflink=always "$M/src" "$M/out/dst"
  else
    measure lullcp "$1" "$3" "$extents" "${options[@]}" -- \
      "$lullcp" --json "${choice[@]}" "$M/src" "$M/out/dst"
  fi
}

# Writes one block in a hundred again.
change_some() {
  python3 - "$M/src" "$((extents / 100))" <<'PY'
import os, random, sys
fd = os.open(sys.argv[1], os.O_RDWR)
blocks = os.fstat(fd).st_size // 4096
for _ in range(int(sys.argv[2])):
    os.pwrite(fd, os.urandom(4096), random.randrange(blocks) * 4096)
os.fsync(fd)
PY
}

# There is no settling in between, because the clone must stay.
again() { # again PART ROUND COMMAND...
  local part=$1 round=$2

  shift 2
  sync -f "$M"
  record lullcp "$part" "$round" "$extents" -- "$@"
}

# Measures a full freeze and a short one; an older clone that is refreshed, and compared; and all of them
# beside the clone that they save.
repeats() {
  local i

  for ((i = 1; i <= rounds; i++)); do
    say "$fs: freeze, refresh and verify, round $i of $rounds"
    measure lullcp freeze "$i" "$extents" -- "$lullcp" --json --hook=true "$M/src" "$M/out/dst"
    measure lullcp live "$i" "$extents" -- \
      "$lullcp" --json --hook=true --live "$M/src" "$M/out/dst"
    measure lullcp first "$i" "$extents" -- "$lullcp" --json "$M/src" "$M/out/dst"
    again verify "$i" "$lullcp" --json --verify "$M/src" "$M/out/dst"
    change_some
    again refresh "$i" "$lullcp" --json --refresh "$M/src" "$M/out/dst"
  done
}

title() { # for the picture
  case $fs in
  xfs) printf 'XFS' ;;
  xfs-rmap) printf 'XFS with rmapbt' ;;
  btrfs) printf 'Btrfs' ;;
  esac
  printf ', %s extents' "$(sed ':a; s/\B[0-9]\{3\}\>/,&/; ta' <<<"$extents")"
}

stalls() {
  local i tool

  for ((i = 1; i <= rounds; i++)); do
    say "$fs: stalls, round $i of $rounds"
    for tool in $(in_turn "$i" cp lullcp); do
      stall_run stall "$tool" "$i"
    done
    for tool in $(in_turn "$i" cp lullcp); do
      stall_run writers "$tool" "$i"
    done
  done
  if [[ -n $plot ]]; then
    mkdir -p "$plot"
    "$here/plot" "$T/cp.tsv" "$T/lullcp.tsv" "$plot/stall-$fs.svg" "$(title)" ||
      say "$plot/stall-$fs.svg: not drawn"
  fi
}

memory() { # memory EXTENTS
  say "$fs: memory at $1 extents"
  "$T/fragment" "$M/src" "$1" >/dev/null
  measure lullcp memory 1 "$1" -- "$lullcp" --json --no-sync "$M/src" "$M/out/dst"
}

machine() {
  local model memory_kib

  model=$(sed -n 's/^model name[^:]*: *//p' /proc/cpuinfo | head -n 1)
  memory_kib=$(sed -n 's/^MemTotal: *\([0-9]*\) kB/\1/p' /proc/meminfo)
  jq -n --arg date "$(date -u +%FT%TZ)" --arg kernel "$(uname -sr)" --arg arch "$(uname -m)" \
    --argjson cpus "$(nproc)" --arg model "$model" --argjson memory_kib "$memory_kib" \
    --arg load "$(cut -d ' ' -f 1 /proc/loadavg)" --arg images "$(stat -f -c %T "$T")" \
    --arg lullcp "$("$lullcp" --version | head -n 1)" \
    --arg commit "$(commit)" \
    --arg cp "$(cp --version | head -n 1)" \
    --argjson extents "$extents" --argjson pairs "$pairs" --argjson rounds "$rounds" \
    --argjson fs_gib "$fs_gib" --argjson writer_delay_ms "$writer_delay" \
    '{schema: 1, $date, $kernel,
      machine: {$arch, $cpus, $model, $memory_kib, $images, load_before: ($load | tonumber)},
      versions: {$lullcp, $commit, $cp}, $extents, $pairs, $rounds, $fs_gib,
      $writer_delay_ms}'
}

: >"$T/runs"
machine >"$T/machine"
for fs in "${filesystems[@]}"; do
  say "$fs: making a file of $extents extents"
  make_fs "$fs" $((6 * 1024 ** 3 + extents * 4096 * 4))
  found=$("$T/fragment" "$M/src" "$extents")
  # On disk, too, a few blocks happen to lie beside their neighbour.
  ((found * 100 >= extents * 98)) || die "$fs: only $found extents"
  speed
  stalls
  repeats
  memory 10000
  drop_fs
  if ((big)); then
    make_fs "$fs" $((6 * 1024 ** 3 + 1000000 * 4096 * 4))
    memory 1000000
    drop_fs
  fi
done

jq -n -L "$here" --slurpfile machine "$T/machine" --slurpfile runs "$T/runs" -f "$here/report.jq" \
  >"$T/report"
jq -r -L "$here" -f "$here/table.jq" "$T/report"
[[ -z $out ]] || cp "$T/report" "$out"
