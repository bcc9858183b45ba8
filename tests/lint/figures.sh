#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The tables of figures in the documents match the files of figures.
set -u
cd "$(dirname "$0")/../.." || exit 99
told=$(sed -n '/^<!-- bench\/all.sh --print -->$/,/^<!-- end -->$/p' bench/README.md | sed '1d;$d')
printed=$(bench/all.sh --print) || exit 1
[ "$(wc -l <<<"$printed")" -gt 50 ] || { echo 'FAILED: too few figures'; exit 1; }
diff <(echo "$told") <(echo "$printed") || {
  echo 'FAILED: bench/README.md is behind the figures: put in what bench/all.sh --print says'
  exit 1
}
told=$(sed -n '/^<!-- jq -r -L bench -f bench\/proposal.jq /,/^<!-- end -->$/p' README.md | sed '1d;$d')
printed=$(jq -r -L bench -f bench/proposal.jq bench/figures-proposal.json) || exit 1
[ "$(wc -l <<<"$printed")" -gt 12 ] || { echo 'FAILED: too few figures of the proposal'; exit 1; }
diff <(echo "$told") <(echo "$printed") || {
  echo 'FAILED: README.md is behind the figures: put in what bench/proposal.jq makes of them'
  exit 1
}
told=$(sed -n '/^<!-- jq -r -f docs\/kernels.jq /,/^<!-- end -->$/p' docs/kernels.md | sed '1d;$d')
printed=$(jq -r -f docs/kernels.jq bench/figures-kernels.json) || exit 1
[ "$(wc -l <<<"$printed")" -gt 6 ] || { echo 'FAILED: too few figures of kernels'; exit 1; }
diff <(echo "$told") <(echo "$printed") || {
  echo 'FAILED: docs/kernels.md is behind the figures: put in what docs/kernels.jq makes of them'
  exit 1
}
