#!/bin/bash
# SPDX-License-Identifier: MIT
# All benches, and one table of what they found. See README.md; all.sh --help.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

usage() {
  cat <<USAGE
Usage: bench/all.sh [OPTION]...
Run the benches one after another, keep their figures, and print one table of all of them: what
was measured, with cp, with lullcp, the ratio, and the goal. Needs root and what they need, a
machine that does nothing else, and most of a day.

  --only LIST      of speed, tail, throughput, scale, kernels and trees (all)
  --print          measure nothing: the table of the figures that are there
  --figures DIR    where these are, and are kept (this directory)
  --json FILE      write the rows of the table there as JSON
  --lullcp PATH    the program (build/src/lullcp)
  --build DIR      where it was built with -Dtests=enabled, for "kernels" (build-test)
  --dir DIR        where the images lie (\$TMPDIR or /tmp)
USAGE
}
die() {
  echo "all.sh: $*" >&2
  exit 1
}

only='speed tail throughput scale kernels trees' print=0 figures=$here json=''
lullcp=$here/../build/src/lullcp build=$here/../build-test dir=${TMPDIR:-/tmp}
while (($#)); do
  case $1 in
  --help)
    usage
    exit
    ;;
  --print)
    print=1
    shift
    continue
    ;;
  --*=*) set -- "${1%%=*}" "${1#*=}" "${@:2}" ;;
  esac
  (($# >= 2)) || die "$1: unknown, or its value is missing; see --help"
  case $1 in
  --only) only=$2 ;;
  --figures) figures=$2 ;;
  --json) json=$2 ;;
  --lullcp) lullcp=$2 ;;
  --build) build=$2 ;;
  --dir) dir=$2 ;;
  *) die "$1: unknown option; see --help" ;;
  esac
  shift 2
done
read -ra only <<<"$only"
for bench in "${only[@]}"; do
  [[ $bench =~ ^(speed|tail|throughput|scale|kernels|trees)$ ]] || die "--only: no such bench: $bench"
done
[[ -d $figures ]] || die "$figures: no such directory"
command -v jq >/dev/null || die 'needs jq'

# Each writes its figures only when it has all of them, so that the older ones stay until then.
measure() { # measure BENCH
  local common=(--lullcp "$lullcp")

  case $1 in
  speed)
    "$here/run.sh" "${common[@]}" --dir "$dir" --big --plot "$figures" \
      --out "$figures/figures.json" ;;
  tail) "$here/tail.sh" "${common[@]}" --dir "$dir" --out "$figures/figures-tail.json" ;;
  throughput)
    "$here/throughput.sh" "${common[@]}" --dir "$dir" \
      --out "$figures/figures-throughput.json" ;;
  scale)
    "$here/scale.sh" "${common[@]}" --plot "$figures" --out "$figures/figures-scale.json" ;;
  kernels)
    "$here/../tests/kernels/run.sh" --build "$build" --out "$figures/figures-kernels.json" ;;
  trees)
    "$here/trees.sh" "${common[@]}" --dir "$dir" --files 200000 --wide 1000000 \
      --out "$figures/figures-trees.json" ;;
  esac
}
if ((!print)); then
  for bench in "${only[@]}"; do
    measure "$bench" >&2
  done
fi

# The table is in the order of its lines, and has no row of what was never measured.
name() { if [[ $1 == speed ]]; then echo figures.json; else echo "figures-$1.json"; fi; }
gather=()
for bench in "${only[@]}"; do
  file=$figures/$(name "$bench")
  [[ ! -s $file ]] || gather+=(--slurpfile "$bench" "$file")
done
((${#gather[@]})) || die "$figures: no figures there"
all() { jq -n "${gather[@]}" '$ARGS.named | map_values(.[0])' | jq -r -L "$here" "$@"; }
[[ -z $json ]] || all --arg form json -f "$here/summary.jq" >"$json"
all --arg form text -f "$here/summary.jq"
