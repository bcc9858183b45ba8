# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# The fixtures of the command lines. fix_NAME makes one in the current directory, as the user who
# will run the command. root_NAME, if it exists, adds what only root can make. mount_NAME mounts
# something in each twin, and names it in $mounted.
#
# snapshot --age sets times that are not set here.

fix_none() { :; }
fix_anyorder() { :; } # lines of output may come in any order: see same_lines
fix_files() { # regular files and directories of every sort, and links to them
  echo alpha >a
  echo 'beta, which is longer' >b
  echo gamma >c
  : >e
  echo x >x
  echo read-only >ro
  mkdir d dd dd/b
  echo 'another alpha' >dd/a
  echo inner >dd/b/i
  ln -s a la
  ln -s d ld
  ln -s dd ldd
  ln -s gone dang
  ln -s loop2 loop1
  ln -s loop1 loop2
  echo linked >h1
  ln h1 h2
  chmod 755 x
  chmod 600 b
  chmod 444 ro
  chmod 664 c
}
fix_modes() { # modes that umask and ownership touch
  local m
  for m in 0000 0200 0400 0644 0666 0777 1644 1777 2755 4755 6755 4711; do
    echo "$m" >"m$m"
    chmod "$m" "m$m"
  done
  mkdir md
  for m in 0755 0700 0777 1777 2775 0555 0711; do
    mkdir -p "md/$m/in"
    echo x >"md/$m/f"
    chmod "$m" "md/$m"
  done
}
fix_tree() {
  mkdir -p t/sub/deep t/empty t/ro
  echo one >t/1
  echo two >t/2
  echo three >t/sub/3
  echo four >t/sub/deep/4
  echo frozen >t/ro/f
  ln -s 3 t/sub/to3
  ln -s /nonexistent t/abs
  ln -s sub t/tosub
  ln t/1 t/sub/hard1
  ln t/2 t/hard2
  chmod 600 t/2
  chmod 700 t/sub
  chmod 555 t/ro
  mkfifo -m 640 t/fifo
}
fix_dest() { # a tree that is in the way of fix_tree
  mkdir -p u/t/sub/3 u/t/empty
  echo 'the old one' >u/t/1
  echo 'the old two' >u/t/2
  echo keep >u/t/kept
  chmod 711 u/t/empty
}
fix_clean() { # the same without a conflict, to copy the tree over
  mkdir -p v/t/sub v/t/empty
  echo 'the old one' >v/t/1
  ln -s gone v/t/2
  echo keep >v/t/kept
  chmod 700 v/t
}
fix_itself() { # where cp stops depends on the order of entries, so there is but one in each
  mkdir -p i/j y
  ln -s y ly
}
fix_linkdirs() { # links of every sort to and in directories
  mkdir -p r/real s
  echo r >r/real/f
  ln -s real r/todir
  ln -s real/f r/tofile
  ln -s missing r/dangling
  ln -s .. r/up
  ln -s r lr
  ln -s lr llr
  ln -s r/real/f lf
  ln -s lf llf
}
fix_attributes() { # extended attributes and ACLs
  echo attr >./at
  setfattr -n user.color -v red at
  setfattr -n user.empty at
  echo acl >ac
  chmod 640 ac
  setfacl -m u:1:rw,g:2:r,m::rw ac
  mkdir ad
  echo in >ad/f
  setfacl -m u:1:rwx,d:u:3:rwx,d:g:4:rx,d:o::- ad
  setfattr -n user.dir -v yes ad
  echo plain >pl
  echo target >ta
  setfattr -n user.old -v stays ta
  setfacl -m u:5:r ta
  mkdir dacl
  setfacl -m d:u:6:rwx,d:g::rx,d:o::r dacl
  mkdir dstrict
  setfacl -m d:u::rwx,d:g::-,d:o::- dstrict
}
fix_caps() { :; }
root_caps() {
  echo cap >cap
  chmod 755 cap
  setcap cap_net_raw+ep cap
  mkdir capd
  echo cap2 >capd/cap2
  chmod 755 capd/cap2
  setcap cap_chown+p capd/cap2
  setfattr -n trusted.note -v hidden cap
}
fix_foreign() { :; }
root_foreign() { # what belongs to others
  echo theirs >o1
  chown 1:2 o1
  chmod 644 o1
  echo shared >o2
  chown 1:2 o2
  chmod 666 o2
  echo secret >o3
  chown 1:2 o3
  chmod 600 o3
  echo setuid >o4
  chown 1:2 o4
  chmod 6755 o4
  mkdir od ow os oe
  echo in >od/f
  echo in >od/a
  echo mine >ow/f
  echo mine >os/f
  chown -R 1:2 od ow os
  chown 1:2 oe
  chmod 755 od
  chmod 777 ow
  chmod 1777 os
  chmod 666 ow/f os/f od/a
  chmod 700 oe
  ln -s o1 ol
  chown -h 1:2 ol
}
fix_holes() {
  local i
  truncate -s 4M sp
  for i in 0 16 200 201 600; do
    printf 'block %d' "$i" | dd of=sp bs=4096 seek="$i" conv=notrunc status=none
  done
  truncate -s 1M hole
  head -c 262144 /dev/zero >zeros
  { printf head; head -c 300000 /dev/zero; printf tail; } >mixed
  seq 1000000 | head -c 200000 >random
  printf x >./tail
  truncate -s 100001 tail
  truncate -s 8G vast
  printf y | dd of=vast bs=4096 seek=1000000 conv=notrunc status=none
}
fix_special() {
  mkfifo -m 600 p
  "$TOOLS/snapshot" --socket k
  mkdir sd
  mkfifo sd/p
  "$TOOLS/snapshot" --socket sd/k
  echo plain >f
}
root_special() {
  mknod -m 640 n c 1 3
  mknod -m 666 bd b 7 200
  chown 1:2 n
}
fix_denied() {
  echo hidden >u
  chmod 000 u
  mkdir ud un nw part
  echo in >ud/f
  echo in >un/f
  echo in >nw/f
  echo 1 >part/1
  echo 2 >part/2
  echo 3 >part/3
  mkdir part/closed part/open
  echo 4 >part/closed/4
  echo 5 >part/open/5
  chmod 000 part/2 part/closed ud
  chmod 400 un
  chmod 555 nw
  echo free >f
  echo 'no way' >w
  chmod 000 w
}
fix_odd() { # names that a terminal or a parser would trip over
  local n
  mkdir od of
  for n in $'new\nline' "sin'gle" 'dou"ble' -dash $'inv\xff' $'esc\e[1m' 'sp ace' \
    $'\xc3\xa4' '*' '$x' '~' 'a:b' 'back\slash' $'tab\t' '--' ' ' '#x' 'a=b' '!' "'\"" $'\x7f'; do
    printf '%s' "$n" >"of/$n"
  done
  printf dash >-dash
  printf nl >$'new\nline'
  printf quote >"sin'gle"
  printf both >"b'o\"th"
  printf inv >$'inv\xff'
  printf esc >$'esc\e[1m'
  printf space >'sp ace'
  printf umlaut >$'\xc3\xa4'
}
fix_times() {
  echo old >old
  echo mid >mid
  echo new >new
  echo same >same
  echo 'same, too' >same2
  echo late >late
  touch -d '2000-01-01 00:00:00.000000001' old
  touch -d '2005-05-05 05:05:05.555555555' mid same same2
  touch -d '2005-05-05 05:05:05.555555556' late
  touch -d '2010-10-10 10:10:10.101010101' new
  mkdir td ts
  echo old >td/1
  echo old >td/2
  echo new >ts/1
  echo new >ts/2
  echo new >ts/3
  touch -d '2000-01-01' ts/1 td/2
  touch -d '2005-01-01' td/1 ts/2
}
fix_backups() {
  echo source >a
  echo dest >b
  echo first >b.~1~
  echo seventh >b.~7~
  echo tenth >b.~10~
  echo odd >b.~x~
  echo zero >b.~01~
  echo simple >b~
  echo lonely >lone
  echo lonely~ >lone~
  echo suffixed >'s~'
  echo s >s
  mkdir bd bd/a bt
  echo x >bd/a/x
  echo 1 >bt/1
  mkdir bu bu/bt
  echo 'old 1' >bu/bt/1
  chmod 640 b
  ln -s gone bl
  ln b bh
}
fix_self() { # the same file by several ways
  echo self >f
  ln f hard
  ln -s f soft
  ln -s soft soft2
  ln soft softhard
  ln -s . here
  mkdir dir
  echo in >dir/f
  ln -s ../f dir/up
  ln -s dir tod
  ln -s hard tohard
}
fix_prompt() {
  echo new1 >./1
  echo new2 >./2
  echo new3 >./3
  mkdir q
  echo old1 >q/1
  echo old2 >q/2
  echo old3 >q/3
  chmod 400 q/2
  chmod 000 q/3
  echo ro >r
  chmod 444 r
}
fix_parents() {
  mkdir -p p/q/r out out2/p/q
  echo deep >p/q/r/f
  echo mid >p/q/g
  ln -s q p/l
  chmod 750 p
  chmod 2711 p/q
  chmod 700 p/q/r
  chmod 700 out2/p
  setfacl -m u:1:rx p/q/r
  setfattr -n user.p -v q p/q
  echo file >notdir
}
fix_mount() {
  mkdir -p t/mnt other
  echo here >t/f
  echo below >t/mnt/hidden
}
mount_mount() {
  local p
  for p in t/mnt other; do
    mount -t tmpfs -o size=1m,noatime tmpfs "$p"
    echo over >"$p/o"
    mkdir "$p/dir"
    chown -R "$owner" "$p"
    touch -d '2002-02-02 02:02:02.020202020' "$p/o" "$p/dir" "$p"
    mounted="$mounted $W/$p"
  done
}
fix_full() { mkdir small; seq 1000000 | head -c 3000000 >big; echo little >little; }
mount_full() {
  mount -t tmpfs -o size=1m,noatime tmpfs small
  chown "$owner" small
  touch -d '2002-02-02' small
  mounted="$mounted $W/small"
}
fix_readonly() { mkdir still; echo a >a; }
mount_readonly() {
  mount -t tmpfs -o size=1m,noatime tmpfs still
  echo f >still/f
  chown -R "$owner" still
  touch -d '2002-02-02' still/f still
  mount -o remount,ro still
  mounted="$mounted $W/still"
}
fix_append() { :; }
root_append() { # inode flags that even root meets
  echo a >a
  echo fixed >fixed
  chown "$owner" a fixed
}
mount_append() {
  chattr +i fixed
  immutable="$immutable $W/fixed"
}
