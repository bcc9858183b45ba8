#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The examples of the documents work as described. Each line of [test documents] in
# tests/documents/commands is run to the letter, but with other paths, against a real QEMU, libvirt,
# restic and borg. The other machine behind ssh is this one.
. "$(dirname "$0")/../lib.sh"
fs_test
here=$(cd "$(dirname "$0")/.." && pwd)
. "$here/vm/vm.sh"
. "$here/vm/libvirtd.sh"
vs destroy lulltest >/dev/null
fs_unmount "$M"
for program in restic borg losetup sfdisk mkfs.ext4 setpriv prlimit; do
  command -v $program >/dev/null || cannot_run "needs $program"
done
export RESTIC_PASSWORD=secret BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK=yes HOME=$T

mkdir -p "$T/bin"
ln -sf "$LULLCP" "$T/bin/lullcp"
ln -s "$HOOK" "$T/bin/lullcp-hook-qmp"
ln -s "$HOOK_LIBVIRT" "$T/bin/lullcp-hook-libvirt"
printf '#!/bin/sh\n[ "$1" != -t ] || shift\nshift\nexec "$@"\n' >"$T/bin/ssh"
chmod +x "$T/bin/ssh"
chmod 755 "$T"
PATH=$T/bin:$PATH

commands=$(sed '1,/^\[test documents\]/d; /^\[/,$d' "$here/documents/commands")
check "examples: $(wc -l <<<"$commands")" test "$(wc -l <<<"$commands")" -ge 30

domain() { # domain IMAGE...: a guest of libvirt that has them
  local image letter=a disks=''
  for image in "$@"; do
    disks="$disks<disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='$image'/>
      <target dev='vd$letter' bus='virtio'/></disk>"
    letter=b
  done
  cat >"$T/domain.xml" <<XML
<domain type='qemu'>
  <name>lulltest</name> <memory unit='MiB'>64</memory> <vcpu>1</vcpu>
  <os> <type arch='x86_64' machine='pc'>hvm</type> </os>
  <devices> <emulator>/usr/bin/qemu-system-x86_64</emulator> $disks </devices>
</domain>
XML
  vs create "$T/domain.xml" >"$T/start.out" 2>&1 || cannot_run "no guest: $(cat "$T/start.out")"
}
# A kernel may be built without partitions, so they are cut out here.
partition() { # partition N IMAGE [OPTION...]: a loop device of it, in $loop
  local at=(0 2048 616448) size=(0 614400 40960) n=$1 image=$2
  shift 2
  loop=$(losetup --find --show --offset $((at[n] * 512)) --sizelimit $((size[n] * 512)) "$@" "$image") ||
    framework_failure losetup
}
make_web() { # with an XFS in its first partition, an ext4 in the second, and 2000 extents behind
  rm -f "$V/web.img"
  truncate -s 360M "$V/web.img"
  printf '%s\n' 'start=2048,size=614400' 'start=616448,size=40960' |
    sfdisk -q "$V/web.img" || framework_failure sfdisk
  partition 1 "$V/web.img"
  mkfs.xfs -q "$loop" >"$T/out" 2>&1 || framework_failure "mkfs.xfs: $(cat "$T/out")"
  losetup -d "$loop"
  partition 2 "$V/web.img"
  mkfs.ext4 -q -F "$loop" >"$T/out" 2>&1 || framework_failure "mkfs.ext4: $(cat "$T/out")"
  losetup -d "$loop"
  # shellcheck disable=SC2046 # numbers
  scribble "$V/web.img" 4096 $(seq 84000 2 88000)
}
generations() { find "$V/clones" -name 'web.img.*Z*' ! -name '.*' | sort; }
newest() { generations | tail -n 1; }
interrupted() { # interrupted DEST: a clone of web.img that was cut off
  rm -f "$1"
  timeout -s INT 0.5 lullcp --latency-budget=1us --duty-cycle=1 --checkpoint-interval=0 "$V/web.img" "$1" \
    2>"$T/said"
  check 'it was cut off' grep -q 'interrupted by signal 2' "$T/said"
}
left_frozen() { # left_frozen DEST: as by a machine that went down during a freeze
  local main keeper=''
  printf '#!/bin/sh\necho "$1" >>"%s"\n' "$V/calls" >"$V/hook"
  chmod +x "$V/hook"
  rm -f "$V/calls"
  lullcp --hook="$V/hook" --latency-budget=1us --duty-cycle=1 --checkpoint-interval=0 "$V/web.img" "$1" \
    2>"$T/said" &
  main=$!
  soon test -s "$V/calls"
  sleep 0.2
  keeper=$(pgrep -P "$main")
  # neither of them to thaw
  # shellcheck disable=SC2086 # a list
  kill -STOP "$main" $keeper && kill -KILL "$main" $keeper
  wait "$main" 2>/dev/null
  same 'nobody has thawed' freeze "$(cat "$V/calls")"
}

before() { # before COMMAND: what has to be there; its status in $want
  want=0
  case $1 in
  *hook-qmp*100-disk-0* | "# "*) make_image "$V/guest.img" raw ;;&
  *hook-qmp*100-disk-0*)
    mv "$V/guest.img" "$M/vz/images/100/vm-100-disk-0.raw"
    qsd "d=$M/vz/images/100/vm-100-disk-0.raw=raw"
    ;;
  *hook-qmp* | *'--hook="$HOOK"'*) qsd "d=$V/web.img=raw" ;;
  *web-root*)
    make_image "$V/web-root.img" raw
    make_image "$V/web-data.img" raw
    domain "$V/web-root.img" "$V/web-data.img"
    ;;
  *--shut-off=*) ;;
  *hook-libvirt*) domain "$V/web.img" ;;
  *--check-hook=./hook*)
    printf '#!/bin/sh\n' >hook
    chmod +x hook
    ;;
  *exec*'"$@"')
    rm -f vm.img clone
    head -c 1M /dev/urandom >"$T/elsewhere.img"
    set -- "$T/elsewhere.img" clone
    ;;
  *'--recover'*) left_frozen "$V/clones/web.img" ;;
  'lullcp --status /vm/clones/web.img') interrupted "$V/clones/web.img" ;;
  'lullcp /vm/web.img'* | *'--refresh --resume'*) scribble "$V/web.img" 4096 84001 ;;
  *'--restore'*) scribble "$V/web.img" 4096 84002 84003 ;;
  *'--diff'*) want='0|4' ;;
  zstd*) rm -f "$M/b/web.img.1" ;;
  *'.img.1'*)
    cp --reflink=always "$V/web.img" web.img.1
    cp --reflink=always web.img.1 "$M/b/web.img.1"
    scribble "$V/web.img" 4096 84005
    cp --reflink=always "$V/web.img" web.img.2
    ;;
  setpriv*)
    install -d -o backup "$V/theirs"
    chmod 644 "$V/web.img"
    ;;
  'mount '*noload*) partition 2 "$(newest)" --read-only ;;
  'mount '*) partition 1 "$(newest)" --read-only ;;
  *restic*) ;;
  esac
  case $1 in
  *--keep*)
    # another second, or the date would have an appendix
    sleep 1
    scribble "$V/web.img" 4096 84006
    count=$(generations | wc -l)
    ;;
  esac
}
placed() { # placed COMMAND: with the places of this test
  local line=$1
  line=${line#15 2 \* \* \*  }
  line=${line#root  }
  line=${line#"# "}
  # a day has one generation where a run is made each night
  line=${line//20261125T021500Z/$(newest | sed 's/.*img\.//')}
  line=${line//20261125/$(newest | sed 's/.*img\.//')}
  line=${line//20261124/$(generations | head -n 1 | sed 's/.*img\.//')}
  line=${line//\/usr\/local\/bin\//}
  line=${line//\/run\/vm\/web.hook/${QMP:-}}
  line=${line//\/run\/qemu-server\/100.lullcp/${QMP:-}}
  line=${line//\/var\/lib\/vz/$M/vz}
  line=${line//\/var\/lib\/prometheus\/node-exporter/$M}
  line=${line//\/dev\/loop0p1/${loop:-}}
  case $line in
  setpriv*) line=${line/clones/theirs} ;;
  qemu-system*) line="timeout 5 ${line/.../-machine accel=tcg -display none}" ;;
  *metrics*) line=${line/ .../} ;;
  esac
  sed -E "s,(^|[ ='\"])/(vm|srv|b|mnt)(/|\$| ),\1$M/\2\3,g" <<<"$line"
}

fs_mount xfs 2G
V=$M/vm
mkdir -p "$V/snap" "$V/clones" "$V/backup" "$M/b" "$M/srv" "$M/mnt" "$M/vz/images/100" "$M/vz/clones"
restic -q -r "$M/srv/restic" init >"$T/out" 2>&1 || framework_failure "restic: $(cat "$T/out")"
borg init -e none "$M/srv/borg" >"$T/out" 2>&1 || framework_failure "borg: $(cat "$T/out")"
make_web
cd "$V" || exit 99
settings=''
while IFS= read -r command; do
  case $command in
  [A-Z]*=*)
    # of a crontab, for the lines below
    settings="$settings export $command;"
    continue
    ;;
  esac
  QMP='' qsd=''
  before "$command"
  case $command in
  '# qemu-img'*)
    # as a guest leaves them that went down while it was redirected
    rm -f "$V/web.img.merged"
    qsd "d=$V/web.img=raw"
    "$HOOK" --socket="$QMP" freeze "$V/web.img" 2>"$T/err" || bad 'freeze'
    qemu-io -f raw -c 'write -P 77 330M 64k' -c flush "nbd+unix:///d?socket=$SOCKETS/nbd" >"$T/out" 2>&1
    qsd_end
    qsd=''
    ;;
  esac
  line=$(placed "$command")
  case $command in
  *'"$@"')
    printf '#!/bin/sh\n%s\n' "$line" >"$T/bin/cp-instead"
    chmod +x "$T/bin/cp-instead"
    line="cp-instead '$T/elsewhere.img' clone"
    ;;
  *'$HOOK'*) line="$(placed "$settings") $line" ;;
  esac
  bash -c "$line" >"$T/out" 2>"$T/err" </dev/null
  rc=$?
  note "$rc: $line"
  case $command in
  qemu-system*) want=124 ;; # it was running
  esac
  check "$command: status $rc" grep -qxE "$want" <<<"$rc"
  [ -z "$qsd" ] || qsd_end
  case $command in
  *web-root*) check 'both disks' cmp "$V/web-data.img" "$V/clones/web-data.img" ;;&
  *hook-libvirt*)
    same 'the guest runs from its image' '' "$(find "$V" -name '.*overlay*')"
    vs destroy lulltest >/dev/null 2>&1
    ;;&
  *hook-qmp* | *'$HOOK'*) same 'no sidecar is left' '' "$(find "$V" -name '.*sidecar*')" ;;&
  *--dry-run*) same 'no generation' "$count" "$(generations | wc -l)" ;;
  *metrics*) check 'metrics' grep -q '^lullcp_last_exit_status{.*} 0' "$M/lullcp-web.prom" ;;&
  *--keep=*/vm/clones*) check 'a generation more' cmp "$V/web.img" "$(newest)" ;;
  *--export*/b/web.img) check 'it is carried' cmp "$(readlink -f "$(find "$M/b" -name 'web.img.2*Z' | sort | tail -n 1)")" \
    "$(case $command in *--base*) newest ;; *) generations | head -n 1 ;; esac)" ;;
  *--export*.zst) check 'a stream' test -s web.diff.zst ;;
  zstd*) check 'it is carried' cmp web.img.1 "$M/b/web.img.1" ;;
  *--export*) check 'it is carried' cmp web.img.2 "$M/b/web.img.2" ;;
  'lullcp --summary'*)
    check 'as the page shows' grep -qE '^  quiet: [0-9]+ of [0-9]+ extents, .* MiB of .* MiB, in ' "$T/out"
    ;;
  *' snap/') check 'a clone' cmp "$V/web.img" "$V/snap/web.img" ;;
  *'--status'*'tail'*) same 'the line of the page' 'writers:    not frozen' "$(cat "$T/out")" ;;
  *'--status'*) check 'where it is' grep -q '^checkpoint:' "$T/out" ;;
  *'--list'*) same 'the row' "$(generations | wc -l)" "$(grep -c 'web\.img\.' "$T/out")" ;;
  *'--recover'*)
    check_not 'it was thawed' grep -q 'still frozen' "$T/out"
    same 'by the hook' 'freeze thaw ' "$(tr '\n' ' ' <"$V/calls")"
    ;;
  *'&& echo identical') same 'identical' identical "$(tail -n 1 "$T/out")" ;;
  *restic*)
    restic -q -r "$M/srv/restic" dump latest "$V/backup/web.img" >"$M/restored" 2>"$T/err" || bad 'restic dump'
    check 'restic has it' cmp "$V/web.img" "$M/restored"
    rm -f "$M/restored"
    ;;
  borg*)
    name=$(borg list --short "$M/srv/borg" 2>/dev/null)
    borg extract --stdout "$M/srv/borg::$name" >"$M/restored" 2>"$T/err" || bad 'borg extract'
    check 'borg has it' cmp "$V/web.img" "$M/restored"
    rm -f "$M/restored"
    ;;
  losetup*) losetup -d "$(cat "$T/out")" || bad 'no loop device' ;;
  'mount '*)
    check 'it is mounted' umount "$M/mnt"
    losetup -d "$loop"
    ;;
  *'--restore'*)
    check 'it is restored' cmp "$(newest)" "$V/web.img"
    check 'and kept what it was' test -e "$V/web.img.before-restore"
    ;;
  *'--discard'*) check_not 'it is gone' test -e "${line##* }" ;;
  *try.img) check 'a clone' cmp "$(newest)" "$V/try.img" ;;
  setpriv*) check 'a clone of theirs' test "$(stat -c %U "$V/theirs/web.img")" = backup ;;
  *'--check-hook'*) check 'as the page shows' grep -q '^SOURCE stands still  ok' "$T/out" ;;
  *'"$@"') check 'copied' cmp "$T/elsewhere.img" clone ;;
  *100-disk-0*) check 'a clone' cmp "$M/vz/images/100/vm-100-disk-0.raw" "$M/vz/clones/vm-100-disk-0.raw" ;;
  '# qemu-img commit'*)
    same 'merged' 77 "$(pattern "$V/web.img" raw 346030080)"
    ;;
  '# qemu-img convert'*)
    same 'the third file has what the guest wrote' 77 "$(pattern "$V/web.img.merged" raw 346030080)"
    rm -f "$V"/.web.img.lullcp-sidecar
    ;;
  *--hook*' /vm/web.img /vm/clones/web.img' | *'--resume /vm/web.img /vm/clones/web.img' | 'lullcp /vm/web.img /vm/clones/web.img' | *'--refresh --resume'* | *'--resume -q /vm'*)
    check 'a clone' cmp "$V/web.img" "$V/clones/web.img"
    ;;
  esac
done <<<"$commands"
cd / || exit 99
fs_unmount "$M"
finish
