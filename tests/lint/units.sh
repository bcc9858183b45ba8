#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# systemd accepts the units. Usage: units.sh DIRECTORY_OF_SERVICE
set -u
cd "$(dirname "$0")/../.." || exit 99
command -v systemd-analyze >/dev/null || {
  echo 'SKIP: needs systemd-analyze'
  [ "${LULL_TEST_MUST_RUN:-}" != 1 ] || exit 1
  exit 77
}
T=$(mktemp -d) || exit 99
trap 'rm -rf "$T"' EXIT
status=0
for name in snapshot send fetch; do
  # verify wants the programs, and the page, to be installed
  sed 's,^\(Exec[A-Za-z]*=\)[^ ]*,\1/bin/true,' "$1/lullcp-$name@.service" >"$T/lullcp-$name@x.service"
  cp "systemd/lullcp-$name@.timer" "$T/lullcp-$name@x.timer"
  sed -i '/^Documentation=/d' "$T/lullcp-$name"*
  said=$(cd "$T" && systemd-analyze verify --man=no "./lullcp-$name@x.service" "./lullcp-$name@x.timer" 2>&1) || status=1
  # it warns of what it does not know with status 0
  [ -z "$said" ] || {
    printf '%s\n' "$said"
    status=1
  }
  ! grep -n '@[a-z]*dir@' "$T/lullcp-$name"* || status=1
done
exit $status
