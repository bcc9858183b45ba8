#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Trees and lists: behaviour that tests/cp does not compare with cp.
. "$(dirname "$0")/../lib.sh"
fs_test "$@"

transactions() { # that XFS has committed at $M
  awk '$1 == "trans" { print $2 + $3 }' \
    "/sys/fs/xfs/$(basename "$(findmnt -no SOURCE "$M")")/stats/stats"
}

for kind in xfs btrfs; do
  note "$kind"
  fs_mount $kind 1G
  cd "$M" || exit 99

  # a tree of small files: equal, and nothing of the machinery left or used
  mkdir -p t/a/b t/c
  for i in {1..300}; do echo "$i" >"t/a/$i"; done
  ln t/a/1 t/c/one
  ln -s a t/link
  fragmented t/big 2000
  expect 0 -a t n
  silent
  check 'equal' diff -r --no-dereference t n
  same 'hard links are kept' 2 "$(stat -c %h n/c/one)"
  no_leftovers n
  no_leftovers n/a
  same 'no temporary file anywhere' '' "$(find n -name '*lullcp*')"

  # the big one has a method, the small ones one call each
  expect 0 -r --json t n2
  same 'summaries' 302 "$(jq -r 'select(.type == "summary") | .source' "$T/out" | wc -l)"
  same 'the big file' 'quiet' \
    "$(jq -r 'select(.source == "t/big" and .type == "summary") | .method' "$T/out")"
  same 'a small file' 'single 1' \
    "$(jq -r 'select(.source == "t/a/7" and .type == "summary") | "\(.method) \(.calls)"' "$T/out")"

  # the name of a small file costs a transaction, for it comes last; nothing else does
  if [ $kind = xfs ]; then
    was=$(transactions)
    cp -r --reflink=always t/a c1
    theirs=$(($(transactions) - was)) was=$(transactions)
    expect 0 -r --no-sync t/a c2
    ours=$(($(transactions) - was))
    check "transactions: $ours, and $theirs of cp" test $ours -gt 0 -a $ours -lt $((theirs + 400))
  fi

  # how many system calls a small file takes: those of 300 files and some more, less those of 100.
  # The sanitizer makes its own, and looks for leaks only where nobody traces.
  calls() { # calls DIR: of a copy of it
    strace -fqq -o "$T/trace" "$LULLCP" -a --no-sync "$1" "c-$1" 2>"$T/err" || bad "strace: $1"
    wc -l <"$T/trace"
  }
  mkdir few many
  for i in {1..100}; do echo "$i" >"few/$i"; done
  for i in {1..300}; do echo "$i" >"many/$i"; done
  if [ -z "${ASAN_OPTIONS:-}" ]; then
    few=$(calls few) many=$(calls many)
    check "system calls: $many for 300 files, $few for 100" test $((many - few)) -le $((200 * 17))
  fi
  rm -rf few many c-few c-many

  # where a file waits for the disk its name comes from the thread that syncs; what fails there is
  # tried again, and told, in the order of the walk
  if [ $kind = btrfs ]; then
    links() { # links WHEN: of the calls that give names, those that fail
      ASAN_OPTIONS=${ASAN_OPTIONS-}:detect_leaks=0 strace -fqq -o /dev/null -e trace=linkat \
        -e inject=linkat:error=EIO"$1" "$LULLCP" -av t/a c3 >"$T/out" 2>"$T/err"
    }
    links :when=1..50
    same 'a name at the second try' 0 $?
    check 'all are there' diff -r t/a c3
    rm -r c3
    links ''
    same 'no name' 1 $?
    same 'each is told' 300 "$(grep -c 'Input/output error' "$T/err")"
    same 'in order' "$(sed -n "s,^'t/a/\([0-9]*\)' -> .*,\1,p" "$T/out")" \
      "$(sed -n "s,.*'c3/\(.*\)'.*Input.*,\1,p" "$T/err")"
    same 'and nothing is there' '' "$(find c3 -type f)"
    rm -r c3
  fi

  # several at a time: the same, in the same order
  run -rv t n3
  cp "$T/out" "$T/one"
  expect 0 -rvj4 t n4
  sed 's/n4/n3/' "$T/out" >"$T/four"
  check 'the order is that of one job' cmp "$T/one" "$T/four"
  check 'equal with jobs' diff -r --no-dereference t n4
  expect 0 -aj8 t n5
  same 'hard links with jobs' 2 "$(stat -c %h n5/c/one)"
  expect 1 -j4 -r t nosuch t/a/1 t/c n4
  says "cannot stat 'nosuch'"

  # several names of one file: each copy waits for those that use it under another
  mkdir new
  fragmented new/a 3000
  echo last >new/b
  for names in hard symbolic; do
    rm -rf names
    mkdir names
    echo old >file
    case $names in
      hard) ln file names/a && ln file names/b ;;
      symbolic) ln -s ../file names/a && ln -s ../file names/b ;;
    esac
    expect 0 -j2 new/a new/b names
    check "$names links: the last one has it" cmp -s new/b file
    rm -f names/a
    cp new/a file
    expect 0 -j2 -t names file new/b
    check "$names links: the source was whole" cmp -s new/a names/file
  done

  # a tree deeper than there are descriptors for
  mkdir deep
  (
    cd deep || exit 1
    for i in {1..300}; do mkdir d && cd d || exit 1; done
    echo bottom >f
  )
  (ulimit -n 250 && "$LULLCP" -a deep deep2) 2>"$T/err"
  same 'a deep tree' 0 $?
  check 'equal to the bottom' diff -r deep deep2

  # an entry that is exchanged for a link between the look and the opening leads nowhere
  mkdir secret
  echo secret >secret/f
  for what in directory file; do
    rm -rf race out
    mkdir -p race
    target=../secret
    if [ $what = directory ]; then
      mkdir race/victim
      echo public >race/victim/f
    else
      echo public >race/victim
      target=../secret/f
    fi
    rc=0
    SWAP_TARGET=$target LD_PRELOAD=$TOOLS/swap.so "$LULLCP" -r race out 2>"$T/err" || rc=$?
    same "$what: status" 1 $rc
    check "$what: it was exchanged" test -L race/victim -o -L out/victim
    check_not "$what: the link is not followed" grep -rqs secret out
  done

  # what lullcp itself has left in a tree is left out, in one line; what only looks like it is not
  mkdir -p left/.a.lullcp-snap left/sub left/.dir.lullcp
  for f in .a.lullcp .a.lullcp~ .a.lullcp-part .a.lullcp-generations sub/.1f-2e.lullcp-new sub/.b.lullcp; do
    echo own >"left/$f"
  done
  touch left/a left/.lullcp left/b.lullcp left/.a.lullcp-other left/.dir.lullcp/f sub left/.a.lullcp-snap/f
  expect 0 -r left left2
  says "left out 7 of lullcp's own files"
  same 'one line' 1 "$(wc -l <"$T/err")"
  same 'what is copied' '.a.lullcp-other .dir.lullcp .lullcp a b.lullcp f sub' \
    "$(find left2 -mindepth 1 -printf '%f\n' | sort | tr '\n' ' ' | sed 's/ $//')"
  expect 0 -q -r left left3
  silent
  expect 0 left/.a.lullcp left/sub/.b.lullcp left2/sub
  silent
  same 'named by the user' 'own own' "$(cat left2/sub/.a.lullcp left2/sub/.b.lullcp | tr '\n' ' ' | sed 's/ $//')"

  # one operand in another: the later one finds what the earlier one has made
  mkdir -p in/e && echo f >in/f && echo g >in/e/g && echo 0 >in/0
  for operands in 'in in/f' 'in/f in' 'in/e/g in/e in'; do
    rm -rf out && mkdir out
    # shellcheck disable=SC2086
    expect 0 -r --parents $operands out
    check "$operands" diff -r in out/in
  done
  cd /
  fs_unmount "$M"
done
finish
