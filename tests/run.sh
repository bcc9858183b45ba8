#!/bin/bash
# SPDX-License-Identifier: MIT
# Installs what is needed, builds, and passes all tests. As root; a skipped test has failed.
set -eu
cd "$(dirname "$0")/.."
if [ -z "${LULL_OWN_ROOT:-}" ]; then
  LULL_OWN_ROOT=1 exec bash tests/own-root.sh bash tests/run.sh "$@"
fi
sh tools/install-deps.sh
build=${LULL_BUILD:-build-test}
[ -d "$build" ] || meson setup "$build" -Dwerror=true -Dtests=enabled >/dev/null
ninja -C "$build"
export LULL_TEST_MUST_RUN=1
status=0
meson test -C "$build" --no-rebuild --print-errorlogs "$@" || status=$?
# The closing line, counted from what meson wrote down.
python3 - "$build/meson-logs/testlog.json" <<'PY'
import json, sys
results = [json.loads(line)["result"] for line in open(sys.argv[1])]
passed = results.count("OK")
print(f"{passed} passed, {len(results) - passed} failed")
PY
exit "$status"
