#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# systemd accepts the units: units.sh DIRECTORY_OF_SERVICE
set -u
cd "$(dirname "$0")/../.." || exit 99
command -v systemd-analyze >/dev/null || {
  echo 'SKIP: needs systemd-analyze'
  [ "${LULL_TEST_MUST_RUN:-}" != 1 ] || exit 1
  exit 77
}
T=$(mktemp -d) || exit 99
trap 'rm -rf "$T"' EXIT
# verify wants the program, and the page, to be installed
sed 's,^\(Exec[A-Za-z]*=\)[^ ]*,\1/bin/true,' "$1/lullcp-snapshot@.service" >"$T/lullcp-snapshot@x.service"
cp 'systemd/lullcp-snapshot@.timer' "$T/lullcp-snapshot@x.timer"
sed -i '/^Documentation=/d' "$T"/*
said=$(cd "$T" && systemd-analyze verify --man=no "./lullcp-snapshot@x.service" "./lullcp-snapshot@x.timer" 2>&1)
status=$?
[ -z "$said" ] || printf '%s\n' "$said"
# it warns of what it does not know with status 0
[ -z "$said" ] && [ $status = 0 ]
