#!/bin/bash
# SPDX-License-Identifier: MIT
# suite.sh BUILD SECONDS NAME... : runs the tests of tests/fs with these names on the running kernel, one
# after another, each for at most SECONDS. Prints a line of JSON for each, and failures on standard error.
# Environment: LULL_TEST_ROUNDS, as for the tests.
set -u
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
export LULLCP=$1/src/lullcp TOOLS=$1/tests LC_ALL=C.UTF-8
seconds=$2
shift 2
log=$(mktemp)
status=0
for name; do
  begin=$SECONDS rc=0
  timeout -k 10 "$seconds" bash "$here/../fs/$name.sh" >"$log" 2>&1 </dev/null || rc=$?
  case $rc in
  0) result=passed ;;
  77) result=skipped ;;
  124 | 137) result='out of time' ;;
  *) result=failed ;;
  esac
  [[ $rc == 0 ]] || {
    status=1
    echo "== $name: $result" >&2
    grep -E 'FAILED|stderr:|SKIP|broken|seed' "$log" | head -40 >&2
  }
  read -r checks failed < <(sed -nE 's/^# seed.*: ([0-9]+) checks, ([0-9]+) failed/\1 \2/p' "$log")
  jq -nc --arg kernel "$(uname -r)" --arg machine "${LULL_ACCEL:-native}" --arg test "$name" \
    --arg result "$result" --argjson checks "${checks:-0}" --argjson failed "${failed:-0}" \
    --argjson seconds $((SECONDS - begin)) \
    '{part: "suite", $kernel, $machine, $test, $result, $checks, $failed, $seconds}'
done
rm -f "$log"
exit "$status"
