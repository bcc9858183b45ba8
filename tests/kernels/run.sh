#!/bin/bash
# SPDX-License-Identifier: MIT
# Tests lullcp on old kernels and on the running one. See usage().
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

usage() {
  cat <<USAGE
Usage: run.sh [OPTION]...
Run the tests of tests/fs on other kernels, in virtual machines, and compare how long reads and
writes wait beside cp --reflink=always and beside lullcp there. Needs root, and what machine.sh
needs; some 70 MB are fetched for each kernel. Exit status 1 if a test failed.

  --kernel NAME     5.10, 6.1, 6.12 or a kernel package, or "this": the one that runs;
                    may be repeated (5.10 6.1 this)
  --tests LIST      of tests/fs, without .sh; "" for none (all that need a file system)
  --rounds N        of each test that draws lots (10)
  --seconds N       each test may take (900)
  --stalls LIST     file systems to measure on, of xfs and btrfs; "" for none ("xfs btrfs")
  --modes LIST      of reading and writing there ("direct buffered cached")
  --extents N       of the file that is cloned (100000; in a machine without KVM 3000)
  --accel HOW       see machine.sh
  --build DIR       where lullcp was built with -Dtests=enabled (build-test)
  --out FILE        every result there as a JSON array, in place of what it holds for the same
                    kernel, test and measurement

The virtual machine sees DIR at its path here: not below /tmp, /var/tmp or /run.
USAGE
}
die() {
  echo "run.sh: $*" >&2
  exit 2
}

kernels=() rounds=10 seconds=900 filesystems='xfs btrfs' modes='direct buffered cached' extents='' accel=auto out=''
tests='content input attributes hook resume kill crash full torn methods refresh verify probe
  tree copy discard stores backup check concurrent hostile keep tree_limits small_file jobs_order set sandbox unreadable unprivileged'
build=$here/../../build-test
while (($#)); do
  case $1 in
  --help)
    usage
    exit
    ;;
  --*=*) set -- "${1%%=*}" "${1#*=}" "${@:2}" ;;
  esac
  (($# >= 2)) || die "$1: unknown, or its value is missing; see --help"
  case $1 in
  --kernel) kernels+=("$2") ;;
  --tests) tests=$2 ;;
  --rounds) rounds=$2 ;;
  --seconds) seconds=$2 ;;
  --stalls) filesystems=$2 ;;
  --modes) modes=$2 ;;
  --extents) extents=$2 ;;
  --accel) accel=$2 ;;
  --build) build=$2 ;;
  --out) out=$2 ;;
  *) die "$1: unknown option; see --help" ;;
  esac
  shift 2
done
((${#kernels[@]})) || kernels=(5.10 6.1 this)
for number in "$rounds" "$seconds" "${extents:-1}"; do
  [[ $number =~ ^[1-9][0-9]{0,8}$ ]] || die "not a number, at least 1: $number"
done
read -rd '' -a tests <<<"$tests" || true
read -rd '' -a filesystems <<<"$filesystems" || true
read -rd '' -a modes <<<"$modes" || true
for word in ${filesystems[@]+"${filesystems[@]}"} ${modes[@]+"${modes[@]}"}; do
  case $word in
  xfs | btrfs | direct | buffered | cached) ;;
  *) die "neither a file system nor a mode: $word" ;;
  esac
done
for name in ${tests[@]+"${tests[@]}"}; do
  [[ -f $here/../fs/$name.sh ]] || die "no such test: $name"
done
build=$(cd "$build" 2>/dev/null && pwd) || die "no such directory: $build"
[[ -x $build/src/lullcp && -x $build/tests/fragment ]] ||
  die "$build: not built; run: meson setup build-test -Dtests=enabled && ninja -C build-test"
[[ -z $out || -d $(dirname -- "$out") ]] || die "$out: no such directory"
((EUID == 0)) || die 'must be root'
cc -std=gnu17 -O2 -pthread -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -o "$build/tests/load" \
  "$here/../../bench/load.c"

T=$(mktemp -d)
trap 'rm -rf "$T"' EXIT
status=0

on() { # on KERNEL COMMAND ARG...
  local kernel=$1
  shift
  if [[ $kernel == this ]]; then
    unshare --mount --propagation private "$@"
  else
    "$here/machine.sh" --accel "$accel" --console "$T/console" "$kernel" -- "$@"
  fi
}
: >"$T/results"
for kernel in "${kernels[@]}"; do
  if ((${#tests[@]})); then
    on "$kernel" env "LULL_TEST_ROUNDS=$rounds" "$here/suite.sh" "$build" "$seconds" \
      "${tests[@]}" | tee "$T/out" || status=1
    grep '^{' "$T/out" >>"$T/results" || status=1
  fi
  for fs in ${filesystems[@]+"${filesystems[@]}"}; do
    n=$extents
    # A machine that is emulated has a tenth of the speed.
    if [[ -z $n && $kernel == this ]]; then n=100000; fi
    # shellcheck disable=SC2016 # for the inner shell
    on "$kernel" sh -c 'n=$1 stalls=$2 build=$3 fs=$4; shift 4
      [ -n "$n" ] || case $LULL_ACCEL in kvm) n=100000 ;; *) n=3000 ;; esac
      exec "$stalls" "$build" "$fs" "$n" "$@"' sh "$n" "$here/stalls.sh" "$build" "$fs" \
      "${modes[@]}" |
      tee "$T/out" || status=1
    grep '^{' "$T/out" >>"$T/results" || status=1
  done
  # What the kernel itself has to complain of is a failure, whoever's.
  if [[ $kernel != this ]] && grep -E 'BUG:|WARNING:|Oops|blocked for more' "$T/console"; then
    status=1
  fi
done

jq -s . "$T/results" >"$T/new"
if [[ -n $out ]]; then
  [[ ! -s $out ]] || cp "$out" "$T/old"
  [[ -s $T/old ]] || echo '[]' >"$T/old"
  jq -n --slurpfile old "$T/old" --slurpfile new "$T/new" '
    def key: [.part, .kernel, .test, .fs, .mode, .what, .tool];
    ($new[0] | map(key)) as $keys
    | [$old[0][] | select(key as $k | $keys | index([$k]) | not)] + $new[0] | sort_by(key)
    | .[]' | jq -c . | sed '1s/^/[\n/; $!s/$/,/; $s/$/\n]/' >"$T/merged"
  cp "$T/merged" "$out"
fi
jq -r -f "$here/table.jq" "$T/new" >&2
jq -r '[.[] | select(.part == "suite")] | if length > 0 then
  "\(map(select(.result == "passed")) | length) passed, \(map(select(.result != "passed")) | length) failed"
  else empty end' "$T/new"
exit "$status"
