#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# An older clone becomes the new one: not while somebody has it open, not together with its old
# attributes, and not if it cannot be renamed.
. "$(dirname "$0")/../lib.sh"
fs_test

patch() { # patch FILE: new bytes somewhere
  scribble "$1" 4096 $((RANDOM % 300))
  sync "$1"
}
newest() { jq -r '.generations[-1].name' "$(dirname "$1")/.$(basename "$1").lullcp-generations"; }
oldest() { jq -r '.generations[0].name' "$(dirname "$1")/.$(basename "$1").lullcp-generations"; }
# All that a file has beside its data, but for what each inode has of its own.
looks() {
  stat -c '%a %u %g' "$1"
  getfacl -cpE "$1"
  getfattr -dm- -e hex --absolute-names "$1" | sed 1d
  lsattr -l "$1" | sed 's/.* //' | tr , '\n' | grep -v Extents
  xfs_io -c 'stat -v' "$1" 2>/dev/null | grep -E 'xflags|projid|cowextsize'
}
# mark FILE: everything that must not go over to what is made of it
mark() {
  chown 12:34 "$1"
  chmod 4777 "$1"
  setfacl -m u:65534:rwx "$1"
  setfattr -n user.secret -v old "$1"
  setfattr -n trusted.secret -v old "$1"
  setcap cap_net_raw+ep "$1"
  chattr +Ad "$1"
  case $kind in
    xfs) xfs_io -c 'cowextsize 1m' -c 'chproj 5' "$1" ;;
    btrfs) btrfs property set "$1" compression zlib ;;
  esac >"$T/mark" 2>&1 || framework_failure "mark: $(cat "$T/mark")"
}

for kind in xfs btrfs; do
  fs_mount "$kind"
  note "$kind"
  cd "$M" || framework_failure cd
  fragmented src 400 -h 5
  chmod 640 src

  # ---- in use ----
  mkdir use
  for who in reader loop mapped; do
    for how in itself base; do
      [ "$who $how" != 'loop base' ] && [ "$who $how" != 'mapped base' ] || continue
      cp --reflink=always src use/old
      sum=$(b2sum <use/old)
      inode=$(stat -c %i use/old)
      patch src
      case $who in
        reader) exec 7<use/old ;;
        loop) loop=$(losetup --show -fr use/old) || framework_failure losetup ;;
        mapped)
          mkfifo "$T/go"
          python3 -c '
import mmap, os, sys
fd = os.open(sys.argv[1], os.O_RDONLY)
m = mmap.mmap(fd, 0, prot=mmap.PROT_READ)
os.close(fd)
open(sys.argv[2], "w").close()
open(sys.argv[3]).read()
os.write(1, m[:])' use/old "$T/ready" "$T/go" >"$T/seen" &
          for _ in {1..1000}; do [ ! -e "$T/ready" ] || break; sleep 0.01; done
          rm "$T/ready"
          ;;
      esac
      if [ $how = itself ]; then
        expect 0 --refresh src use/old
        made=use/old
      else
        expect 0 --refresh --base=use/old src use/new
        made=use/new
        same "$kind $who: the base stays" "$inode $sum" "$(stat -c %i use/old) $(b2sum <use/old)"
      fi
      says 'it is open; a clone in full instead'
      check "$kind $who $how: the clone" cmp src $made
      check "$kind $who $how: another file" test "$inode" != "$(stat -c %i $made)"
      case $who in
        reader) seen=$(b2sum <&7) && exec 7<&- ;;
        loop) seen=$(head -c "$(stat -c %s src)" "$loop" | b2sum) && losetup -d "$loop" ;;
        mapped)
          echo >"$T/go"
          wait
          seen=$(b2sum <"$T/seen")
          rm "$T/go"
          ;;
      esac
      same "$kind $who $how: it reads what it read" "$sum" "$seen"
      no_leftovers use
      rm -f use/*
    done
  done
  # open for writing: DEST itself is refused, another clone is left alone
  cp --reflink=always src use/old
  patch src
  before=$(b2sum use/old; stat -c '%i %a %z' use/old)
  exec 7>>use/old
  expect 1 --refresh src use/old
  says 'a program has it open for writing'
  same "$kind: refused: as it was" "$before" "$(b2sum use/old; stat -c '%i %a %z' use/old)"
  no_leftovers use
  expect 0 --refresh --base=use/old src use/new
  says 'it is open; a clone in full instead'
  check "$kind: beside a writer" cmp src use/new
  same "$kind: the writer's file is as it was" "$before" "$(b2sum use/old; stat -c '%i %a %z' use/old)"
  exec 7>&-
  # opened by the hook, in the last moment: in full, and with its own mode and owner again
  chown 12:34 use/old
  chmod 4751 use/old
  setfacl -m g:65534:rx use/old
  before=$(b2sum use/old; stat -c '%i %a %u %g' use/old; getfacl -cp use/old)
  printf '#!/bin/sh\n[ $1 = freeze ] || exit 0\nexec 3<%s\nsetsid sleep 60 <&3 >/dev/null 2>&1 &\necho $! >%s\n' \
    "$M/use/old" "$T/sleeper" >"$T/hook"
  chmod +x "$T/hook"
  expect 0 --refresh --base=use/old --hook="$T/hook" src use/new
  says 'it is open; a clone in full instead'
  kill "$(cat "$T/sleeper")"
  check "$kind: opened in the last moment" cmp src use/new
  same "$kind: opened in the last moment: as it was" "$before" \
    "$(b2sum use/old; stat -c '%i %a %u %g' use/old; getfacl -cp use/old)"
  no_leftovers use
  rm -r use

  # ---- what it was beside its data ----
  for rule in plain sgid acl; do
    for how in '' -p; do
      case $kind/$rule/$how in
        xfs/plain/ | xfs/sgid/ | xfs/acl/-p | btrfs/plain/-p | btrfs/acl/) ;;
        *) continue ;;
      esac
      mkdir "$rule"
      case $rule in
        sgid) chown :1000 $rule && chmod 2755 $rule ;;
        acl) setfacl -d -m u:1001:rx $rule ;;
      esac
      setfattr -n user.mine -v new src
      # what a new inode gets
      expect 0 $how src $rule/wanted
      # a generation
      for _ in 1 2; do patch src; expect 0 $how --keep=2 src $rule/row; done
      first=$rule/$(oldest $rule/row)
      mark "$first"
      inode=$(stat -c %i "$first")
      patch src
      expect 0 $how --keep=2 src $rule/row
      made=$rule/$(newest $rule/row)
      same "$kind $rule $how: used up" "$inode" "$(stat -c %i "$made")"
      same "$kind $rule $how: a generation looks new" "$(looks $rule/wanted)" "$(looks "$made")"
      check "$kind $rule $how: its data" cmp src "$made"
      # another clone
      cp --reflink=always src $rule/old
      mark $rule/old
      inode=$(stat -c %i $rule/old)
      patch src
      expect 0 $how --refresh --base=$rule/old src $rule/new
      same "$kind $rule $how: base used up" "$inode" "$(stat -c %i $rule/new)"
      same "$kind $rule $how: base looks new" "$(looks $rule/wanted)" "$(looks $rule/new)"
      check "$kind $rule $how: its data" cmp src $rule/new
      # in the place of a DEST, whose looks it takes over
      mkdir $rule/1 $rule/2
      for i in 1 2; do
        echo precious >$rule/$i/f
        chown 77:88 $rule/$i/f
        chmod 604 $rule/$i/f
        setfacl -m u:1002:r $rule/$i/f
        setfattr -n user.dest -v its $rule/$i/f
      done
      expect 0 $how src $rule/1/f
      cp --reflink=always src $rule/old
      mark $rule/old
      expect 0 $how --refresh --base=$rule/old src $rule/2/f
      same "$kind $rule $how: base in the place of another" "$(looks $rule/1/f)" "$(looks $rule/2/f)"
      rm -rf $rule
    done
  done
  # cut off, and resumed without a word of the base; with a DEST in the way of it and without
  mkdir cut
  expect 0 src cut/wanted
  for there in no yes; do
    cp --reflink=always src cut/old
    mark cut/old
    for _ in {1..60}; do patch src; done
    [ $there = no ] || { echo precious >cut/dst && chmod 640 cut/dst; }
    "$LULLCP" --refresh --base=cut/old --duty-cycle=1 --latency-budget=1ms src cut/dst 2>/dev/null &
    pid=$!
    for _ in {1..1000}; do [ -e cut/old ] || break; sleep 0.01; done
    kill -9 $pid
    wait $pid 2>/dev/null
    same "$kind: nobody else's meanwhile" '0 0 600' "$(stat -c '%u %g %a' cut/.dst.lullcp-part)"
    expect 0 --resume src cut/dst
    same "$kind: cut off, DEST there: $there" "$(looks cut/wanted)" "$(looks cut/dst)"
    check "$kind: cut off: its data" cmp src cut/dst
    no_leftovers cut
    rm cut/dst
  done
  # a temporary file that is taken over
  for how in --resume --restart; do
    echo left >cut/.dst.lullcp-part
    mark cut/.dst.lullcp-part
    chown 0 cut/.dst.lullcp-part
    expect 0 $how src cut/dst
    same "$kind: taken over by $how" "$(looks cut/wanted)" "$(looks cut/dst)"
    rm cut/dst
  done
  # DEST itself keeps what it has
  expect 0 src cut/dst
  setfacl -m u:65534:r cut/dst
  setfattr -n user.dest -v its cut/dst
  chown 12:34 cut/dst
  before=$(looks cut/dst)
  patch src
  expect 0 --refresh src cut/dst
  same "$kind: DEST itself" "$before" "$(looks cut/dst)"
  cd /
  fs_unmount "$M"
done

# ---- where it cannot be renamed: on XFS to a directory of another project ----
img=$(image 600M)
make_fs "$img" xfs
mkdir "$T/projects"
mount -o loop "$img" "$T/projects" || cannot_run 'cannot mount xfs'
cd "$T/projects" || framework_failure cd
fragmented src 400 -h 5
mkdir row a b c
for _ in 1 2; do patch src; expect 0 --keep=2 src row/f; done
cp --reflink=always src a/old
echo precious >c/f
for d in row b c; do xfs_io -c 'chproj 7' -c 'chattr +P' $d; done
for i in 1 2 3; do
  first=$(oldest row/f)
  patch src
  expect 0 --keep=2 src row/f
  if [ $i -le 2 ]; then
    says 'in another file system or project'
  else
    silent # all are of the new project by now
  fi
  check "the row goes on: $i" cmp src row/"$(newest row/f)"
  same "the row goes on: $i: two" 2 "$(find row -name 'f.2*' | wc -l)"
  check_not "the row goes on: $i: the oldest" test -e "row/$first"
done
before=$(stat -c '%i %a %u' a/old; b2sum <a/old)
expect 0 --refresh --base=a/old src b/new
says 'in another file system or project'
check 'base: in full' cmp src b/new
same 'base: it is as it was' "$before" "$(stat -c '%i %a %u' a/old; b2sum <a/old)"
no_leftovers b
# on another file system altogether
mount -t tmpfs tmpfs b
echo other >b/old
expect 0 --refresh --base=b/old src a/new
says 'in another file system or project'
check 'base elsewhere: in full' cmp src a/new
same 'base elsewhere: it is as it was' other "$(cat b/old)"
umount b
# a backup that cannot be made: before anything is cloned, and as cp says it
rc=0
cp -b src c/f 2>"$T/cp" || rc=$?
same 'cp refuses' 1 $rc
expect 1 -b --json src c/f
same 'the words of cp' "$(sed 's/^cp: //' "$T/cp")" "$(sed "s/^${LULLCP##*/}: //" "$T/err" | head -n 1)"
same 'nothing was cloned' 0 "$(jq -s 'map(.calls // 0) | add' "$T/out")"
same 'the old one is there' precious "$(cat c/f)"
no_leftovers c
cd /
umount "$T/projects"
rm "$img"
finish
