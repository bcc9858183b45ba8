#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Before Linux 5.13, Btrfs does not block stores through mmap during a clone. There, no method may be
# chosen that relies on the kernel to block them. A kernel that reports 2.6 stands for such a kernel, and
# a store during each call for the writer. (torn.sh has a real writer, which tears clones on 5.10.)
. "$(dirname "$0")/../lib.sh"
fs_test

[[ $(setarch --uname-2.6 uname -r) == 2.6.* ]] ||
  framework_failure 'setarch cannot make this kernel call itself 2.6'
program=$LULLCP
as() { # as NAME WORD...: a program of that name, env with these words before lullcp
  local name=$1
  shift
  printf '#!/bin/sh\nexec env %s "$@"\n' "$(printf '%q ' "$@" "$program")" >"$T/$name"
  chmod +x "$T/$name"
}
as stored "LD_PRELOAD=$TOOLS/stores.so"
as old setarch --uname-2.6
as old-stored "LD_PRELOAD=$TOOLS/stores.so" setarch --uname-2.6
on() { # on NAME WORD...: with that program
  local LULLCP=$T/$1
  shift
  "$@"
}

# ---- Btrfs ----
fs_mount btrfs
# One that a single call clones, and one that it does not.
for blocks in 100 6000; do
  fragmented "$M/f" "$blocks"
  note "$blocks blocks, an old kernel"
  on old-stored expect 3 "$M/f" "$M/a"
  says 'nothing was published'
  says 'Before Linux 5.13'
  says '--on-writers=snapshot'
  check_not 'published' test -e "$M/a"
  on old-stored expect 3 --resume --on-writers=fail "$M/f" "$M/a"
  check_not 'it would be of no use' grep -q 'Linux' "$T/err"
  # Who knows that no program maps it can say so.
  on old-stored expect 0 --json --restart --on-writers=atomic "$M/f" "$M/a"
  same 'one call' atomic "$(field method)"
  says 'may be torn if a program maps it'
  on old-stored expect 0 --json --on-writers=trust "$M/f" "$M/c"
  same 'trusted' "$([ "$blocks" = 100 ] && echo single || echo trust)" "$(field method)"
  on old expect 0 --probe --json "$M/f"
  same 'what the probe says' quiet "$(jq -r .chosen_method "$T/out")"
  same 'if it is written to' none "$(jq -r .method_if_written "$T/out")"
  # A pause is enough.
  on old expect 0 "$M/f" "$M/b"
  same 'nothing to say' '' "$(cat "$T/err")"
  check 'when nobody writes' cmp "$M/f" "$M/b"
  note "$blocks blocks, this kernel"
  if kernel_before 5.13; then
    on stored expect 3 "$M/f" "$M/d"
    rm -f "$M"/.d.*
  else
    on stored expect 0 "$M/f" "$M/d"
    same 'nothing to say' '' "$(cat "$T/err")"
  fi
  no_leftovers "$M"
  rm "$M"/*
done
# A snapshot, too, only if it is asked for.
fragmented "$M/f" 20000
on old-stored expect 3 "$M/f" "$M/a"
on old-stored expect 0 --json --resume --on-writers=snapshot "$M/f" "$M/a"
same 'asked for' snapshot "$(field method)"
says 'may be torn if a program maps it'
if ! kernel_before 5.13; then
  on stored expect 0 --json "$M/f" "$M/b"
  same 'by itself' snapshot "$(field method)"
fi
no_leftovers "$M"

# Among others: those that are still are cloned.
mkdir "$M/d"
fragmented "$M/d/f" 100
: >"$M/d/empty"
on old-stored expect 1 -r "$M/d" "$M/e"
says "d/f' was written to meanwhile"
check_not 'torn, perhaps' test -e "$M/e/f"
check 'the others' test -e "$M/e/empty"
on old-stored expect 1 --reflink=auto -r "$M/d/." "$M/e"
check_not 'nor copied' test -e "$M/e/f"
on old-stored expect 0 --on-writers=trust -r "$M/d" "$M/g"
check 'trusted' test -s "$M/g/f"
on old expect 0 -r "$M/d/." "$M/e"
check 'all of it' diff -r "$M/d" "$M/e"
kernel_before 5.13 || on stored expect 0 -r "$M/d" "$M/h"
no_leftovers "$M"
fs_unmount "$M"

# ---- XFS has always held them off ----
fs_mount xfs
fragmented "$M/f" 100
on old-stored expect 0 --json "$M/f" "$M/a"
same 'as ever' single "$(field method)"
no_leftovers "$M"
fs_unmount "$M"
finish
