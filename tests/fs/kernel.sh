#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Limits of the kernel, and what lullcp says about them: a filter that forbids the clone call, readers
# that wait for one, a version without a fix.
. "$(dirname "$0")/../lib.sh"
fs_test

for kind in xfs btrfs; do
  fs_mount "$kind" 2G
  note "$kind"
  fragmented "$M/f" 8000
  echo small >"$M/s"
  mkdir "$M/d"
  cp "$M/s" "$M/d/a"
  cp "$M/s" "$M/d/b"

  # forbidden: in words, and copied where that is allowed
  for errno in 1 13; do
    deny() { # deny STATUS ARG...
      local want=$1
      shift
      rc=0
      "$TOOLS/deny" $errno "$LULLCP" "$@" >"$T/out" 2>"$T/err" </dev/null || rc=$?
      if [ $rc = "$want" ]; then ok; else bad "lullcp $*: status $rc, not $want"; fi
    }
    for args in "$M/f $M/o" "$M/s $M/o" "-r $M/d $M/o" "--probe $M/f" "--hook=true $M/f $M/o"; do
      # shellcheck disable=SC2086
      deny 1 $args
      says 'seccomp'
      says '--reflink=auto'
      check_not "$kind $errno $args: of a file that is not immutable" grep -q immutable "$T/err"
      rm -rf "$M/o"
    done
    for args in "$M/f $M/o" "$M/s $M/o"; do
      # shellcheck disable=SC2086
      deny 0 --reflink=auto $args
      says 'copied'
      check "$kind $errno $args: the copy" cmp "${args% *}" "$M/o"
      rm "$M/o"
    done
    deny 0 --reflink=auto -r "$M/d" "$M/o"
    says 'of 2 files'
    same "$kind $errno: said once" 1 "$(wc -l <"$T/err")"
    check "$kind $errno: the tree" diff -r "$M/d" "$M/o"
    rm -r "$M/o"
  done
  no_leftovers "$M"
  # readers: measured, whatever the kernel calls itself
  for release in '' 5.4.0 6.9.0; do
    for _ in $(seq 20); do
      LULL_TEST_RELEASE=$release LD_PRELOAD=${release:+$TOOLS/release.so} expect 0 --probe --json "$M/f"
      [ "$(field reads_measured)" != true ] || break
    done
    same "$kind ${release:-as it is}: measured" true "$(field reads_measured)"
    waits=true
    [ $kind = btrfs ] || kernel_before 6.7 || waits=false
    # older kernels may have that change: then it is for them to say
    [ $kind = btrfs ] || ! kernel_before 6.7 || waits=$(field reads_wait)
    same "$kind ${release:-as it is}: readers wait" "$waits" "$(field reads_wait)"
  done
  LULL_TEST_RELEASE=5.4.0 LD_PRELOAD=$TOOLS/release.so expect 0 --probe --json "$M/s"
  same "$kind: of a small file by the version" 'false true' "$(field reads_measured) $(field reads_wait)"

  # the fix of CVE-2026-64600
  said() { # said RELEASE ARG...: how many warnings of it
    local release=$1
    shift
    LULL_TEST_RELEASE=$release LD_PRELOAD=$TOOLS/release.so expect 0 "$@"
    grep -c 'CVE-2026-64600' "$T/err"
  }
  once=$([ $kind = xfs ] && echo 1 || echo 0)
  for row in 6.18.38:not_fixed:"$once" 6.18.39:fixed:0 6.18.38-5-generic:unknown:0 6.8.12:unknown:0; do
    IFS=: read -r release word n <<<"$row"
    same "$kind $release" "$n" "$(said "$release" "$M/s" "$M/o")"
    same "$kind $release: the probe" 0 "$(said "$release" --probe --json "$M/s")"
    LULL_TEST_RELEASE=$release LD_PRELOAD=$TOOLS/release.so run --probe --json "$M/s"
    same "$kind $release: the probe" "$([ $kind = xfs ] && echo "$word")" \
      "$([ $kind = xfs ] && field cve_2026_64600)"
  done
  same "$kind: once for a tree" "$once" "$(said 6.18.38 -r "$M/d" "$M/o2")"
  same "$kind: once for several" "$once" "$(said 6.18.38 "$M/f" "$M/s" "$M/o2")"
  same "$kind: quiet" 0 "$(said 6.18.38 -q "$M/s" "$M/o")"
  same "$kind: a copy of bytes" 0 "$(said 6.18.38 --reflink=never "$M/s" "$M/o")"
  # quotas
  expect 0 --probe --json "$M/f"
  same "$kind: no quotas" 'false 0' "$(field quotas) $(field 'advice | map(select(test("[Qq]uota"))) | length')"
  if [ $kind = btrfs ] && ! kernel_before 5.9 && btrfs quota enable "$M"; then
    expect 0 --probe --json "$M/f"
    same 'quotas' 'true 1' "$(field quotas) $(field 'advice | map(select(test("[Qq]uota"))) | length')"
  fi
  fs_unmount "$M"
done
finish
