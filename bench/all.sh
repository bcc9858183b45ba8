#!/bin/bash
# SPDX-License-Identifier: MIT
# Runs all benches, and prints one table of their results. See README.md; all.sh --help.
set -euo pipefail

# shellcheck source=bench/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

usage() {
  cat <<USAGE
Usage: bench/all.sh [OPTION]...
Run the benches one after another, keep their figures, and print one table of all of them: what
was measured, with cp, with lullcp, the ratio, and the goal. Needs root and what they need, a
machine that does nothing else, and most of a day.

  --only LIST      of speed, proposal, jobs, candidates, tail, readers, throughput, scale,
                   field, kernels and trees (all)
  --print          measure nothing: the table of the figures that are there
  --figures DIR    where these are, and are kept (this directory)
  --out FILE       write the rows of the table there as JSON
  --lullcp PATH    the program (build/src/lullcp)
  --build DIR      where it was built with -Dtests=enabled, for "kernels" (build-test)
  --dir DIR        where the images lie (\$TMPDIR or /tmp); those of "scale" are where there is room
  --fs-gib N       size of the file systems in GiB; their images are sparse (200)
USAGE
}

only='speed proposal jobs candidates tail readers throughput scale field kernels trees' print=0 figures=$here build=$here/../build-test
flag() { [[ $1 == --print ]] && print=1; }
option() {
  case $1 in
  --only) only=$2 ;;
  --figures) figures=$2 ;;
  --build) build=$2 ;;
  *) return 2 ;;
  esac
}
parse "$@"
read -ra only <<<"$only"
for bench in "${only[@]}"; do
  [[ $bench =~ ^(speed|proposal|jobs|candidates|tail|readers|throughput|scale|field|kernels|trees)$ ]] ||
    die "--only: no such bench: $bench"
done
[[ -d $figures ]] || die "$figures: no such directory"
needs jq

# Each bench writes its figures only when it has all of them, so the older ones stay until then.
measure() { # measure BENCH
  local common=(--lullcp "$lullcp" --fs-gib "$fs_gib")

  case $1 in
  speed)
    "$here/run.sh" "${common[@]}" --dir "$dir" --big --plot "$figures" \
      --out "$figures/figures.json" ;;
  proposal)
    "$here/proposal.sh" "${common[@]}" --dir "$dir" --rate 1000 \
      --out "$figures/figures-proposal.json" ;;
  jobs) "$here/jobs.sh" "${common[@]}" --dir "$dir" --out "$figures/figures-jobs.json" ;;
  candidates)
    "$here/candidates.sh" "${common[@]}" --dir "$dir" --out "$figures/figures-candidates.json" ;;
  tail) "$here/tail.sh" "${common[@]}" --dir "$dir" --out "$figures/figures-tail.json" ;;
  readers) "$here/readers.sh" "${common[@]}" --dir "$dir" --out "$figures/figures-readers.json" ;;
  throughput)
    "$here/throughput.sh" "${common[@]}" --dir "$dir" \
      --out "$figures/figures-throughput.json" ;;
  scale)
    "$here/scale.sh" "${common[@]}" --plot "$figures" --out "$figures/figures-scale.json" ;;
  field)
    for fs in btrfs xfs; do
      "$here/field.sh" "${common[@]}" --dir "$dir" --fs "$fs" --out "$figures/figures-field.json"
    done ;;
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

# The table has the order of these lines, and no row for what was never measured.
name() { if [[ $1 == speed ]]; then echo figures.json; else echo "figures-$1.json"; fi; }
gather=()
for bench in "${only[@]}"; do
  file=$figures/$(name "$bench")
  [[ ! -s $file ]] || gather+=(--slurpfile "$bench" "$file")
done
((${#gather[@]})) || die "$figures: no figures there"
all() { jq -n "${gather[@]}" '$ARGS.named | map_values(.[0])' | jq -r -L "$here" "$@"; }
[[ -z $out ]] || all --arg form json -f "$here/summary.jq" >"$out"
all --arg form text -f "$here/summary.jq"
