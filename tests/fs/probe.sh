#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# --probe: its forecast matches what then happens, and it leaves nothing behind.
. "$(dirname "$0")/../lib.sh"
fs_test

for kind in xfs xfs-rmap btrfs; do
  fs_mount "$kind" 2G
  mkdir "$M/dir"
  fragmented "$M/f" 20000
  sync -f "$M"
  before=$(ls -AR "$M")
  expect 0 --probe "$M/f"
  for line in source 'file system' kernel 'an extent' time 'method now' 'if written'; do
    check "$kind: $line" grep -q "^$line:" "$T/out"
  done
  # the picture: the longest stall has the longest bar
  same "$kind: bars" 50 "$(sed -n '/^longest stall/,/^method now/s/^ .* \(#*\)$/\1/p' "$T/out" |
    awk '{ print length }' | sort -n | tail -1)"
  check "$kind: one for each" test \
    "$(sed -n '/^longest stall/,/^method now/p' "$T/out" | grep -cE '^  (cp|quiet|frozen) .* #+$')" = 3
  expect 0 --probe --json "$M/f" "$M/dir"
  cp "$T/out" "$T/probe"
  same "$kind: what is there" "$before" "$(ls -AR "$M")"
  same "$kind: type" "${kind%-rmap}" "$(field file_system)"
  same "$kind: mount point" "$M" "$(field mount_point)"
  same "$kind: reverse map" "$([ "$kind" = xfs-rmap ] && echo true || echo false)" "$(field reverse_map)"
  same "$kind: block" 4096 "$(field block_size)"
  same "$kind: extents" "$(filefrag -v "$M/f" | grep -cE '^ *[0-9]+:')" "$(field extents)"
  same "$kind: nobody writes" 'false quiet' "$(field written) $(field chosen_method)"
  predicted=$(field predicted_lullcp_ns) if_written=$(field method_if_written)
  for key in clone_ns_per_extent repeat_ns_per_extent stall_cp_ns stall_budget_ns stall_atomic_ns; do
    check "$kind: $key" [ "$(field $key)" -gt 0 ]
  done
  # the method that it names, and a time that is not out of all proportion
  expect 0 --json "$M/f" "$M/clone"
  took=$(field elapsed_ns)
  check "$kind: predicted $predicted, took $took" \
    [ "$predicted" -lt $((took * 10)) -a "$predicted" -gt $((took / 10)) ]
  "$TOOLS/numbers" write "$M/f" d 1 "$T/progress" &
  writer=$!
  sleep 0.3
  expect 0 --probe --json "$M/f"
  same "$kind: somebody writes" "true $if_written" "$(field written) $(field chosen_method)"
  if [ "$if_written" = none ]; then
    check "$kind: none" kernel_before 5.13
    expect 3 --json "$M/f" "$M/clone2"
    rm -f "$M"/.clone2*
  else
    expect 0 --json "$M/f" "$M/clone"
    same "$kind: the method" "$if_written" "$(field method)"
  fi
  kill $writer
  wait $writer 2>/dev/null
  # a small file, an empty one, a hole
  small=single
  case $kind in btrfs*) ! kernel_before 5.13 || small=quiet ;; esac
  echo small >"$M/small"
  : >"$M/empty"
  truncate -s 1T "$M/hole"
  for f in empty hole small; do expect 0 --probe --json "$M/$f"; done
  same "$kind: small" "$small" "$(field chosen_method)"
  check "$kind: small: a call of its own time" test "$(field stall_cp_ns)" -gt 0
  same "$kind: small: and no call is longer" "$(field stall_cp_ns)" "$(field stall_budget_ns)"
  # a terminal has the words whole
  narrow=$(script -qec "stty cols 40; '$LULLCP' --probe '$M/f'" /dev/null </dev/null | tr -d '\r')
  check "$kind: at 40 columns" grep -q '^if written: ' <<<"$narrow"
  same "$kind: no line is broken" '' "$(awk 'length > 40 && substr($0, 14) ~ / /' <<<"$narrow")"
  expect 1 --probe "$M/nothing"
  says 'No such file'
  expect 1 --probe "$M/f" "$M/nothing"
  expect 1 --probe "$M/f" "$T"
  says 'same file system'
  expect 1 --probe
  expect 1 --probe "$M/f" "$M" "$M"
  says 'extra operand'
  fs_unmount "$M"
done
fs_mount ext4
echo x >"$M/f"
expect 1 --probe "$M/f"
says "cannot clone '$M/f' here: "
same 'ext4: nothing is left' f "$(find "$M" -mindepth 1 -maxdepth 1 ! -name lost+found -printf %f)"
finish
