#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# State that somebody else may have planted is not trusted, whoever owns it and wherever it came from:
# its hook does not run, a message names it, and it stays. If others may write to the directory of
# DEST, the state is kept in a private directory, and found again from everywhere.
. "$(dirname "$0")/../lib.sh"
fs_test
chmod 755 "$T"
pwned=$T/pwned
user() { setpriv --reuid=65534 --regid=65534 --clear-groups "$@"; }

# A checkpoint that says that writers are frozen: a run that trusts it runs its hook.
plant() { # plant FILE SOURCE DEST
  cat >"$1" <<JSON
{
  "self": "",
  "type": "checkpoint",
  "schema": ${PLANT_SCHEMA:-2},
  "run_id": "0b1f6a3e-4c1d-4b6e-9f0a-7e2d5c8b9a10",
  "frozen": { "since_ns": 1, "kept": false },
  "hook_timeout_ns": 10000000000,
  "updated_ns": 1,
  "hook": "sh -c 'touch $pwned'",
  "source": { "path": "$2", "file_system_uuid": "$uuid", "reference": null },
  "destination": { "path": "$3", "file_system_uuid": "$uuid", "inode": 1, "generation": 0,
    "size": 0, "ctime_ns": 0 },
  "offset": 0, "pass": 0, "method": "none", "phase": "cloning",
  "temporary_name": ".$(basename "$3").lullcp-part", "snapshot_name": null,
  "options": { "replaces_existing": false, "refresh": false, "mode": 0, "owner": 0, "group": 0 }
}
JSON
  chmod 600 "$1"
  [ -n "${PLANT_SCHEMA-}" ] || own_state "$1"
}
look() { stat -c '%i %u %s %h' "$1" && b2sum <"$1"; }
not_obeyed() { # not_obeyed WHAT FILE: nor touched
  check_not "$1: its hook was run" test -e "$pwned"
  same "$1: it is as it was" "$planted" "$(look "$2" 2>&1)"
  rm -f "$pwned"
}
refused() { # refused WHAT WHY FILE SOURCE DEST: an error that names it, whatever is asked for
  local verb
  planted=$(look "$3")
  for verb in --resume --restart; do
    expect 1 $verb "$4" "$5"
    says "$2"
    says "$(basename "$3")"
    not_obeyed "$1, $verb" "$3"
    check_not "$1, $verb: nothing is made" test -e "$5"
  done
  expect 1 --recover "$5"
  says "$2"
  not_obeyed "$1, --recover" "$3"
  expect 1 --status "$5"
  says "$2"
}
passed_over() { # passed_over WHAT FILE SOURCE DEST: one warning, and the clone is made
  local verb
  planted=$(look "$2")
  for verb in --resume --restart ''; do
    rm -f "$4"
    # shellcheck disable=SC2086
    expect 0 $verb "$3" "$4"
    says 'others may write to its directory'
    says "$(basename "$2")"
    same "$1, $verb: one line" 1 "$(wc -l <"$T/err")"
    not_obeyed "$1, $verb" "$2"
    check "$1, $verb: the clone" cmp "$3" "$4"
  done
  expect 1 --recover "$4"
  not_obeyed "$1, --recover" "$2"
}
state() { find "$STATE_DIRECTORY" -type f -name '*.lullcp' -printf '%p ' 2>/dev/null; }
# One that has come somewhere, and its checkpoint in $found.
interrupted() { # interrupted [OPTION...] SOURCE DEST
  "$LULLCP" --duty-cycle=1 --latency-budget=1ms --checkpoint-interval=0 "$@" 2>"$T/err" &
  local pid=$!
  while kill -0 $pid 2>/dev/null; do
    found=$(grep -ls '"type": "checkpoint' "$STATE_DIRECTORY"/*.lullcp | head -n 1)
    [ -n "$found" ] || found=$(dirname "${*: -1}")/.$(basename "${*: -1}").lullcp
    grep -qs '"offset": [1-9]' "$found" && break
    sleep 0.02
  done
  kill "-${signal:-TERM}" $pid
  wait $pid 2>/dev/null
  check 'it was interrupted' test -s "$found"
}
resumed() { # resumed SOURCE DEST
  expect 0 --resume --json "$1" "$2"
  check 'it goes on where it was' test "$(field resumed_at)" -gt 0
  check 'resumed' cmp "$1" "$2"
}

for kind in xfs btrfs; do
  fs_mount "$kind"
  note "$kind"
  chmod 755 "$M"
  rm -rf "$STATE_DIRECTORY"
  uuid=$(blkid -p -o value -s UUID "$(findmnt -no SOURCE "$M")")
  fragmented "$M/src" 700
  mkdir "$M/own" "$M/user" "$M/pub"
  chown 65534:65534 "$M/user"
  chmod 777 "$M/pub"

  # what is planted below would be obeyed
  plant "$M/own/.d.lullcp" "$M/src" "$M/own/d"
  expect 0 --resume "$M/src" "$M/own/d"
  check 'state of the own is obeyed' test -e "$pwned"
  rm -f "$pwned" "$M/own/d"

  # in a directory of root's: a copy, by whatever, a second name, a link
  plant "$M/user/good" "$M/src" "$M/own/d"
  for copy in 'cp' 'cp -a' 'cp -a --reflink=always' "$LULLCP" "$LULLCP -a"; do
    $copy "$M/user/good" "$M/own/.d.lullcp"
    refused "$copy" 'is a copy' "$M/own/.d.lullcp" "$M/src" "$M/own/d"
    rm -f "$M/own/.d.lullcp"
  done
  plant "$M/own/first" "$M/src" "$M/own/d"
  ln "$M/own/first" "$M/own/.d.lullcp"
  refused 'a hard link' 'has several names' "$M/own/.d.lullcp" "$M/src" "$M/own/d"
  rm -f "$M/own/.d.lullcp"
  ln -s "$M/own/first" "$M/own/.d.lullcp"
  refused 'a link' 'is a symbolic link' "$M/own/.d.lullcp" "$M/src" "$M/own/d"
  check 'what it leads to is there' test -s "$M/own/first"
  rm -f "$M/own/.d.lullcp" "$M/own/first"
  # the same of a record of generations: a copy that names another file
  expect 0 --keep=1 "$M/src" "$M/own/row"
  row=$(find "$M/own" -name 'row.2*')
  cp -a "$M/own/.row.lullcp-generations" "$T/record"
  rm "$M/own/.row.lullcp-generations"
  cp -a "$T/record" "$M/own/.row.lullcp-generations"
  expect 1 --keep=1 "$M/src" "$M/own/row"
  says 'is a copy'
  check 'no generation is removed' test -s "$row"
  rm -f "$M/own"/row.2* "$M/own/.row.lullcp-generations"

  # a tree with a planted file in it, copied by root twice
  mkdir "$M/home"
  cp --reflink=always "$M/src" "$M/home/vm.img"
  plant "$M/home/.vm.img.lullcp" "$M/home/vm.img" "$M/own/home/vm.img"
  chown -R 65534:65534 "$M/home"
  expect 0 -r --resume "$M/home" "$M/own"
  says "left out 1 of lullcp's own files"
  expect 0 -r --resume "$M/home" "$M/own"
  cp "$M/home/.vm.img.lullcp" "$M/own/home/"
  expect 1 -r --resume "$M/home" "$M/own"
  says 'is a copy'
  check_not 'the hook of a tree was run' test -e "$pwned"
  check 'the tree is copied' cmp "$M/home/vm.img" "$M/own/home/vm.img"

  # in a directory where others may put a root-owned file
  for how in owner group all acl; do
    d=$M/$how
    mkdir "$d"
    case $how in
      owner) chown 65534 "$d" ;;
      group) chgrp 65534 "$d" && chmod 775 "$d" ;;
      all) chmod 777 "$d" ;;
      acl) setfacl -m u:65534:rwx "$d" ;;
    esac
    plant "$d/made-for-root" "$M/src" "$d/dst"
    user mv "$d/made-for-root" "$d/.dst.lullcp" || bad "$how: the user cannot move it"
    passed_over "$how" "$d/.dst.lullcp" "$M/src" "$d/dst"
    rm -rf "$d"
  done
  same 'no state is left' '' "$(state)"

  # sticky: others cannot touch what is the caller's
  mkdir -m 1777 "$M/tmp"
  interrupted "$M/src" "$M/tmp/dst"
  same 'sticky: beside DEST' "$M/tmp/.dst.lullcp" "$found"
  check_not 'sticky: nobody else removes it' user rm -f "$M/tmp/.dst.lullcp"
  resumed "$M/src" "$M/tmp/dst"
  # but a file that the caller made elsewhere may be renamed into it: its hook is not run
  plant "$M/pub/made-for-root" "$M/src" "$M/tmp/y"
  user mv "$M/pub/made-for-root" "$M/tmp/.y.lullcp" || bad 'sticky: the user cannot move it'
  for verb in --resume --restart --recover; do
    planted=$(look "$M/tmp/.y.lullcp")
    # shellcheck disable=SC2086
    if [ $verb = --recover ]; then expect 1 $verb "$M/tmp/y"; else expect 1 $verb "$M/src" "$M/tmp/y"; fi
    says 'its hook was not run'
    says '--hook=COMMAND'
    not_obeyed "sticky, $verb" "$M/tmp/.y.lullcp"
  done
  expect 0 --recover --hook="sh -c 'touch $M/thawed'" "$M/tmp/y"
  check 'sticky: the hook that is given' test -e "$M/thawed"
  rm -f "$M/thawed" "$M/tmp"/.y.*
  user touch "$M/tmp/.x.lullcp"
  refused 'sticky: planted' 'not to be trusted' "$M/tmp/.x.lullcp" "$M/src" "$M/tmp/x"

  # open to others: kept in the private directory, and found again
  interrupted "$M/src" "$M/pub/dst"
  same 'private' "$STATE_DIRECTORY" "$(dirname "$found")"
  same 'the private directory' '0 700' "$(stat -c '%u %a' "$STATE_DIRECTORY")"
  check_not 'nothing beside DEST' test -e "$M/pub/.dst.lullcp"
  expect 0 --status "$M/pub/dst"
  check 'status' grep -q 'not frozen' "$T/out"
  mkdir -p "$T/elsewhere"
  mount --bind "$M" "$T/elsewhere"
  expect 0 --status "$T/elsewhere/pub/dst"
  expect 1 "$M/src" "$M/pub/dst"
  says 'an interrupted clone is recorded'
  resumed "$T/elsewhere/src" "$T/elsewhere/pub/dst"
  umount "$T/elsewhere"
  same 'it is gone' '' "$(state)"
  interrupted "$M/src" "$M/pub/dst"
  expect 0 --restart "$M/src" "$M/pub/dst"
  same 'gone after --restart' '' "$(state)"
  rm -f "$M/pub/dst"
  # a tree finds it too
  mkdir "$M/tree"
  cp --reflink=always "$M/src" "$M/tree/big"
  mkdir -m 777 "$M/pub/tree"
  interrupted "$M/tree/big" "$M/pub/tree/big"
  expect 0 -r --resume -T "$M/tree" "$M/pub/tree"
  check 'the tree' cmp "$M/src" "$M/pub/tree/big"
  same 'no state is left by the tree' '' "$(state)"
  # frozen: --recover thaws
  printf '#!/bin/sh\necho "$1" >>%s/hook.log\n' "$T" >"$T/hook"
  chmod +x "$T/hook"
  : >"$T/hook.log"
  interrupted --hook="$T/hook" --keep-frozen "$M/src" "$M/pub/dst"
  same 'left frozen' 'freeze' "$(cat "$T/hook.log")"
  expect 0 --recover "$M/pub/dst"
  same 'thawed' $'freeze\nthaw' "$(cat "$T/hook.log")"
  resumed "$M/src" "$M/pub/dst"
  # generations
  for _ in 1 2 3; do expect 0 --keep=2 "$M/src" "$M/pub/row"; done
  same 'two are kept' 2 "$(find "$M/pub" -name 'row.2*' | wc -l)"
  check_not 'no record beside them' test -e "$M/pub/.row.lullcp-generations"
  check 'the record' test "$(find "$STATE_DIRECTORY" -name '*.lullcp-generations' | wc -l)" = 1
  # the directory is closed to others meanwhile, and opened to them again
  interrupted "$M/src" "$M/pub/dst"
  chmod go-w "$M/pub"
  expect 0 --status "$M/pub/dst"
  expect 0 --keep=2 "$M/src" "$M/pub/row"
  same 'closed: two are kept' 2 "$(find "$M/pub" -name 'row.2*' | wc -l)"
  resumed "$M/src" "$M/pub/dst"
  same 'closed: it is gone' '' "$(state)"
  expect 0 --keep=2 "$M/src" "$M/pub/later"
  check 'closed: the record beside DEST' test -s "$M/pub/.later.lullcp-generations"
  chmod go+w "$M/pub"
  expect 0 --keep=2 "$M/src" "$M/pub/later"
  says "ignoring '$M/pub/.later.lullcp-generations': others may write to its directory"
  says "chmod go-w $M/pub"
  rm -f "$M/pub"/later.* "$M/pub"/.later* "$STATE_DIRECTORY"/*-generations
  # several files
  cp --reflink=always "$M/src" "$M/src2"
  interrupted --hook="$T/hook" "$M/src" "$M/src2" "$M/pub"
  expect 0 --status "$M/pub/src2"
  expect 0 --resume --hook="$T/hook" "$M/src" "$M/src2" "$M/pub"
  check 'the set' cmp "$M/src2" "$M/pub/src2"
  same 'no state is left by the set' '' "$(state)"
  # another directory of that name knows nothing of it
  interrupted "$M/src" "$M/pub/dst2"
  mv "$M/pub" "$M/away" && mkdir -m 777 "$M/pub"
  expect 1 --status "$M/pub/dst2"
  expect 0 --resume --json "$M/src" "$M/pub/dst2"
  same 'begun anew' 0 "$(field resumed_at)"
  resumed "$M/src" "$M/away/dst2"

  # where it cannot be kept, nothing is made
  for how in open none link; do
    rm -rf "$M/pub"/* "$M/pub"/.[!.]*
    private=$T/private-$kind-$how
    case $how in
      open) mkdir -m 777 "$private" ;;
      none) echo file >"$private" ;;
      link) ln -s "$M/pub" "$private" ;;
    esac
    STATE_DIRECTORY=$private expect 1 --hook=true "$M/src" "$M/pub/dst"
    says 'others may write to the directory of DEST'
    says '--checkpoint'
    same "$how: nothing is made" '' "$(ls -A "$M/pub")"
  done
  # the user names a file
  expect 1 --checkpoint="$M/pub/cp" "$M/src" "$M/own/d"
  says 'others may write to its directory'
  check_not 'nothing is made' test -e "$M/own/d" -o -e "$M/own/.d.lullcp-part" -o -e "$M/pub/cp"
  interrupted "$M/src" "$M/pub/dst"
  expect 0 --restart "$M/src" "$M/pub/dst"
  exec 7<"$M/own"
  expect 0 --checkpoint=/proc/self/fd/7/cp "$M/src" "$M/own/d"
  exec 7<"$M/src"
  expect 1 --resume --checkpoint=/proc/self/fd/7 "$M/src" "$M/own/e"
  exec 7<&-
  check_not 'no DEST by a descriptor' test -e "$M/own/e"
  check 'SOURCE is whole' cmp "$M/src" "$M/own/d"

  # --checkpoint that is a file of the clone is refused before anything is made
  mkdir "$M/c"
  cp --reflink=always "$M/src" "$M/c/src"
  ln "$M/c/src" "$M/c/second"
  ln -s src "$M/c/link"
  cp --reflink=always "$M/src" "$M/c/old"
  cp --reflink=always "$M/src" "$M/c/old2"
  before=$(cd "$M/c" && ls -A --full-time && b2sum -- *)
  for cp in dst src second link old .dst.lullcp-part .dst.lullcp-snap .dst.lullcp-generations ./../c/dst; do
    for dst in dst old; do
      [ "$cp" != old ] || [ $dst = old ] || continue
      case $cp.$dst in *dst*.old) continue ;; esac
      expect 1 --checkpoint="$M/c/$cp" --restart "$M/c/src" "$M/c/$dst"
      says 'would overwrite'
    done
  done
  expect 1 --checkpoint="$M/c/old" --refresh --base="$M/c/old" "$M/c/src" "$M/c/dst"
  says 'would overwrite'
  expect 1 --checkpoint="$M/c/none" --refresh --base="$M/c/none" "$M/c/src" "$M/c/dst"
  says 'would overwrite'
  mkdir "$M/many"
  for cp in c/src c/old many/src many/old many/.old.lullcp-part; do
    expect 1 --checkpoint="$M/$cp" --hook=true "$M/c/src" "$M/c/old" "$M/many"
    says 'would overwrite'
  done
  # another file of the user's stays what it is
  expect 1 --checkpoint="$M/c/old2" "$M/c/src" "$M/c/dst"
  same '--checkpoint: all is as it was' "$before" "$(cd "$M/c" && ls -A --full-time && b2sum -- *)"
  same '--checkpoint: nothing is made' '' "$(ls -A "$M/many")"

  # an ordinary user in a directory of a group
  D=$M/user/shared
  mkdir "$D" "$T/state-home-$kind"
  cp "$M/src" "$M/user/src"
  mkdir -p "$M/user/several"
  for f in a b c; do cp --reflink=always "$M/src" "$M/user/several/$f"; done
  chown -R 65534:65534 "$M/user" "$T/state-home-$kind"
  chmod 2775 "$D"
  real=$LULLCP
  cat >"$T/as-user" <<USER
#!/bin/sh
unset STATE_DIRECTORY
exec setpriv --reuid=65534 --regid=65534 --clear-groups env XDG_STATE_HOME='$T/state-home-$kind' '$real' "\$@"
USER
  chmod 755 "$T/as-user"
  saved=$STATE_DIRECTORY
  LULLCP=$T/as-user STATE_DIRECTORY=$T/state-home-$kind/lullcp
  interrupted "$M/user/src" "$D/dst"
  same 'in $XDG_STATE_HOME' "$STATE_DIRECTORY" "$(dirname "$found")"
  same 'the user private directory' '65534 700' "$(stat -c '%u %a' "$STATE_DIRECTORY")"
  resumed "$M/user/src" "$D/dst"
  # no private directory: none is known, or it cannot be made
  for how in none sealed; do
    var=LC_ALL=C.UTF-8
    [ $how = none ] || var=HOME=/proc/lullcp-test
    cat >"$T/as-user" <<USER
#!/bin/sh
exec setpriv --reuid=65534 --regid=65534 --clear-groups env -i PATH=/usr/bin:/bin '$var' '$real' "\$@"
USER
    why='(HOME is not set)'
    [ $how = none ] || why=/proc/lullcp-test/.local/state/lullcp/
    rm -rf "${D:?}"/* "$D"/.[!.]*
    expect 0 --latency-budget=1ms --checkpoint-interval=0 "$M/user/src" "$D/dst"
    says 'this clone cannot be resumed'
    says "$why"
    same "$how: one warning" 1 "$(wc -l <"$T/err")"
    check "$how: the clone" cmp "$M/user/src" "$D/dst"
    same "$how: nothing else" dst "$(ls -A "$D")"
    rm -f "$D/dst"
    # of several files it is said once
    expect 0 -r --latency-budget=1ms --checkpoint-interval=0 "$M/user/several/." "$D"
    same "$how: one warning for all" 1 "$(wc -l <"$T/err")"
    rm -f "$D"/[abc]
    # interrupted: no part is left that nothing knows of
    "$LULLCP" --duty-cycle=1 --latency-budget=1ms --checkpoint-interval=0 "$M/user/src" "$D/dst" \
      2>"$T/err" &
    pid=$!
    while kill -0 $pid 2>/dev/null && [ ! -s "$D/.dst.lullcp-part" ]; do sleep 0.02; done
    check "$how: it has begun" test -s "$D/.dst.lullcp-part"
    kill -TERM $pid
    wait $pid 2>/dev/null
    same "$how: nothing is left" '' "$(ls -A "$D")"
    check_not "$how: nothing is promised" grep -q -e '--resume' "$T/err"
    for verb in --status --recover; do
      expect 1 $verb "$D/dst"
      [ $how = sealed ] || says "$why"
    done
    expect 1 --hook=true "$M/user/src" "$D/dst"
    says "$why"
    says '--checkpoint'
    says XDG_STATE_HOME
    expect 1 --keep=1 "$M/user/src" "$D/dst"
    says "$why"
    check_not "$how: --keep: --checkpoint is no help" grep -q -e '--checkpoint' "$T/err"
    same "$how: nothing is made" '' "$(ls -A "$D")"
  done
  LULLCP=$real STATE_DIRECTORY=$saved
  # why it cannot be made, and what root can do
  mkdir "$T/sealed-$kind"
  mount -t tmpfs -o ro none "$T/sealed-$kind"
  STATE_DIRECTORY=$T/sealed-$kind/a/b expect 1 --hook=true "$M/src" "$D/dst"
  umount "$T/sealed-$kind"
  says 'Read-only file system'
  check_not 'root: XDG_STATE_HOME is no help' grep -q XDG_STATE_HOME "$T/err"
  says STATE_DIRECTORY
  fs_unmount "$M"
done
finish
