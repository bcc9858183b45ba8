#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# lullcp-hook-libvirt if something fails, or somebody interferes: no overlay that holds the only copy of a
# write is removed, no foreign file is touched, and nothing is left redirected without a status that says
# so.
. "$(dirname "$0")/../lib.sh"
fs_test
. "$(dirname "$0")/libvirtd.sh"
overlay="$M/v m/.a.img.lullcp-overlay.qcow2"
record="$M/v m/.a.img.lullcp-overlay.freeze"
run_a=11111111-1111-4111-8111-111111111111
run_b=22222222-2222-4222-8222-222222222222

# A virsh that does with a pivot what $T/pivot says.
mkdir "$T/wrapped"
cat >"$T/wrapped/virsh" <<WRAPPER
#!/bin/sh
case "\$* \$(cat "$T/pivot" 2>/dev/null)" in
  *--pivot*fail*) "$virsh" -c qemu:///system blockjob lulltest vda --abort; exit 1 ;;
  *--pivot*killed*) "$virsh" -c qemu:///system blockjob lulltest vda --abort; kill -KILL 0 ;;
  *--pivot*late*) "$virsh" "\$@"; kill -KILL 0 ;;
esac
exec "$virsh" "\$@"
WRAPPER
chmod 755 "$T/wrapped/virsh"
pivot() { # pivot HOW ARG...: the hook, in a process group of its own, with that virsh
  echo "$1" >"$T/pivot"
  shift
  PATH=$T/wrapped:$PATH setsid -w "$hook" --connect=qemu:///system "$@" >"$T/out" 2>"$T/err"
  rc=$?
  rm "$T/pivot"
}
in_overlay() { same "$1: in the overlay" "$2" "$(pattern "$overlay" qcow2 "$3")"; }
restart() { # from the images, whatever is missing there
  vs destroy lulltest
  start || framework_failure "no guest: $(cat "$T/start.out")"
}
advised() { # follows what was printed, to the letter
  local command
  command=$(sed -n 's/.*shut down: //p' "$T/err")
  check "advice: $command" eval "[ -n \"\$command\" ] && $command"
}
clear() { rm -f "$overlay" "$record"; }

# ---- a pivot that fails: what the guest writes then is in the overlay alone ----
for how in fail killed; do
  hooked 0 freeze "$a"
  guest 0 77 1M 64k
  pivot $how thaw "$a"
  [ $rc != 0 ] && ok || bad "pivot $how: status 0"
  guest 0 78 2M 64k
  restart
  hooked 1 thaw "$a"
  says "$overlay"
  says 'do not commit'
  hooked 1 freeze "$a"
  in_overlay "pivot $how" 78 2097152
  clear
  # without a restart the next thaw merges
  hooked 0 freeze "$a"
  guest 0 79 1M 64k
  pivot $how thaw "$a"
  guest 0 80 2M 64k
  hooked 0 thaw "$a"
  at_rest "pivot $how, again"
  same "pivot $how, again" 80 "$(pattern "$a" raw 2097152)"
done
# killed when it had pivoted: the same node is the disk again, which is proof
hooked 0 freeze "$a"
guest 0 81 1M 64k
pivot late thaw "$a"
guest 0 82 2M 64k
hooked 0 thaw "$a"
at_rest 'pivot late'
same 'pivot late' 82 "$(pattern "$a" raw 2097152)"
# not after a restart: whether the guest changed over cannot be seen any more
hooked 0 freeze "$a"
pivot late thaw "$a"
restart
hooked 1 thaw "$a"
check 'kept in doubt' test -s "$overlay"
clear

# ---- somebody else merges ----
whole() { # whole WHAT: the disk, as the guest has it, and no overlay but what was put away
  same "$1: the older write" 84 "$(pattern "$a" raw 1048576)"
  same "$1: the newer write" 85 "$(pattern "$a" raw 2097152)"
  hooked 0 thaw "$a"
  silent
  same "$1: no overlay, no record" '' "$(find "$M" "$T/side" -name '*lullcp-overlay.qcow2' -o -name '*.freeze')"
}
seen() { # seen WHAT: what it tells to run changes neither, and overwrites nothing
  local sums command
  printf 'of a user' >"$a.merged"
  printf 'of a user' >"$overlay.old"
  hooked 1 thaw "$a"
  sums=$(content "$a" raw; b2sum <"$overlay")
  command=$(sed -n "s/.* run: \(qemu-img convert .*\)\. If it is not wanted.*/\1/p" "$T/err")
  check "$1: told how to look" eval "[ -n \"\$command\" ] && $command"
  same "$1: nothing is changed" "$sums" "$(content "$a" raw; b2sum <"$overlay")"
  same "$1: what is in the overlay" 84 "$(pattern "$a.merged.2" raw 1048576)"
  rm -f "$a.merged.2"
  command=$(sed -n "s/.*put it away: \(mv .*\)/\1/p" "$T/err")
  check "$1: told how to put it away" eval "[ -n \"\$command\" ] && $command"
  same "$1: nothing is overwritten" 'of a userof a user' "$(cat "$a.merged" "$overlay.old")"
  check "$1: it is kept" test -s "$overlay.old.2"
  rm -f "$a.merged" "$overlay".old*
}
for then in running restarted down; do
  hooked 0 freeze "$a"
  guest 0 84 1M 64k
  check 'somebody else merges' vs blockcommit lulltest vda --active --shallow --wait --pivot
  guest 0 85 2M 64k
  case $then in
    restarted) restart ;;
    down) vs destroy lulltest ;;
  esac
  if [ $then = running ]; then
    # the node that was below the overlay is the disk: only a pivot does that
    hooked 0 thaw "$a"
  else
    hooked 1 thaw "$a"
    says 'do not commit'
    check_not 'no commit is told' grep -q 'qemu-img commit' "$T/err"
    seen "merged by somebody else, $then"
  fi
  whole "merged by somebody else, $then"
done
start

# ---- the guest goes down ----
hooked 0 freeze "$a"
guest 0 83 3M 64k
vs destroy lulltest
hooked 1 thaw "$a"
advised
same 'the advice merges' 83 "$(pattern "$a" raw 3145728)"
hooked 0 thaw "$a"
silent
start
hooked 0 freeze "$a"
vs destroy lulltest
printf x | dd of="$a" bs=1 seek=3M conv=notrunc status=none
hooked 1 --shut-off=clone freeze "$a"
says 'do not commit'
check 'kept' test -s "$overlay"
clear
start

# ---- whose freeze it is ----
hooked_as() { # hooked_as RUN STATUS ARG...
  local LULLCP_RUN_ID=$1
  export LULLCP_RUN_ID
  shift
  hooked "$@"
}
hooked_as $run_b 0 freeze "$a"
before=$(content "$a" raw)
guest 0 85 1M 64k
hooked_as $run_a 1 freeze "$a" "$b"
says "$run_b"
hooked_as $run_a 0 thaw "$a" "$b"
says "$run_b"
hooked 1 freeze "$a" # by hand
hooked_as $run_b 0 freeze "$a"
guest 0 86 1M 64k
same 'still frozen' "$before" "$(content "$a" raw)"
hooked_as $run_b 0 thaw "$a"
at_rest 'its own run'
hooked_as $run_b 0 freeze "$a"
hooked 0 thaw "$a" # a person may
at_rest 'by hand'
hooked_as $run_b 0 freeze "$b"
vs destroy lulltest
hooked_as $run_a 1 --shut-off=clone freeze "$a" "$b"
hooked_as $run_a 0 thaw "$a" "$b"
check "the other's overlay is kept" test -s "$M/v m/.b.qcow2.lullcp-overlay.qcow2"
hooked_as $run_b 1 thaw "$b"
advised
start

# ---- what others may have put there ----
before=$(content "$a" raw)
refused() { # refused WHAT SAYS: freeze, and the thaw after it; nothing is redirected
  timeout 60 "$hook" --connect=qemu:///system freeze "$a" >"$T/out" 2>"$T/err"
  same "$1: freeze" 1 $?
  says "$2"
  timeout 60 "$hook" --connect=qemu:///system thaw "$a" >"$T/out" 2>"$T/err"
  same "$1: thaw" "${3:-0}" $?
  same "$1: disks" "$M/v m/a.img $M/v m/b.qcow2 " \
    "$(vs domblklist lulltest | awk '{ $1 = ""; printf "%s ", substr($0, 2) }')"
}
ln -s "$T/side/victim" "$overlay"
refused 'a dangling link' 'in the way'
check_not 'the link is not followed' test -e "$T/side/victim"
check 'the link is there' test -L "$overlay"
rm -f "$overlay"
mkfifo "$overlay"
refused 'a fifo' 'in the way'
check 'the fifo is there' test -p "$overlay"
rm -f "$overlay"
echo precious >"$overlay"
chmod 1700 "$overlay"
refused 'a foreign file' 'until that is repaired' 1
same 'the foreign file' precious "$(cat "$overlay")"
rm -f "$overlay"
: >"$overlay"
refused 'a foreign empty file' 'in the way'
check 'the empty file is there' test -e "$overlay"
rm -f "$overlay"
mkfifo "$record"
refused 'a fifo as the record' 'in the way'
check 'that fifo is there' test -p "$record"
rm -f "$record"
chmod 777 "$M/v m"
refused 'a directory of all' 'others may replace files'
chmod 2775 "$M/v m"
refused 'a directory of a group' 'others may replace files'
chmod 755 "$M/v m"
chown 65534 "$M/v m"
refused 'a directory of somebody' 'others may replace files'
chown 0 "$M/v m"
no_leftovers "$M/v m"

# ---- the overlay is found, however it is asked for ----
hooked 0 --sidecar-dir="$T/side" freeze "$a"
guest 0 90 1M 64k
hooked 0 thaw "$a"
at_rest 'without the directory'
ln -s "$a" "$T/side/link"
hooked 0 freeze "$a"
hooked 0 thaw "$T/side/link"
at_rest 'by a link'
hooked 0 freeze "$T/side/link"
guest 0 91 1M 64k
hooked 0 thaw "$a"
at_rest 'of a link'
same 'merged' 91 "$(pattern "$a" raw 1048576)"
hooked 0 freeze "$a"
guest 0 92 1M 64k
mv "$a" "$M/renamed"
hooked 1 thaw "$M/renamed"
says 'its name back'
cp "$M/renamed" "$a"
chown --reference="$M/renamed" "$a"
hooked 1 thaw "$a"
says 'its name back'
check 'nothing went to the other file' cmp "$M/renamed" "$a"
mv "$M/renamed" "$a"
hooked 0 thaw "$a"
at_rest 'renamed and back'
same 'merged' 92 "$(pattern "$a" raw 1048576)"
hooked 0 --sidecar-dir="$T/side" freeze "$a"
guest 0 93 1M 64k
vs destroy lulltest
hooked 1 thaw "$a"
says "$T/side/"
advised
hooked 0 thaw "$a"
silent
at_rest_files() { same "$1" '' "$(find "$M" "$T/side" -name '*lullcp-overlay*')"; }
at_rest_files 'elsewhere, and down'
same 'merged' 93 "$(pattern "$a" raw 1048576)"
start

# ---- who else writes to the image ----
cp "$a" "$M/restored"
mv "$a" "$M/kept"
mv "$M/restored" "$a"
refused 'a replaced image' 'Was it replaced?'
mv "$M/kept" "$a"
exec 7<>"$a"
refused 'another writer' 'more than one process'
exec 7>&-
vs destroy lulltest
sed '/dev=.vda/s,$, <shareable/>,' "$T/domain.xml" >"$T/first.xml"
awk '/<disk / && n++ { skip = 1 } !skip { print } /<\/disk>/ { skip = 0 }' "$T/first.xml" |
  sed 's/lulltest/lulltest2/' >"$T/second.xml"
check 'a shared disk' vs create "$T/first.xml"
check 'of two guests' vs create "$T/second.xml"
refused 'two guests' "'lulltest2'"
silent
expect 5 -q --hook="$hook --connect=qemu:///system" "$a" "$M/clone"
# what is there was redirected before that
: >"$overlay"
hooked 0 thaw "$a"
qemu-img create -q -f qcow2 -b "$a" -F raw "$overlay" || framework_failure qemu-img
hooked 1 thaw "$a"
says "'lulltest2'"
rm "$overlay"
vs destroy lulltest2
restart
at_rest 'one guest again'

# ---- what a merge would lose, or end ----
top() { vs dumpxml lulltest | sed -n "s/.*$1.*index='\([0-9]*\)'.*/\1/p" | head -1; }
hooked 0 freeze "$b"
check 'an internal snapshot' vs qemu-monitor-command lulltest \
  "{\"execute\":\"blockdev-snapshot-internal-sync\",\"arguments\":{\"device\":\"libvirt-$(top b.qcow2.lullcp)-format\",\"name\":\"s\"}}"
hooked 1 thaw "$b"
says 'internal snapshots'
check 'deleted' vs qemu-monitor-command lulltest \
  "{\"execute\":\"blockdev-snapshot-delete-internal-sync\",\"arguments\":{\"device\":\"libvirt-$(top b.qcow2.lullcp)-format\",\"name\":\"s\"}}"
hooked 0 thaw "$b"
at_rest 'internal snapshot'
hooked 0 freeze "$a"
check 'a copy job' vs blockcopy lulltest vda "$T/side/copy" --transient-job --format raw
hooked 1 thaw "$a"
says 'another block job'
check 'the job goes on' grep -q 'Block Copy' <(vs blockjob lulltest vda --info 2>&1)
vs blockjob lulltest vda --abort
hooked 0 thaw "$a"
at_rest 'a copy job'
hooked 0 freeze "$a"
check 'a snapshot on top' vs snapshot-create-as lulltest --disk-only --no-metadata \
  --diskspec "vda,snapshot=external,driver=qcow2,file=$T/side/top.qcow2" --diskspec vdb,snapshot=no
guest 0 95 1M 64k
hooked 1 thaw "$a"
says 'on top of that'
hooked 1 freeze "$a"
check 'what it says' eval "$(sed -n 's/.*(virsh \(.*\)), and thaw.*/vs \1/p' "$T/err") --wait"
hooked 0 thaw "$a"
at_rest 'a snapshot on top'
same 'merged' 95 "$(pattern "$a" raw 1048576)"

# ---- only users who may read the image may read the overlay ----
if command -v setfacl >/dev/null; then
  chmod 600 "$a"
  setfacl -m u:65534:r,g:65533:r "$a"
  hooked 0 freeze "$a"
  same 'owner, mode and list' "$(getfacl -cnp "$a")$(stat -c %u:%g "$a")" \
    "$(getfacl -cnp "$overlay")$(stat -c %u:%g "$overlay")"
  hooked 0 thaw "$a"
  setfacl -b "$a"
else
  note 'no setfacl'
fi

# ---- a libvirt, and a QEMU, that do not answer ----
kill -STOP "$(cat /run/libvirt/libvirtd.test-pid)"
hooked 1 --timeout=1 freeze "$a"
says 'does not answer'
hooked 0 --timeout=1 thaw "$a"
kill -CONT "$(cat /run/libvirt/libvirtd.test-pid)"
qemu=$(cat /run/libvirt/qemu/lulltest.pid)
kill -STOP "$qemu"
hooked 1 --timeout=2 freeze "$a"
says 'may still redirect'
hooked 1 --timeout=2 --commit-timeout=1 thaw "$a"
says 'at work'
kill -CONT "$qemu"
hooked 0 thaw "$a"
at_rest 'a late snapshot'

# ---- a file of another file system that has the number of the image ----
one=$M
fs_mount xfs 400M
mkdir "$M/v m"
for i in $(seq 400); do
  : >"$M/v m/$i"
  [ "$(stat -c %i "$M/v m/$i")" != "$(stat -c %i "$a")" ] || break
done
same 'an inode number that comes twice' "$(stat -c %i "$a")" "$(stat -c %i "$M/v m/$i")"
hooked 0 freeze "$a"
hooked 0 thaw "$M/v m/$i"
check 'it ends no freeze but its own' test -s "$overlay"
same 'and the guest stays redirected' "$overlay" "$(vs domblklist lulltest | sed -n 's/^ *vda *//p')"
hooked 0 thaw "$a"
fs_unmount "$M"
M=$one
at_rest 'the same number'

# ---- a link in the place of the overlay, by the one to whom libvirt gives it ----
echo secret >"$M/secret"
chmod 640 "$M/secret"
hooked 0 freeze "$a"
mv "$overlay" "$M/moved"
ln -s "$M/secret" "$overlay"
hooked 1 thaw "$a"
says 'put it back'
same 'what the link leads to keeps its mode' 640 "$(stat -c %a "$M/secret")"
rm -f "$overlay"
mv "$M/moved" "$overlay"
hooked 0 thaw "$a"
at_rest 'a link in its place'

# ---- a sidecar that somebody else has put there ----
vs destroy lulltest
chmod 1777 "$M/v m"
setpriv --reuid=54321 --regid=54321 --clear-groups \
  qemu-img create -q -f qcow2 -u -b "$M/secret" -F raw "$overlay" 16M
same 'it is of somebody' 54321 "$(stat -c %u "$overlay")"
hooked 0 thaw "$a"
same 'nothing is said to be committed' '' "$(cat "$T/err")"
rm -f "$overlay"
chmod 755 "$M/v m"

# ---- off, as far as libvirt knows ----
device=$(losetup -f --show "$a") || framework_failure losetup
hooked 1 --shut-off=clone freeze "$a"
says "open for writing: process $device"
losetup -d "$device"
hooked 0 --shut-off=clone freeze "$a"
start || framework_failure "no guest: $(cat "$T/start.out")"
device=$(losetup -f --show "$a") || framework_failure losetup
hooked 1 freeze "$a"
says 'more than one process'
losetup -d "$device"
at_rest 'a loop device'

# ---- where nobody may open in a sticky directory, to create, what somebody else has there ----
echo 2 >"$T/protected"
mkdir "$T/owners"
cat >"$T/owners/virsh" <<WRAPPER
#!/bin/sh
case "\$*" in *snapshot-create-as*) stat -c '%U %a' "$overlay" >"$T/owner" ;; esac
exec "$virsh" "\$@"
WRAPPER
chmod 755 "$T/owners/virsh"
chmod 600 "$a"
chmod 1777 "$M/v m"
mount --bind "$T/protected" /proc/sys/fs/protected_regular || framework_failure 'cannot mount'
PATH=$T/owners:$PATH hooked 0 freeze "$a"
same 'libvirt may open the overlay' 'root 600' "$(cat "$T/owner")"
guest 0 97 1M 64k
same 'QEMU has it' "$(stat -c %U "$a")" "$(stat -c %U "$overlay")"
hooked 0 thaw "$a"
at_rest 'a sticky directory'
same 'a sticky directory' 97 "$(pattern "$a" raw 1048576)"
chmod 755 "$M/v m"
PATH=$T/owners:$PATH hooked 0 freeze "$a"
same 'elsewhere it is as the image' "$(stat -c %U "$a") 600" "$(cat "$T/owner")"
hooked 0 thaw "$a"
umount /proc/sys/fs/protected_regular

# ---- names ----
for name in 'ends in a blank ' 'ends in=' '|* $(id)|'; do
  vs destroy lulltest
  odd="$M/v m/$name"
  mv "$a" "$odd"
  sed "s,'$a','$odd'," "$T/domain.xml" >"$T/odd.xml"
  check "start: $name" vs create "$T/odd.xml"
  hooked 0 freeze "$odd" "$b"
  guest 0 98 1M 64k
  hooked 0 thaw "$odd" "$b"
  silent
  same "$name: merged" 98 "$(pattern "$odd" raw 1048576)"
  hooked 0 freeze "$odd" "$b"
  guest 0 99 1M 64k
  check 'somebody else merges' vs blockcommit lulltest vda --active --shallow --wait --pivot
  hooked 0 thaw "$odd" "$b"
  hooked 0 freeze "$odd"
  guest 0 96 1M 64k
  vs destroy lulltest
  hooked 1 thaw "$odd"
  advised
  same "$name: the advice merges" 96 "$(pattern "$odd" raw 1048576)"
  hooked 0 thaw "$odd"
  silent
  mv "$odd" "$a"
done
start || framework_failure "no guest: $(cat "$T/start.out")"
at_rest 'names'

# ---- a file system that takes permissions and does not keep them ----
mkdir "$T/unkept"
printf '#!/bin/sh\n' >"$T/unkept/chmod"
chmod 755 "$T/unkept/chmod"
PATH=$T/unkept:$PATH hooked 1 freeze "$a"
says 'does not keep permissions'
at_rest 'permissions that are not kept'

# ---- the image has another name, and libvirt does not answer ----
hooked 0 freeze "$a"
mv "$a" "$a.new"
kill -STOP "$(cat /run/libvirt/libvirtd.test-pid)"
hooked 1 --timeout=1 thaw "$a.new"
says 'does not answer'
kill -CONT "$(cat /run/libvirt/libvirtd.test-pid)"
mv "$a.new" "$a"
hooked 0 thaw "$a"
at_rest 'renamed'

# ---- another call has thawed it in the same moment: its record is gone before it can be locked ----
cat >"$T/wrapped/stat" <<WRAPPER
#!/bin/sh
out=\$($(command -v stat) "\$@") || exit
case \$* in
  "-c %i -- $overlay")
    if rm "$T/beside" 2>/dev/null; then "$hook" --connect=qemu:///system thaw "$a"; fi ;;
esac
printf '%s\n' "\$out"
WRAPPER
chmod 755 "$T/wrapped/stat"
hooked 0 freeze "$a"
: >"$T/beside"
PATH=$T/wrapped:$PATH hooked 0 thaw "$a"
silent
check_not 'it came to that' test -e "$T/beside"
at_rest 'thawed beside'
rm "$T/wrapped/stat"

# ---- the file system of the overlay is full: the guest is paused, and goes on when it is merged ----
vs destroy lulltest
mkdir "$T/tiny"
mount -t tmpfs -o size=1m,mode=1777 tmpfs "$T/tiny" || framework_failure mount
# a boot sector that writes what is in memory from the second MiB of the disk on: INT 13h, 32 KiB at a time
python3 - "$a" <<'BOOT'
import sys
sector = bytearray(512)
code = bytes.fromhex("31c08ed8be307cb80043b280cd138306387c40813e387c007072ecf4ebfd")
sector[:len(code)] = code
sector[48:64] = bytes.fromhex("10004000008000000008000000000000")  # what to write, and where to
sector[510:] = bytes.fromhex("55aa")
with open(sys.argv[1], "r+b") as f:
    f.write(sector)
BOOT
state() { vs domstate --reason lulltest; }
until_paused() {
  local _
  for _ in $(seq 300); do
    [ "$(state)" != 'paused (I/O error)' ] || return 0
    sleep 0.1
  done
  bad "it is not paused: $(state)"
}
cat >"$T/wrapped/virsh" <<WRAPPER
#!/bin/sh
case "\$*" in *resume*) echo 'error: not now' >&2; exit 1 ;; esac
exec "$virsh" "\$@"
WRAPPER
for how in well cannot; do
  check 'a guest that waits' vs create --paused "$T/domain.xml"
  hooked 0 --sidecar-dir="$T/tiny" freeze "$a"
  vs resume lulltest
  until_paused
  if [ $how = cannot ]; then
    PATH=$T/wrapped:$PATH hooked 1 --sidecar-dir="$T/tiny" thaw "$a"
    says 'virsh resume'
    until_paused
  fi
  hooked 0 --sidecar-dir="$T/tiny" thaw "$a"
  says 'it goes on now'
  same "$how: the guest goes on" running "$(state | sed 's/ .*//')"
  at_rest "a full file system: $how"
  same "$how: nothing is left" '' "$(ls -A "$T/tiny")"
  vs destroy lulltest
done
umount "$T/tiny"
fs_unmount "$M"
finish
