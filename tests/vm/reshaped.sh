#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# lullcp-hook-qmp if somebody resizes the disk while it is redirected, copies the image into the sidecar, or
# starts a guest from the sidecar. No disk may get back an old size, and the printed commands must bring all
# of the disk back into the image.
. "$(dirname "$0")/../lib.sh"
fs_test
. "$(dirname "$0")/vm.sh"
. "$(dirname "$0")/guests.sh"
A=0f8fad5b-d9cb-469f-a165-70867728950e # of a run of lullcp

fs_mount xfs 1G
a=$M/a side=$M/.a.lullcp-sidecar

# guest FORMAT ARG...: with a as its disk, whose size may be changed, as a device allows
guest() {
  local format=$1
  shift
  rm -f "$T/device"
  nodes --blockdev "driver=$format,node-name=top,file.driver=file,file.filename=$a" \
    --export "type=vhost-user-blk,id=v,node-name=top,addr.type=unix,addr.path=$T/device,writable=on" "$@"
}
export_of() { # export_of NODE: to the client, which does not allow it
  asks "block-export-add={\"type\":\"nbd\",\"id\":\"e\",\"node-name\":\"$1\",\"name\":\"a\",\"writable\":true}" >"$T/out"
  check "export of $1" grep -qx '{}' "$T/out"
}
no_export() {
  asks 'block-export-del={"id":"e","mode":"hard"}' >"$T/out"
  for _ in $(seq 200); do
    case $(asks query-block-exports) in *'"e"'*) sleep 0.02 ;; *) return 0 ;; esac
  done
  bad 'the export does not go'
}
resized() { # resized NODE SIZE
  no_export
  asks "block_resize={\"node-name\":\"$1\",\"size\":$2}" >"$T/out"
  check "$1 is resized to $2" grep -qx '{}' "$T/out"
  export_of "$1"
}
disk_size() { qemu-img info -U --output=json -f "$1" "$2" | jq '."virtual-size"'; } # FORMAT IMAGE
streamed() { # streamed [ARGUMENTS]: the image goes into the sidecar
  asks "block-stream={\"job-id\":\"pull\",\"device\":\"$(overlay)\"${1:-}}" >"$T/out"
  check 'streamed' grep -qx '{}' "$T/out"
  until_no_job
}
begin() { # begin FORMAT: an image with something in it, frozen
  rm -f "$a" "$side"
  make_image "$a" "$1"
  guest "$1"
  put a 1 0
  put a 1 12M
  hook 0 'freeze' $A freeze "$a"
  put a 2 14M
}
over() { # over WHAT: nothing is left to do
  check_not "$1: the sidecar is gone" test -e "$side"
  hook 0 "$1: thaw once more" $A thaw "$a"
  silent
}

for format in raw qcow2; do
  note "a disk that shrinks, $format"
  begin $format
  sum=$(b2sum <"$a")
  resized "$(overlay)" 8388608
  put a 3 1M
  for _ in 1 2; do
    hook 1 'thaw of a smaller disk' $A thaw "$a"
    says 'was made smaller while it was frozen, from 16777216 to 8388608 bytes'
    frozen 'a smaller disk' "$a" "$sum"
  done
  told=$(sed -n "s/.*(block_resize of the node '\(.*\)' to \([0-9]*\)).*/\1 \2/p" "$T/err")
  # shellcheck disable=SC2086 # a node and a size
  resized $told
  hook 0 'thaw of a disk that has its size again' $A thaw "$a"
  not_redirected 'its size again' "$a"
  no_export
  qsd_end
  gets 'of before' 1 0 "$a" $format
  gets 'of when it was smaller' 3 1M "$a" $format
  gets 'what was cut off' 0 12M "$a" $format
  gets 'and was in the sidecar' 0 14M "$a" $format
  same 'its size' 16777216 "$(disk_size $format "$a")"

  note "and QEMU ends, $format"
  begin $format
  resized "$(overlay)" 8388608
  put a 3 1M
  killed
  hook 1 'thaw of a smaller disk without QEMU' $A thaw "$a"
  says 'the disk was made smaller while it was frozen'
  followed 'a smaller disk'
  same 'it is as small' 8388608 "$(disk_size $format "$a")"
  gets 'of before' 1 0 "$a" $format
  gets 'of when it was smaller' 3 1M "$a" $format
  over 'a smaller disk'

  note "a disk that grows, $format"
  begin $format
  resized "$(overlay)" 20971520
  put a 4 18M
  hook 0 'thaw of a larger disk' $A thaw "$a"
  not_redirected 'a larger disk' "$a"
  killed
  same 'it is as large' 20971520 "$(disk_size $format "$a")"
  gets 'at its end' 4 18M "$a" $format
  gets 'of before' 1 12M "$a" $format

  # nothing is in the sidecar but the new size
  rm -f "$a"
  make_image "$a" $format
  guest $format
  put a 1 0
  hook 0 'freeze' $A freeze "$a"
  resized "$(overlay)" 20971520
  killed
  guest $format
  hook 1 'thaw by a QEMU that has the old size' $A thaw "$a"
  says 'End that QEMU'
  check 'the sidecar is kept' test -s "$side"
  killed
  hook 1 'thaw without QEMU' $A thaw "$a"
  followed 'a larger disk'
  same 'it is as large, without data' 20971520 "$(disk_size $format "$a")"
  gets 'of before' 1 0 "$a" $format
  over 'a larger disk'

  note "the image is streamed into the sidecar, $format"
  begin $format
  streamed
  put a 5 2M
  hook 1 'thaw of a sidecar that is the disk' $A thaw "$a"
  says "this QEMU has '$side' open directly"
  says 'block-stream'
  hook 1 'freeze of it' $A freeze "$a"
  killed
  # whatever became of the image
  qemu-img convert -f qcow2 -O raw "$side" "$T/whole" || bad 'convert'
  hook 1 'thaw without QEMU' $A thaw "$a"
  followed 'streamed'
  qemu-img convert -f $format -O raw "$a" "$T/merged" || bad 'convert'
  check 'the disk is what it was' cmp "$T/whole" "$T/merged"
  gets 'of before' 1 12M "$a" $format
  gets 'of the freeze' 2 14M "$a" $format
  gets 'of after' 5 2M "$a" $format
  over 'streamed'

  # QEMU is killed when it has nothing of that in the tables of the file yet
  begin $format
  streamed
  killed
  hook 1 'thaw without QEMU' $A thaw "$a"
  followed 'just streamed'
  gets 'of before' 1 0 "$a" $format
  gets 'of before' 1 12M "$a" $format
  gets 'of the freeze' 2 14M "$a" $format
  over 'just streamed'

  # by an earlier version, which has not recorded the format
  begin $format
  streamed
  put a 5 2M
  killed
  state=$(getfattr --only-values -n user.lullcp.freeze "$side" 2>/dev/null)
  setfattr -n user.lullcp.freeze -v "${state% disk=*}" "$side"
  hook 1 'thaw of what has no format' $A thaw "$a"
  says 'The format of the image is recorded nowhere'
  check_not 'no commit' grep -q 'qemu-img commit' "$T/err"
  followed 'no format'
  gets 'as a raw file' 1 12M "$a.merged"
  gets 'as a raw file' 5 2M "$a.merged"
  check 'the sidecar is kept' test -s "$side"
  rm "$a.merged" "$side"

  # a guest was started from the image
  begin $format
  streamed
  killed
  sleep 0.1
  guest $format
  put a 6 0
  put a 6 4M
  killed
  hook 1 'thaw of an older one' $A thaw "$a"
  says 'do not commit'
  sum=$(b2sum <"$a")$(b2sum <"$side")
  followed 'an older one'
  same 'both are as they were' "$sum" "$(b2sum <"$a")$(b2sum <"$side")"
  gets 'what is in the sidecar' 2 14M "$a.merged" $format
  rm -f "$a.merged" "$side"
done

note 'somebody else merges the sidecar'
begin raw
asks "block-commit={\"job-id\":\"theirs\",\"device\":\"$(overlay)\"}" >"$T/out"
for _ in $(seq 200); do
  case $(asks query-jobs) in
    *ready*) asks 'job-complete={"id":"theirs"}' >"$T/out" ;;
    '[]') break ;;
  esac
  sleep 0.02
done
put a 6 0
# no job of this hook tells that all of it is in the image
hook 1 'thaw of what is merged' $A thaw "$a"
says 'merged by somebody else'
check 'the sidecar is kept' test -s "$side"
killed
hook 1 'thaw without QEMU' $A thaw "$a"
says 'do not commit'
gets 'the image is left alone' 6 0 "$a"
# what is told, to the letter: nothing is changed, and nothing is overwritten
for file in "$a.merged" "$a.merged.2" "$side.old"; do echo 'of a user' >"$file"; done
sums=$(b2sum "$a" "$side" "$a.merged" "$a.merged.2" "$side.old")
hook 1 'thaw without QEMU' $A thaw "$a"
followed 'merged by somebody else'
same 'nothing is changed' "$sums" "$(b2sum "$a" "$side" "$a.merged" "$a.merged.2" "$side.old")"
gets 'the disk with what is in it' 2 14M "$a.merged.3"
put_away=$(sed -n "s/.* restored, \(mv .*\) puts it away.*/\1/p" "$T/err")
check 'it is put away' eval "$put_away"
same 'nothing is overwritten' 'of a user' "$(cat "$side.old")"
check 'it is kept' test -s "$side.old.2"
over 'merged by somebody else'
gets 'the older write' 2 14M "$a"
gets 'the newer write' 6 0 "$a"
rm -f "$a".merged* "$side".old*

note 'the image is restored when a merge was cut off'
for how in 'another file' 'the same file' 'a new name'; do
  rm -f "$a" "$side"
  make_image "$a" raw
  cp "$a" "$M/backup"
  touch -d '1 hour ago' "$M/backup"
  nodes --blockdev "driver=raw,node-name=top,file.driver=file,file.filename=$a"
  hook 0 'freeze' $A freeze "$a"
  put a 2 0
  hook 1 'a thaw that has no time' $A --commit-timeout=1ms thaw "$a"
  killed
  sum=$(b2sum <"$M/backup")
  case $how in
    'another file') mv "$M/backup" "$a" ;;
    'the same file') cp --preserve=timestamps "$M/backup" "$a" ;;
    'a new name')
      rm "$a"
      mkdir "$M/restored"
      mv "$M/backup" "$M/restored/b"
      ln -s restored/b "$a"
      ;;
  esac
  hook 1 "restored, $how" $A thaw "$a"
  check_not "$how: no commit is told" grep -q 'qemu-img commit' "$T/err"
  followed "$how"
  frozen "$how: the image is left alone" "$a" "$sum"
  check "$how: the sidecar is put away" test -s "$side.old"
  hook 0 "$how: that is all" $A thaw "$a"
  rm -rf "$side.old" "$M/restored" "$M/backup"
done
rm -f "$a"

note 'streamed down to what is below the image'
rm -f "$a"
make_image "$M/base" raw
qemu-io -f raw -c 'write -P 9 0 16M' "$M/base" >/dev/null
qemu-img create -q -f qcow2 -b "$M/base" -F raw "$a"
sum=$(b2sum <"$M/base")
guest qcow2
put a 1 0
hook 0 'freeze' $A freeze "$a"
put a 2 1M
base=$(asks query-named-block-nodes | jq -r ".[] | select(.file == \"$M/base\" and .drv == \"raw\") | .\"node-name\"")
streamed ",\"base-node\":\"$base\""
put a 3 2M
hook 1 'thaw' $A thaw "$a"
killed
qemu-img convert -f qcow2 -O raw "$side" "$T/whole" || bad 'convert'
hook 1 'thaw without QEMU' $A thaw "$a"
followed 'streamed in part'
check 'the image is sound' qemu-img check -q -f qcow2 "$a"
qemu-img convert -f qcow2 -O raw "$a" "$T/merged" || bad 'convert'
check 'the disk is what it was' cmp "$T/whole" "$T/merged"
frozen 'what is below' "$M/base" "$sum"
over 'streamed in part'
rm -f "$a" "$M/base"

note 'a disk that is resized while it is being frozen'
make_image "$a" raw
guest raw --chardev "socket,id=m2,path=$T/monitor,server=on,wait=off" --monitor chardev=m2
put a 1 0
no_export
AGENT=$T/agent
MEANWHILE="python3 '$here/qmp.py' '$T/monitor' 'block_resize={\"node-name\":\"top\",\"size\":8388608}'" \
  python3 "$here/fake-agent.py" "$AGENT" meanwhile >"$T/agent.out" 2>"$T/agent.err" &
agent=$!
await "$AGENT"
hook 1 'freeze of a disk that shrinks' $A --quiesce --agent="$AGENT" freeze "$a"
says 'was resized during the freeze'
same 'its file systems are thawed' 1 "$(grep -c 'guest-fsfreeze-thaw' "$AGENT.log")"
not_redirected 'resized meanwhile' "$a"
same 'its size' 8388608 "$(stat -c %s "$a")"
kill $agent
wait $agent 2>/dev/null
hook 0 'another freeze' $A freeze "$a"
hook 0 'its thaw' $A thaw "$a"
same 'its size' 8388608 "$(stat -c %s "$a")"
qsd_end
rm -f "$a"

note 'a guest that was started from the sidecar, and locks nothing'
make_image "$a" raw
guest raw
put a 1 0
hook 0 'freeze' $A freeze "$a"
killed
nodes --blockdev "driver=qcow2,node-name=top,file.driver=file,file.locking=off,file.filename=$side,backing.driver=raw,backing.file.driver=file,backing.file.locking=off,backing.file.filename=$a"
hook 1 'thaw by its monitor' $A thaw "$a"
says "this QEMU has '$side' open directly"
put a 7 0
QMP=$T/nobody hook 1 'thaw without a monitor' $A thaw "$a"
says "'$side' is in use"
put a 8 1M
qsd_end
hook 1 'thaw without QEMU' $A thaw "$a"
followed 'it has ended'
gets 'what it wrote' 7 0 "$a"
gets 'what it wrote' 8 1M "$a"
over 'it has ended'

note 'a freeze that was killed when it made the sidecar'
made='v1 run=- source=%x:%d written=%s size=%020d state=between    disk=16777216 format=raw'
# shellcheck disable=SC2046 # words
made=$(printf "$made" $(stat -c '%d %i %.9Y %s' "$a"))
for how in empty marked half; do
  for running in '' running; do
    [ -z "$running" ] || qsd "a=$a=raw"
    : >"$side"
    [ $how = empty ] || setfattr -n user.lullcp.freeze -v "$made" "$side"
    [ $how != half ] || truncate -s 192K "$side"
    chmod +t "$side"
    # a guest goes on
    touch "$a"
    hook 0 "thaw, $how $running" - thaw "$a"
    check_not "$how $running: the sidecar is gone" test -e "$side"
    [ -z "$running" ] || qsd_end
  done
  # no longer than that: somebody has written to it
  [ $how = half ] || continue
  truncate -s 320K "$side"
  setfattr -n user.lullcp.freeze -v "$made" "$side"
  chmod +t "$side"
  hook 1 'thaw of a longer one' - thaw "$a"
  check 'it is kept' test -s "$side"
  rm "$side"
done
# where it may be killed
qsd "a=$a=raw"
strace -qq -o "$T/trace" -e trace=openat,fsetxattr,pwrite64 "$HOOK" --socket="$QMP" freeze "$a" 2>"$T/err" || bad 'freeze'
same 'it says whose it is before it has contents' 'fsetxattr' \
  "$(sed -n "/lullcp-sidecar\".*O_CREAT/,\$p" "$T/trace" | grep -oE '^(fsetxattr|pwrite64)' | head -n 1)"
hook 0 'thaw' - thaw "$a"
qsd_end

note 'one of two images is not there'
make_image "$M/b" raw
qsd "a=$a=raw" "b=$M/b=raw"
hook 0 'freeze' $A freeze "$a" "$M/b"
put a 10 0
put b 11 0
mv "$a" "$M/away"
hook 1 'thaw of both' $A thaw "$a" "$M/b"
says "cannot stat '$a'"
check 'the sidecar of that is kept' test -s "$side"
check_not 'the other one is thawed' test -e "$(sidecar "$M/b")"
gets 'the other one' 11 0 "$M/b"
mv "$M/away" "$a"
hook 0 'thaw again' $A thaw "$a" "$M/b" "$a"
not_redirected 'one of two' "$a" "$M/b"
gets 'that one' 10 0 "$a"

note 'one of two images is written to by others'
hook 0 'freeze' $A freeze "$a" "$M/b"
put a 12 0
put b 13 0
for n in 1 2; do
  asks "blockdev-add={\"driver\":\"file\",\"node-name\":\"w$n\",\"filename\":\"$M/b\",\"locking\":\"off\"}" \
    "block-export-add={\"type\":\"nbd\",\"id\":\"w$n\",\"node-name\":\"w$n\",\"name\":\"w$n\",\"writable\":true}" >"$T/out"
  same "writer $n" '{} {}' "$(tr '\n' ' ' <"$T/out" | sed 's/ $//')"
done
hook 1 'thaw of both' $A thaw "$M/b" "$a"
says "'$M/b' is used by several block nodes at once"
check 'its sidecar is kept' test -s "$(sidecar "$M/b")"
check_not 'the other one is thawed' test -e "$side"
gets 'the other one' 12 0 "$a"
asks 'block-export-del={"id":"w1","mode":"hard"}' 'block-export-del={"id":"w2","mode":"hard"}' >"$T/out"
for _ in $(seq 200); do
  [[ $(asks query-block-exports) != *'"w'[12]'"'* ]] || { sleep 0.02; continue; }
  break
done
asks 'blockdev-del={"node-name":"w1"}' 'blockdev-del={"node-name":"w2"}' >"$T/out"
hook 0 'thaw again' $A thaw "$M/b" "$a"
not_redirected 'one of two' "$a" "$M/b"
gets 'that one' 13 0 "$M/b"
qsd_end

note 'the file system of the sidecar is full'
rm -f "$a" "$T/acked"
make_image "$a" raw
mkdir "$M/side"
mount -t tmpfs -o size=3m tmpfs "$M/side" || cannot_run 'cannot mount'
qsd "a=$a=raw"
writer a
hook 0 'freeze' $A --sidecar-dir="$M/side" freeze "$a"
wait "$writer"
same 'the guest hears of it' 3 $?
hook 0 'thaw' $A --sidecar-dir="$M/side" thaw "$a"
not_redirected 'a full file system' "$a"
same 'no sidecar' '' "$(ls -A "$M/side")"
qsd_end
holds 'a full file system' "$(acked)" "$(begun)" raw "$a"
umount "$M/side"
rm -f "$a"
make_image "$a" raw

note 'two names of one image'
ln "$a" "$M/link"
qsd "a=$a=raw"
hook 1 'freeze of both' $A freeze "$a" "$M/link"
says "'$M/link' is given twice"
hook 0 'thaw of both' $A thaw "$a" "$M/link"
not_redirected 'two names' "$a" "$M/link"
rm "$M/link"
qsd_end

note 'a disk that only reads, which somebody else writes to'
qemu-storage-daemon --nbd-server "addr.type=unix,addr.path=$T/nbd" \
  --chardev "socket,id=m,path=$T/reader,server=on,wait=off" --monitor chardev=m \
  --blockdev "driver=raw,node-name=top,read-only=on,file.driver=file,file.filename=$a,file.locking=off" \
  --export type=nbd,id=e,node-name=top,name=a >"$T/qsd.log" 2>&1 &
qsd=$!
await "$T/reader"
QMP=$T/reader
hook 0 'freeze of what only reads' $A freeze "$a"
check_not 'nothing is redirected' test -e "$side"
hook 0 'thaw' $A thaw "$a"
holder 9 "$a" sleep 1000
other=$holder
hook 1 'freeze where another one writes' $A freeze "$a"
says "is open for writing in process $other (sleep) as well"
kill "$other"
wait "$other" 2>/dev/null
kill "$qsd"
wait "$qsd" 2>/dev/null
fs_unmount "$M"
finish
