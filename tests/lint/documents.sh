#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A test runs each example of README.md, docs/ and the man pages, or tests/documents/commands says why
# not. The scripts in the pages pass shellcheck.
cd "$(dirname "$0")/../.." || exit 99
status=0
python3 tests/documents/examples.py --check tests/documents/commands || status=1
T=$(mktemp -d) || exit 99
trap 'rm -rf "$T"' EXIT
python3 tests/documents/examples.py --scripts "$T" || status=1
command -v shellcheck >/dev/null || {
  echo 'SKIP: needs shellcheck'
  [ "${LULL_TEST_MUST_RUN:-}" != 1 ] || exit 1
  exit 77
}
# a page has no room for quotes around what holds no blanks; and $0 is for the sh that is started
shellcheck --exclude=SC2086,SC2046,SC2016 "$T"/*.sh || status=1
exit $status
