#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# lullcp-hook-libvirt in random situations: a guest never pauses; hooks, lullcp, its keeper and QEMU are
# killed at any time; pivots fail; guests go down and come back. In the end each acknowledged write must be
# read back, if necessary after running the printed commands. LULL_TEST_ROUNDS (3).
. "$(dirname "$0")/../lib.sh"
fs_test
. "$(dirname "$0")/libvirtd.sh"
rounds=${LULL_TEST_ROUNDS:-3}
vs destroy lulltest

mkdir "$T/wrapped"
cat >"$T/wrapped/virsh" <<WRAPPER
#!/bin/bash
case "\$*" in
  *--pivot*)
    case \$(cat "$T/pivot" 2>/dev/null) in
      fail) "$virsh" -c qemu:///system blockjob "\$5" "\$6" --abort; exit 1 ;;
      killed) "$virsh" -c qemu:///system blockjob "\$5" "\$6" --abort; kill -KILL 0 ;;
      late) "$virsh" "\$@"; kill -KILL 0 ;;
    esac
    ;;
esac
exec "$virsh" "\$@"
WRAPPER
chmod 755 "$T/wrapped/virsh"

# Each write is tried (t), and perhaps acknowledged (k): DISK BLOCK PATTERN.
writer() {
  local disk block n=0 line state
  coproc V { exec stdbuf -oL "$virsh" -c qemu:///system --quiet 2>&1; }
  while [ -e "$T/writing" ]; do
    disk=$((RANDOM % 2)) block=$((RANDOM % 64)) n=$((n % 255 + 1))
    echo "t $disk $block $n" >>"$T/log"
    printf '%s\n' "qemu-monitor-command lulltest --hmp 'qemu-io -d /machine/peripheral/virtio-disk$disk/virtio-backend \"write -f -P $n $((block * 64))k 4k\"'" \
      'echo THE-END' >&"${V[1]}"
    # virsh repeats each command when it reads it, so what comes before is the answer
    state=''
    while IFS= read -r line <&"${V[0]}"; do
      case $line in
        *'# echo THE-END'*)
          [ "$state" = bad ] || state=k
          break
          ;;
        *rror:*) state=bad ;;
      esac
    done
    # a QEMU that ends refuses a write, and says so to its own standard output alone
    [ "$state" != k ] || [ -e "$T/ending" ] || echo "k $disk $block $n" >>"$T/log"
  done
  echo quit >&"${V[1]}"
  wait
}
acked() { grep -c ^k "$T/log"; }
holds() { # holds RAW RAW: the last write of each block that was acknowledged, or a later one
  python3 - "$T/log" "$@" <<'PY'
import sys
allowed = {}
for line in open(sys.argv[1]):
    kind, disk, block, n = line.split()
    key = int(disk), int(block)
    if kind == "k":
        allowed[key] = {int(n)}
    else:
        allowed.setdefault(key, {0}).add(int(n))
disks = [open(name, "rb") for name in sys.argv[2:]]
wrong = []
for (disk, block), values in sorted(allowed.items()):
    disks[disk].seek(block * 65536)
    found = set(disks[disk].read(4096))
    if len(found) != 1 or not found <= values:
        wrong.append("disk %d block %d: %s, not %s" % (disk, block, sorted(found), sorted(values)))
print("\n".join(wrong[:10]))
sys.exit(bool(wrong))
PY
}
overlay() { printf '%s/.%s.lullcp-overlay.qcow2' "${1%/*}" "${1##*/}"; }
seen_by() { # seen_by IMAGE FORMAT WITH RAW: what a guest finds; WITH 1: by its overlay
  local from=$1 format=$2
  [ "$3" = 0 ] || { from=$(overlay "$1"); format=qcow2; }
  qemu-img convert -U -f "$format" -O raw "$from" "$4"
}
up() { vs domstate lulltest 2>/dev/null | grep -q running; }
begin() { # a guest that libvirt knows when it is shut off, or one that it forgets
  vs undefine lulltest >/dev/null 2>&1
  if [ $((RANDOM % 2)) = 0 ]; then
    vs define "$T/domain.xml" >"$T/start.out" 2>&1 && vs start lulltest >>"$T/start.out" 2>&1
  else
    start
  fi || framework_failure "no guest: $(cat "$T/start.out")"
}
down() { # a guest that ends, in order or not
  local pid
  touch "$T/ending"
  if [ $((RANDOM % 2)) = 0 ]; then
    pid=$(cat /run/libvirt/qemu/lulltest.pid 2>/dev/null) && kill -KILL "$pid"
  else
    vs destroy lulltest >/dev/null 2>&1
  fi
  for _ in $(seq 100); do
    up || break
    sleep 0.1
  done
  rm "$T/ending"
}
marked() { # the processes of lullcp that were begun in this round
  local p
  for p in /proc/[0-9]*; do
    ! grep -qzx "LULL_TEST_ROUND=$T.$round" "$p/environ" 2>/dev/null || echo "${p#/proc/}"
  done
}
described() { # what they are, and wait for
  local p
  for p in $(marked); do
    printf '%s: %s (%s, %s)\n' "$p" "$(tr '\0' ' ' <"/proc/$p/cmdline")" \
      "$(cat "/proc/$p/wchan")" "$(ps -o ppid=,etimes=,stat= -p "$p")"
  done
}
pause() { sleep "$((RANDOM % $1)).$((RANDOM % 10))"; }
# What thaw printed for an image of a guest that is shut off, to the letter.
obey() { # obey IMAGE FORMAT DISK
  local o said command
  o=$(overlay "$1")
  [ -e "$o" ] || return 0
  "$hook" --connect=qemu:///system thaw "$1" 2>"$T/err"
  [ -e "$o" ] || return 0
  said=$(cat "$T/err")
  command=$(sed -n 's/.*starts from it: virsh \(.*\), and thaw again/vs \1/p' "$T/err")
  if [ -n "$command" ]; then
    eval "$command" >"$T/start.out" 2>&1 || bad "advice: $command: $(cat "$T/start.out")"
    how="$how, started from it"
    return 0
  fi
  command=$(sed -n 's/.*shut down: //p' "$T/err")
  if [ -n "$command" ]; then
    eval "$command" >"$T/advice.out" 2>&1 && ok || bad "advice: $command: $(cat "$T/advice.out")"
    how="$how, committed"
    return 0
  fi
  case $said in *'look at copies'* | *'Look at copies'*) ;; *) bad "no advice: $said" ;; esac
  # One of the two has all; the other disk is looked at in its own turn.
  doubt="$doubt $3"
}
# The images as they may be; the one that has everything is what a person would choose.
choose() {
  local of_a of_b good=''
  for of_a in 0 1; do
    for of_b in 0 1; do
      [[ $of_a = 0 || $doubt = *0* ]] && [[ $of_b = 0 || $doubt = *1* ]] || continue
      seen_by "$a" raw $of_a "$T/side/0.raw" && seen_by "$b" qcow2 $of_b "$T/side/1.raw"
      if holds "$T/side/0.raw" "$T/side/1.raw" >/dev/null; then good="$of_a $of_b"; fi
    done
  done
  if [ -z "$good" ]; then
    bad "round $round: neither image nor overlay has all"
  else
    ok
    case $good in 1*) qemu-img commit -q "$(overlay "$a")" ;; esac
    case $good in *1) qemu-img commit -q "$(overlay "$b")" ;; esac
  fi
  how="$how, looked at"
  for o in "$(overlay "$a")" "$(overlay "$b")"; do rm -f "$o" "${o%.qcow2}.freeze"; done
}

for round in $(seq "$rounds"); do
  up || begin
  how='' doubt=''
  : >>"$T/log"
  touch "$T/writing"
  LULL_TEST_ROUND='' writer &
  writer=$!
  for _ in $(seq 200); do
    [ "$(acked)" -lt 3 ] || break
    sleep 0.05
  done
  before=$(acked)
  case $((RANDOM % 4)) in 0) p=fail ;; 1) p=killed ;; 2) p=late ;; 3) p='' ;; esac
  echo "$p" >"$T/pivot"
  how="pivot ${p:-works}"
  {
    export LULL_TEST_ROUND=$T.$round PATH=$T/wrapped:$PATH
    if [ $((RANDOM % 2)) = 0 ]; then
      mkdir "$M/clones"
      setsid "$LULLCP" --hook="$hook --connect=qemu:///system" "$a" "$b" "$M/clones" &
    else
      setsid bash -c '"$0" --connect=qemu:///system freeze "$1" "$2" && sleep 0.3
        "$0" --connect=qemu:///system thaw "$1" "$2"' "$hook" "$a" "$b" &
    fi
    export -n LULL_TEST_ROUND
    PATH=${PATH#*:}
  } >"$T/run.out" 2>&1 </dev/null
  pause 4
  case $((RANDOM % 5)) in
    0 | 1) # one of them, or all
      victims=$(marked | shuf --random-source=<(yes "$RANDOM"))
      [ $((RANDOM % 2)) = 0 ] || victims=${victims%%$'\n'*}
      # shellcheck disable=SC2086 # a list
      [ -z "$victims" ] || kill -KILL $victims 2>/dev/null
      how="$how, killed"
      ;;
    2)
      down
      how="$how, guest down"
      ;;
  esac
  for _ in $(seq 600); do
    [ -n "$(marked)" ] || break
    sleep 0.2
  done
  same "round $round ($how): all have ended" '' "$(described)"
  echo >"$T/pivot"
  [ $((RANDOM % 4)) != 0 ] || { down; how="$how, guest down at last"; }
  for try in $(seq 8); do
    if ! up; then
      obey "$a" raw 0
      up || obey "$b" qcow2 1
      up || [ -z "$doubt" ] || choose
      doubt=''
    fi
    "$hook" --connect=qemu:///system thaw "$a" "$b" 2>"$T/err" && break
    how="$how, thaw failed"
    if up && grep -q 'Look at a copy of it' "$T/err"; then
      # killed in the pivot, and the guest has run from the image since
      ! grep -qF "$(overlay "$a")" "$T/err" || doubt="$doubt 0"
      ! grep -qF "$(overlay "$b")" "$T/err" || doubt="$doubt 1"
      down
      choose
      doubt=''
    fi
    sleep 0.3
  done
  up || begin
  [ "$(acked)" -gt "$before" ] || note "round $round: no write meanwhile"
  rm -f "$T/writing"
  wait $writer
  vs dumpxml lulltest >"$T/xml"
  # what was said last, if it said so to the end
  [ "$try" -lt 8 ] || note "$(tr '\n' ' ' <"$T/err")"
  same "round $round ($how): no overlay" '' "$(find "$M" "$T/side" -name '*lullcp-overlay*')"
  check_not "round $round ($how): no overlay in use" grep -q lullcp-overlay "$T/xml"
  seen_by "$a" raw 0 "$T/side/0.raw"
  seen_by "$b" qcow2 0 "$T/side/1.raw"
  if holds "$T/side/0.raw" "$T/side/1.raw" >"$T/check.out"; then
    ok
  else
    bad "round $round ($how): $(cat "$T/check.out")"
  fi
  note "round $round: $how; $(acked) writes"
  rm -rf "$M/clones"
done
vs destroy lulltest
vs undefine lulltest >/dev/null 2>&1
fs_unmount "$M"
finish
