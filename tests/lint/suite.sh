#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Rules for all tests: how they begin, which processes they may end, and that HACKING.md names the suites.
cd "$(dirname "$0")/../.." || exit 99
status=0
fail() {
  echo "FAILED: $*"
  status=1
}

# A test starts with default signal handling, whatever its caller has set.
begun=$(mktemp) || exit 99
trap 'rm -f "$begun"' EXIT
cat >"$begun" <<TEST
. tests/lib.sh
grep SigIgn /proc/self/status | tr -d '\n'
printf ' %s' "\$#" "\$@"
TEST
for ignored in 'HUP' 'INT QUIT' 'TERM PIPE USR1'; do
  # shellcheck disable=SC2086 # a list
  got=$(trap '' $ignored; LULLCP=none bash "$begun" 'an argument' '')
  [ "$got" = 'SigIgn:	0000000000000000 2 an argument ' ] || fail "begun with $ignored ignored: $got"
done

# Who ends processes by a pattern of their names ends those of others.
pattern='(pkill|pgrep)( -[A-Z0-9]+| --?signal[= ][A-Z0-9]+)* -[a-z]*f|killall|pkill [^-]'
found=$(grep -rnE "$pattern" --include='*.sh' --include='*.py' tests bench tools | grep -v "^tests/lint/suite.sh:")
[ -z "$found" ] || fail "ends processes that are not its own: $found"

# Suites are registered under one name each, which HACKING.md explains.
suites=$(grep -rhoE "suite : '[a-z]+'" --include=meson.build tests | sed "s/.*'\(.*\)'/\1/" | sort -u)
[ "$(wc -w <<<"$suites")" -gt 5 ] || fail "too few suites: $suites"
told=$(sed -n '/^A skipped test is a failure/,/runs one of them/p' HACKING.md)
for suite in $suites; do
  grep -qF "\`$suite\`" <<<"$told" || fail "HACKING.md does not explain the suite $suite"
done
exit $status
