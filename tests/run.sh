#!/bin/bash
# SPDX-License-Identifier: MIT
# Installs the needed packages, builds, and runs all tests, as root. A skipped test is a failure.
#
#   run.sh [--fast] [ARG...]   ARG is passed to meson test
#
# --fast: runs the tests without a file system, and some of those with one. They take two minutes after
# the build.
# Environment: LULL_BUILD, the build directory (build-test).
set -eu
cd "$(dirname "$0")/.."
if [ "${1:-}" = --help ]; then
  sed -n '3,/^[^#]/s/^# \{0,1\}//p' tests/run.sh
  exit 0
fi
if [ -z "${LULL_OWN_ROOT:-}" ]; then
  LULL_OWN_ROOT=1 exec bash tests/own-root.sh bash tests/run.sh "$@"
fi
takes='all tests, about 20 minutes'
if [ "${1:-}" = --fast ]; then
  shift
  takes='a part of the tests, about two minutes'
  set -- --suite unit --suite cli --suite lint --suite fast "$@"
fi
build=${LULL_BUILD:-build-test}
echo "Installs what tools/install-deps.sh lists and is not there yet, builds in $build (a minute or two)"
echo "and runs $takes on two processors."
sh tools/install-deps.sh
[ -d "$build" ] || meson setup "$build" -Dwerror=true -Dtests=enabled >/dev/null
ninja -C "$build"
export LULL_TEST_MUST_RUN=1
status=0
# Two more than there are processors: many tests wait.
meson test -C "$build" --no-rebuild --print-errorlogs --num-processes $(($(nproc) + 2)) "$@" ||
  status=$?
# The closing line, counted from what meson wrote down.
python3 - "$build/meson-logs/testlog.json" <<'PY'
import json, sys
results = [json.loads(line)["result"] for line in open(sys.argv[1])]
passed = results.count("OK")
print(f"{passed} passed, {len(results) - passed} failed")
PY
exit "$status"
