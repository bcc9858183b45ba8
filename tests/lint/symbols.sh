#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# symbols.sh LIBRARY PLAN_LIBRARY: all exports of the core are called lull_*, the core cannot print or exit,
# and plan makes no system calls.
set -u
status=0
exported=$(nm -g --defined-only "$1" | awk 'NF == 3 { print $3 }' | grep -vE '^lull_|^__|^_ZTV|^\.' | sort -u)
[ -z "$exported" ] || { echo "FAILED: exported without lull_: $exported"; status=1; }
loud=$(nm -u "$1" | awk '{ print $2 }' | grep -xE '(v|f)?printf|puts|fputs|perror|exit|getopt.*|stderr|stdout' | sort -u)
[ -z "$loud" ] || { echo "FAILED: the core uses: $loud"; status=1; }
impure=$(nm -u "$2" | awk '{ print $2 }' | grep -xE 'open.*|read|write|ioctl|clock_.*|malloc|calloc|time|nanosleep|fstat' | sort -u)
[ -z "$impure" ] || { echo "FAILED: plan uses: $impure"; status=1; }
[ "$(nm -g --defined-only "$1" | grep -c lull_)" -gt 20 ] || { echo 'FAILED: saw nothing'; status=1; }
exit $status
