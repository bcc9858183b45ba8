#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# lullcp-hook-qmp: which run's freeze a thaw ends, what a freeze refuses because a thaw could not merge
# it, and what is left to people: the printed commands are run to the letter.
. "$(dirname "$0")/../lib.sh"
fs_test
. "$(dirname "$0")/vm.sh"
. "$(dirname "$0")/guests.sh"
# of two runs of lullcp
A=0f8fad5b-d9cb-469f-a165-70867728950e B=7c9e6679-7425-40de-944b-e07fc1f90ae7

fs_mount xfs 1G

note 'whose freeze it is'
make_image "$M/a" raw
make_image "$M/b" raw
qsd "a=$M/a=raw" "b=$M/b=raw"
put a 1 0
hook 0 'B freezes' $B freeze "$M/a"
sum=$(b2sum <"$M/a")
put a 2 0
hook 1 'A cannot freeze what B has frozen' $A freeze "$M/a" "$M/b"
says "'$M/a' is frozen by another run of lullcp ($B)"
check_not 'nothing is redirected' test -e "$(sidecar "$M/b")"
hook 0 'the thaw of A' $A thaw "$M/a" "$M/b"
says "'$M/a' is frozen by another run of lullcp ($B)"
check 'the sidecar of B is there' test -s "$(sidecar "$M/a")"
put a 3 0
frozen 'B holds a frozen' "$M/a" "$sum"
hook 0 'B freezes again' $B freeze "$M/a"
hook 0 'the thaw of B' $B thaw "$M/a"
gets 'merged' 3 0 "$M/a"
not_redirected 'of B' "$M/a" "$M/b"
hook 0 'A freezes now' $A freeze "$M/a" "$M/b"
hook 1 'by hand it cannot be frozen' - freeze "$M/a" "$M/b"
hook 0 'by hand anything is thawed' - thaw "$M/a" "$M/b"
says "run of lullcp ($A)"
not_redirected 'by hand' "$M/a" "$M/b"
hook 0 'frozen by hand' - freeze "$M/a"
hook 1 'A cannot freeze what a person has frozen' $A freeze "$M/a"
says "'$M/a' is frozen by hand"
hook 0 'the thaw of A' $A thaw "$M/a"
check 'the sidecar is there' test -s "$(sidecar "$M/a")"
hook 0 'thawed by hand' - thaw "$M/a"
not_redirected 'by hand' "$M/a" "$M/b"

# runs of lullcp, one of them with a freeze that it keeps
held=$T/held
cat >"$T/slow" <<END
#!/bin/sh
"$HOOK" --socket="$QMP" "\$@" || exit
[ "\$1" = thaw ] || { : >"$held"; while [ -e "$held" ]; do sleep 0.02; done; }
END
chmod +x "$T/slow"
by_hook="$HOOK --socket=$QMP"
"$LULLCP" --hook="$T/slow" "$M/a" "$M/first" 2>"$T/first.err" &
first=$!
await "$held"
put a 4 0
mkdir "$M/second"
expect 11 --hook="$by_hook" "$M/a" "$M/b" "$M/second"
same 'nothing is left of it' '' "$(ls -A "$M/second")"
expect 11 --hook="$by_hook" "$M/a" "$M/third"
says "another lullcp"
says "$M/a"
check_not 'nothing is published' test -e "$M/third"
"$LULLCP" --hook="$by_hook" --lock-wait=20s "$M/a" "$M/third" 2>"$T/third.err" &
third=$!
sleep 0.2
rm "$held"
wait $first
same 'the first run' 0 $?
wait $third
same 'the one that waits' 0 $?
gets 'the first clone' 3 0 "$M/first"
gets 'the third clone' 4 0 "$M/third"
rm "$M/first" "$M/third"
not_redirected 'two runs' "$M/a" "$M/b"
no_leftovers "$M"

# killed, and its keeper: what it has frozen waits for its own --recover
"$LULLCP" --hook="$T/slow" "$M/a" "$M/first" 2>"$T/first.err" &
first=$!
await "$held"
# shellcheck disable=SC2046 # a list
kill -KILL $first $(pgrep -P $first)
wait $first 2>/dev/null
rm -f "$held"
put a 5 0
expect 5 --hook="$by_hook" "$M/a" "$M/third"
check 'frozen yet' test -s "$(sidecar "$M/a")"
expect 0 --recover "$M/first"
not_redirected 'recovered' "$M/a"
expect 0 --hook="$by_hook" "$M/a" "$M/third"
gets 'the clone' 5 0 "$M/third"
rm -f "$M/third"
# a lock that another program has is none of lullcp's business
exec 8<"$M/a"
check 'lock' flock -n 8
expect 0 --hook="$by_hook" "$M/a" "$M/third" 8<&-
exec 8<&-
qsd_end

rm -rf "${M:?}"/*
make_image "$M/a" raw
make_image "$M/b" raw
file=(--blockdev "driver=raw,node-name=a,file.driver=file,file.filename=$M/a")
target=(--blockdev "driver=raw,node-name=b,file.driver=file,file.filename=$M/b")
backup='blockdev-backup={"job-id":"nightly","device":"%s","target":"b","sync":"full","speed":1}'

note 'what is above the image'
for above in throttle,throttle-group=t copy-on-read preallocate; do
  nodes --object throttle-group,id=t,x-bps-total=1000000000 "${file[@]}" \
    --blockdev "driver=$above,node-name=top,file=a"
  put a 1 0
  hook 0 "freeze below $above" $A freeze "$M/a"
  sum=$(b2sum <"$M/a")
  put a 2 0
  frozen "below $above" "$M/a" "$sum"
  hook 0 "thaw below $above" $A thaw "$M/a"
  not_redirected "below $above" "$M/a"
  gets "below $above" 2 0 "$M/a"
  qsd_end
done
nodes "${file[@]}" "${target[@]}" --blockdev driver=copy-before-write,node-name=top,file=a,target=b
hook 1 'freeze below copy-before-write' $A freeze "$M/a"
says copy-before-write
hook 0 'the thaw after it' $A thaw "$M/a"
not_redirected 'below copy-before-write' "$M/a"
qsd_end
file=(--blockdev "driver=raw,node-name=top,file.driver=file,file.filename=$M/a")
nodes "${file[@]}" "${target[@]}"
# shellcheck disable=SC2059 # a format
asks "$(printf "$backup" top)" >"$T/out"
hook 1 'freeze beside a backup' $A freeze "$M/a"
says "'nightly'"
hook 0 'the thaw after it' $A thaw "$M/a"
same 'nothing is redirected' '' "$(overlay)"
asks 'block-job-cancel={"device":"nightly"}' >"$T/out"
until_no_job
hook 0 'freeze after the backup' $A freeze "$M/a"
sum=$(b2sum <"$M/a")
put a 3 0
# shellcheck disable=SC2059
asks "$(printf "$backup" "$(overlay)")" >"$T/out"
hook 1 'thaw beside a backup' $A thaw "$M/a"
says "'nightly'"
says 'nothing is lost'
frozen 'beside a backup' "$M/a" "$sum"
asks 'block-job-cancel={"device":"nightly"}' >"$T/out"
until_no_job
hook 0 'thaw after the backup' $A thaw "$M/a"
gets 'after the backup' 3 0 "$M/a"
not_redirected 'after the backup' "$M/a"
hook 0 'freeze' $A freeze "$M/a"
put a 4 0
asks "blockdev-snapshot-sync={\"node-name\":\"$(overlay)\",\"snapshot-file\":\"$M/above\",\"snapshot-node-name\":\"above\"}" >"$T/out"
put a 5 64k
hook 0 'thaw below a snapshot' $A thaw "$M/a"
not_redirected 'below a snapshot' "$M/a"
gets 'merged below a snapshot' 4 0 "$M/a"
gets 'not what is above it' 0 64k "$M/a"
qsd_end
gets 'what is above it' 5 64k "$M/above" qcow2
gets 'and below' 4 0 "$M/above" qcow2
rm "$M/above"

for part in offset=1048576 size=2097152 offset=1048576,size=2097152; do
  nodes --blockdev "driver=raw,node-name=top,$part,file.driver=file,file.filename=$M/a"
  sum=$(b2sum <"$M/a")
  hook 1 "freeze of a part ($part)" $A freeze "$M/a"
  says 'only a part of it'
  hook 0 'the thaw after it' $A thaw "$M/a"
  not_redirected "a part ($part)" "$M/a"
  frozen "a part ($part)" "$M/a" "$sum"
  qsd_end
done

note 'what a merge would drop'
nodes "${file[@]}"
hook 0 'freeze' $A freeze "$M/a"
sum=$(b2sum <"$M/a")
put a 16 0
asks "block-dirty-bitmap-add={\"node\":\"$(overlay)\",\"name\":\"backed up\",\"persistent\":true}" >"$T/out"
hook 1 'thaw with a bitmap' $A thaw "$M/a"
says "the persistent bitmap 'backed up'"
frozen 'a bitmap' "$M/a" "$sum"
asks "block-dirty-bitmap-remove={\"node\":\"$(overlay)\",\"name\":\"backed up\"}" >"$T/out"
asks "blockdev-snapshot-internal-sync={\"device\":\"$(overlay)\",\"name\":\"before\"}" >"$T/out"
check 'a snapshot' grep -qx '{}' "$T/out"
hook 1 'thaw with a snapshot' $A thaw "$M/a"
says "the internal snapshot 'before'"
hook 0 'freeze again' $A freeze "$M/a"
asks "blockdev-snapshot-delete-internal-sync={\"device\":\"$(overlay)\",\"name\":\"before\"}" >"$T/out"
put a 17 0
# during the merge
LULLCP_RUN_ID=$A "$HOOK" --socket="$QMP" --commit-timeout=1ms thaw "$M/a" 2>"$T/err"
asks "block-dirty-bitmap-add={\"node\":\"$(overlay)\",\"name\":\"late\",\"persistent\":true}" >"$T/out"
if grep -qx '{}' "$T/out"; then
  hook 1 'thaw with a bitmap made during the merge' $A thaw "$M/a"
  says "the persistent bitmap 'late'"
  asks "block-dirty-bitmap-remove={\"node\":\"$(overlay)\",\"name\":\"late\"}" >"$T/out"
fi
hook 0 'thaw' $A thaw "$M/a"
not_redirected 'what was dropped' "$M/a"
gets 'merged' 17 0 "$M/a"
qsd_end

note 'merged, and what comes after'
nodes "${file[@]}"
hook 0 'freeze' $A freeze "$M/a"
for at in 1 2 3 4 5 6 7; do put a 6 ${at}M; done
LULLCP_RUN_ID=$A "$HOOK" --socket="$QMP" --commit-timeout=1ms thaw "$M/a" 2>"$T/err"
asks "block-export-add={\"type\":\"nbd\",\"id\":\"e2\",\"node-name\":\"$(overlay)\",\"name\":\"late\",\"writable\":true}" >"$T/out"
check 'an export comes during the merge' grep -qx '{}' "$T/out"
hook 0 'the merge ends' $A thaw "$M/a"
not_redirected 'with another export' "$M/a"
gets 'merged' 6 7M "$M/a"
put late 7 7M
gets 'the export has moved' 7 7M "$M/a"
# a sidecar that cannot be removed, whose contents are in the image, and older than that
mkdir -p "$M/side"
at_side=("--sidecar-dir=$M/side")
hook 0 'freeze' $A "${at_side[@]}" freeze "$M/a"
put a 8 0
chattr +i "$M/side"
hook 1 'merged and not removed' $A "${at_side[@]}" thaw "$M/a"
says 'cannot be removed'
put a 9 0
kill -KILL "$qsd"
wait "$qsd" 2>/dev/null
chattr -i "$M/side"
hook 0 'it may go' $A "${at_side[@]}" thaw "$M/a"
same 'gone' '' "$(ls -A "$M/side")"
gets 'the image is newer' 9 0 "$M/a"

note 'what is printed when QEMU is gone'
side=$(sidecar "$M/a")
rm -rf "${SOCKETS:?}"
nodes "${file[@]}"
hook 0 'freeze' $A freeze "$M/a"
put a 10 0
killed
hook 1 'thaw without QEMU' $A thaw "$M/a"
followed 'killed'
check_not 'the sidecar is gone' test -e "$side"
gets 'what was in the sidecar' 10 0 "$M/a"
hook 0 'thaw once more' $A thaw "$M/a"
# started again from the image
nodes "${file[@]}"
hook 0 'freeze' $A freeze "$M/a"
put a 11 0
put a 11 64k
killed
nodes "${file[@]}"
hook 1 'thaw with a QEMU that does not use it' $A thaw "$M/a"
says "End that QEMU"
put a 12 0
hook 1 'freeze with a QEMU that does not use it' $B freeze "$M/a"
killed
hook 1 'the image is newer' $A thaw "$M/a"
says 'do not commit'
check_not 'no commit is told' grep -q 'qemu-img commit' "$T/err"
sum=$(b2sum <"$M/a")
followed 'newer'
frozen 'the image is left as it is' "$M/a" "$sum"
check 'the sidecar as well' test -s "$side"
gets 'as it would be merged' 11 0 "$M/a.merged"
gets 'as it would be merged' 11 64k "$M/a.merged"
gets 'as it is' 12 0 "$M/a"
rm "$M/a.merged" "$side"
hook 0 'removed by hand' $A thaw "$M/a"
# killed during the merge, which takes its time
half_merged() { # half_merged BYTE: frozen, written to, and the thaw at work, in $pid
  local at sum
  hook 0 'freeze' $A freeze "$M/a"
  for at in 0 1M 2M 3M; do put a "$1" $at; done
  LULLCP_RUN_ID=$A "$HOOK" --socket="$QMP" thaw "$M/a" 2>"$T/err" &
  pid=$!
  sum=$(b2sum <"$M/a")
  for _ in $(seq 500); do
    [ "$(b2sum <"$M/a")" = "$sum" ] || break
    sleep 0.02
  done
}
slow=(--object "throttle-group,id=t,x-bps-write=100000" --blockdev "driver=file,node-name=f,filename=$M/a"
  --blockdev "driver=throttle,node-name=s,throttle-group=t,file=f" --blockdev "driver=raw,node-name=top,file=s")
nodes "${slow[@]}"
half_merged 13
killed
wait $pid
same 'the merge is cut off' 1 $?
followed 'cut off'
for at in 0 1M 2M 3M; do gets 'cut off' 13 $at "$M/a"; done
check_not 'the sidecar is gone' test -e "$side"

# and nobody saw when
nodes "${slow[@]}"
half_merged 18
kill -KILL $pid
wait $pid 2>/dev/null
killed
hook 1 'thaw after a merge that nobody saw end' $A thaw "$M/a"
says "If no guest was: qemu-img commit '$side' && rm '$side'."
sum=$(b2sum <"$M/a")
followed 'nobody saw'
frozen 'nobody saw' "$M/a" "$sum"
for at in 0 1M 2M 3M; do gets 'nobody saw' 18 $at "$M/a.merged"; done
check 'no guest was' qemu-img commit -q "$side"
for at in 0 1M 2M 3M; do gets 'nobody saw' 18 $at "$M/a"; done
rm "$side" "$M/a.merged"

# a sidecar elsewhere, and a thaw that is not told where
nodes "${file[@]}"
hook 0 'freeze' $A "${at_side[@]}" freeze "$M/a"
same 'a link leads to it' "$M/side" "$(dirname "$(readlink "$side")")"
put a 19 0
put a 19 1M
killed
hook 1 'not told where' $A thaw "$M/a"
# where its file system is not mounted
mv "$M/side" "$M/away"
hook 1 'nothing to be seen' $A thaw "$M/a"
says 'which is not there'
nodes "${file[@]}"
hook 1 'no freeze before' $A freeze "$M/a"
hook 1 'nor elsewhere' $A --sidecar-dir="$M" freeze "$M/a"
killed
mv "$M/away" "$M/side"
hook 1 'there again' $A thaw "$M/a"
followed 'elsewhere'
for at in 0 1M; do gets 'elsewhere' 19 $at "$M/a"; done
check_not 'the link is gone' test -L "$side"
hook 0 'nothing is left' $A thaw "$M/a"
# merged by QEMU
nodes "${file[@]}"
hook 0 'freeze' $A "${at_side[@]}" freeze "$M/a"
put a 20 0
there=$(readlink "$side")
LULLCP_RUN_ID=$A strace -qq -o "$T/trace" -e trace=unlink,fsync "$HOOK" --socket="$QMP" thaw "$M/a" \
  2>"$T/err" || bad 'thaw'
# the sidecar by its directory, which is held meanwhile
same 'the link goes first, and is gone for good' "unlink $side fsync unlink ${there##*/}" \
  "$(sed -nE 's/^(unlink)\("([^"]*)".*/\1 \2/p; s/^(fsync)\(.*/\1/p' "$T/trace" |
    sed 's,/proc/self/fd/[0-9]*/,,' | sed -n '/^unlink/,$p' | head -3 | tr '\n' ' ' | sed 's/ $//')"
gets 'merged' 20 0 "$M/a"
check_not 'the link is gone' test -L "$side"
same 'and the sidecar' '' "$(ls -A "$M/side")"
# a link that somebody else has planted leads nowhere
hook 0 'freeze' $A "${at_side[@]}" freeze "$M/a"
put a 21 0
killed
rm "$side"
ln -s "$(echo "$M"/side/.*)" "$side"
chown -h 12345 "$side"
hook 1 'a planted link' $A thaw "$M/a"
says 'is not one; it is kept'
chown -h 0 "$side"
hook 1 'and a link of our own' $A thaw "$M/a"
followed 'a link of our own'
gets 'a link of our own' 21 0 "$M/a"

# one that leads to a file of another kind of name is none, whatever that holds
victim=$M/victim
printf secret >"$victim"
ln -s "$victim" "$side"
hook 1 'a link to a file of root' $A thaw "$M/a"
same 'it is left alone' secret "$(cat "$victim")"
rm "$side"
# and neither is what somebody else has put there
chmod 1777 "$M"
setpriv --reuid=12345 --regid=12345 --clear-groups bash -c "
  qemu-img create -q -f qcow2 -u -b '$M/a' -F raw '$M/.zz.lullcp-sidecar' 16M
  qemu-io -f qcow2 -c 'write -P 66 0 64k' '$M/.zz.lullcp-sidecar' >'$T/out' 2>&1
  setfattr -n user.lullcp.freeze -v 'v1 run=- source=$(stat -c %d:%i "$M/a") written=$(stat -c %.9Y "$M/a") size=$(stat -c %s "$M/a") state=frozen    ' '$M/.zz.lullcp-sidecar'"
check 'it was planted' test -s "$M/.zz.lullcp-sidecar"
hook 0 'a sidecar of another user' $A thaw "$M/a"
silent
rm "$M/.zz.lullcp-sidecar"
chmod 755 "$M"

note 'a job that was not ended by the hook'
qsd "a=$M/a=raw"
hook 0 'freeze' $A freeze "$M/a"
put a 22 0
a_job_is() { asks query-jobs | grep -q "\"$1\""; }
no_overlay() { [ -z "$(overlay)" ]; }
hook 1 'a thaw that has no time' $A --commit-timeout=1ms thaw "$M/a"
soon a_job_is ready
asks "block-job-cancel={\"device\":\"$(overlay)\"}" >"$T/out"
soon a_job_is concluded
put a 23 0
asks 'block-export-del={"id":"e-a"}' >"$T/out"
soon no_overlay
hook 1 'whether it was merged nobody knows' $A thaw "$M/a"
says 'is not known'
check 'the only copy of a write is kept' test -s "$(sidecar "$M/a")"
killed
hook 1 'without QEMU' $A thaw "$M/a"
# the advice leaves it to people, who know that no guest was started since
followed 'a cancelled merge'
gets 'a cancelled merge: the last write' 23 0 "$M/a"
check_not 'a cancelled merge: the sidecar is gone' test -e "$(sidecar "$M/a")"

note 'formats on top of each other, and data elsewhere'
make_image "$M/n" qcow2
for blockdev in "driver=qcow2,node-name=top,file.driver=raw,file.file.driver=file,file.file.filename=$M/n" \
  "driver=raw,node-name=top,file.driver=qcow2,file.file.driver=file,file.file.filename=$M/n"; do
  nodes --blockdev "$blockdev"
  hook 1 "freeze of $blockdev" $A freeze "$M/n"
  says 'is of another format and uses'
  hook 0 'the thaw after it' $A thaw "$M/n"
  not_redirected "$blockdev" "$M/n"
  qsd_end
done
qemu-img create -q -f qcow2 -o "data_file=$M/m.data" "$M/m" 16M
nodes --blockdev "driver=qcow2,node-name=top,file.driver=file,file.filename=$M/m"
for of in m m.data; do
  hook 1 "freeze of $of" $A freeze "$M/$of"
  says 'one of two files of a disk'
  hook 0 'the thaw after it' $A thaw "$M/$of"
  not_redirected "$of" "$M/$of"
done
qsd_end

note 'looking at a disk does not change it'
make_image "$M/l" raw
qsd "a=$M/l=raw"
hook 0 'freeze' $A freeze "$M/l"
put a 24 0
hook 1 'a thaw that has no time' $A --commit-timeout=1ms thaw "$M/l"
killed
mv "$M/l" "$M/renamed, it is"
sleep 1
qemu-io -f raw -c 'write -P 25 64k 64k' "$M/renamed, it is" >"$T/out" 2>&1
for _ in 1 2; do
  rm -f "$M/renamed, it is.merged"
  hook 1 'thaw of what a guest wrote to' $A thaw "$M/renamed, it is"
  says 'do not commit it'
  sum=$(b2sum <"$(sidecar "$M/l")")
  look=$(sed -n 's/.* without changing either, run: //p' "$T/err")
  eval "$look" 2>"$T/err" || bad "cannot look: $look"
  gets 'what is in the sidecar' 24 0 "$M/renamed, it is.merged"
  gets 'over what is in the image' 25 64k "$M/renamed, it is.merged"
  frozen 'the sidecar is as it was' "$(sidecar "$M/l")" "$sum"
done
rm "$(sidecar "$M/l")" "$M/renamed, it is"*

note 'the same inode number on two file systems'
one=$M
fs_mount xfs 400M
two=$M M=$one
rm -f "$one"/same.* "$two"/same.*
for _ in $(seq 200); do
  : >"$one/same.$RANDOM"
  : >"$two/same.$RANDOM"
  pair=$(join <(stat -c '%i %n' "$one"/same.* | sort) <(stat -c '%i %n' "$two"/same.* | sort) | head -1)
  [ ! "$pair" ] || break
done
[ "$pair" ] || framework_failure 'no inode number comes twice'
read -r _ x y <<<"$pair"
make_image "$x" raw
make_image "$y" raw
mkdir "$one/common"
qsd "a=$x=raw"
hook 0 'freeze' $A --sidecar-dir="$one/common" freeze "$x"
put a 26 0
hook 0 'the other one has no sidecar' $B --sidecar-dir="$one/common" thaw "$y"
killed
hook 0 'nor without a QEMU' $B --sidecar-dir="$one/common" thaw "$y"
silent
hook 1 'this one has' $A --sidecar-dir="$one/common" thaw "$x"
followed 'the same inode number'
gets 'the same inode number' 26 0 "$x"
rm -f "$one"/same.* "$two"/same.*
fs_unmount "$two"

note 'found again'
nodes "${file[@]}"
ln -s "$M/a" "$M/link"
hook 0 'freeze by a link' $A freeze "$M/link"
put a 20 0
hook 0 'thaw by a link' $A thaw "$M/link"
not_redirected 'by a link' "$M/a"
gets 'by a link' 20 0 "$M/a"
hook 0 'freeze' $A "${at_side[@]}" freeze "$M/a"
put a 21 0
hook 0 'thaw without the directory' $A thaw "$M/a"
not_redirected 'without the directory' "$M/a"
same 'without the directory' '' "$(ls -A "$M/side")"
gets 'without the directory' 21 0 "$M/a"
hook 0 'freeze' $A freeze "$M/a"
put a 22 0
mv "$M/a" "$M/moved"
hook 1 'a freeze of the new name by another' $B freeze "$M/moved"
hook 1 'thaw by another name' $A thaw "$M/moved"
says "'$M/moved' was '$M/a' when it was frozen"
ln "$M/moved" "$M/a"
hook 0 'thaw by the name of before' $A thaw "$M/a"
not_redirected 'by another name' "$M/a" "$M/moved"
gets 'by another name' 22 0 "$M/moved"
rm "$M/moved"
for how in moved elsewhere; do
  hook 0 'freeze' $A freeze "$M/a"
  put a 23 0
  killed
  if [ $how = moved ]; then
    mv "$M/a" "$M/moved"
    hook 1 "$how, thaw without QEMU" $A thaw "$M/moved"
  else
    mv "$M/a" "$M/moved"
    mv "$M/moved" "$M/a"
    hook 1 "$how, thaw without QEMU" $A "${at_side[@]}" thaw "$M/a"
  fi
  followed "$how"
  [ $how != moved ] || mv "$M/moved" "$M/a"
  gets "$how" 23 0 "$M/a"
  check_not "$how: the sidecar is gone" test -e "$side"
  qemu-io -f raw -c 'write -P 0 0 64k' "$M/a" >/dev/null
  [ $how != moved ] || nodes "${file[@]}"
done

note 'names'
mkdir -p "$M/disks/disks"
name="disks/it's a disk.img"
for format in raw qcow2; do
  make_image "$M/$name" $format
  make_image "$M/disks/$name" $format
  sum=$(b2sum <"$M/disks/$name")
  for below in '' throttle; do
    case $below in
      '') set -- "driver=$format,node-name=top,file.driver=file,file.filename=$name" ;;
      *) set -- "driver=$format,node-name=top,file.driver=throttle,file.throttle-group=t,file.file.driver=file,file.file.filename=$name" ;;
    esac
    nodes --object throttle-group,id=t,x-bps-total=1000000000 --blockdev "$1"
    what="$format $below"
    put a 14 0
    hook 0 "$what: freeze" $A freeze "$M/$name"
    put a 15 0
    side=$(sidecar "$M/$name")
    same "$what: the name of the image" "$M/$name" "$(qemu-img info -U --output=json "$side" | jq -r '."backing-filename"')"
    same "$what: its format" $format "$(qemu-img info -U --output=json "$side" | jq -r '."backing-filename-format"')"
    killed
    gets "$what: the image" 14 0 "$M/$name" $format
    hook 1 "$what: thaw" $A thaw "$M/$name"
    followed "$what"
    gets "$what: merged" 15 0 "$M/$name" $format
    check_not "$what: the sidecar is gone" test -e "$side"
    frozen "$what: another file" "$M/disks/$name" "$sum"
  done
done
qemu-img check -q -f qcow2 "$M/$name" || bad 'the image is not sound'
fs_unmount "$M"
finish
