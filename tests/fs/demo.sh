#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# tools/demo.sh, the first script that a newcomer runs: its output is true.
. "$(dirname "$0")/../lib.sh"
LULL_BUILD=${TOOLS%/tests}
fs_test "$@"
top=$(cd "$(dirname "$0")/../.." && pwd)
check 'the demo ends well' env LULL_BUILD="$LULL_BUILD" LULL_DEMO_NAMESPACE=1 \
  "$top/tools/demo.sh" 20000
cp "$T/check.out" "$T/demo"
sed "s/^/# /" "$T/demo"
line() { grep -A 1 -- "^$1 .* took .*longest read .*longest write" "$T/demo"; }
check 'cp is measured' line 'cp --reflink=always'
check 'without a hook: method atomic' grep -q 'method atomic$' <<<"$(line lullcp)"
check '... explained' grep -q 'no hook: passes' <<<"$(line lullcp)"
check 'with a hook: method frozen' grep -q 'method frozen$' <<<"$(line 'lullcp --hook --live')"
check '... explained' grep -q 'hook stops the writer' <<<"$(line 'lullcp --hook --live')"
check 'the writer is gone in the end' grep -q 'clone is identical' "$T/demo"
check_not 'nothing failed' grep -q 'status\|lullcp:' "$T/demo"
finish
