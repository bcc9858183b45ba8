#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Operands, links and backups that meet at one destination, while the earlier file waits for the disk and
# has no name yet. The result must be that of cp.
. "$(dirname "$0")/../lib.sh"
fs_test

look() { # look: all that is in the directory, with its contents
  find . -printf '%P %y %m\n' | sort
  find . -type f -printf '%P\n' | sort | while read -r f; do printf '%s: %s\n' "$f" "$(cat "$f")"; done
}
# Both take the files of a directory in the order of their inodes, which need not be the order in
# which they were made: XFS gives freed inodes out again when it comes to it.
order() { find . -type f -printf '%h %i %f\n' | sort -k1,1 -k2,2n | cut -d' ' -f1,3; }
set_up() { # set_up SETUP [ORDER]: in the new directory work; ORDER: until the inodes come in it
  local i
  for ((i = 0; i < 100; i++)); do
    rm -rf work && mkdir work && cd work || framework_failure cd
    eval "$1"
    if [ -z "${2-}" ] || [ "$(order)" = "$2" ]; then return; fi
    cd ..
    sync
  done
  cd work || framework_failure cd
  return 1
}
as_cp() { # as_cp SETUP ARGUMENTS
  local way want wanted wanted_order='' tries
  for ((tries = 0; tries < 10; tries++)); do
    set_up "$1"
    wanted_order=$(order)
    cd ..
    # An order that does not come twice cannot be compared.
    if set_up "$1" "$wanted_order"; then break; fi
    cd ..
  done
  cd ..
  for way in cp '-j1' '-j4' '-j1 --reflink=never'; do
    set_up "$1" "$wanted_order" || framework_failure "the order of inodes of $1"
    rc=0
    if [ "$way" = cp ]; then
      eval "cp $2" 2>/dev/null || rc=$?
      want=$rc wanted=$(look)
    else
      eval "\"$LULLCP\" $way $2" 2>"$T/err" || rc=$?
      same "$kind $way $2: status" "$want" "$rc"
      same "$kind $way $2" "$wanted" "$(look)"
    fi
    cd ..
  done
}

for kind in xfs btrfs; do
  fs_mount "$kind"
  cd "$M" || framework_failure cd
  # a source that an operand before it makes or fills, also by a link
  as_cp 'mkdir -p x/y t; echo F >x/y/f' '-r x t/x/y t'
  as_cp 'mkdir -p x d t; echo F >x/f; ln -s ../t/x d/l' '-rL x d t'
  as_cp 'mkdir d t; echo F >f; ln -s ../t/f d/l' '-rL f d t'
  as_cp 'mkdir -p x/y t; echo F >x/y/f; echo G >x/g' '-a x x/y x/g t'
  as_cp 'mkdir x t; echo F >x/f; ln x/f x/h; ln x/f x/k' '-a x x/h t'
  # a directory above is made in one that an earlier operand has made, and takes its group from it
  as_cp 'mkdir -p p/q/r t; echo F >p/q/f; echo G >p/q/r/g; chmod 2711 p/q; chmod 700 p/q/r
    setfacl -m u:1:rx p/q/r' '-p --parents p/q/f p/q/r/g t'
  # two directories become one
  merge='mkdir -p a/d d dest; echo A >a/d/f; echo D >d/f'
  for option in r rn rb; do as_cp "$merge" "-$option a/. d dest"; done
  as_cp "$merge; mkdir dest/d; echo old >dest/d/f; touch -d @1000 dest/d/f; touch -d @2000 d/f
    touch -d @3000 a/d/f" '-ru -p a/. d dest'
  # a source that is called as the backup of another one
  backups='mkdir s t; echo new >s/f; echo old >t/f'
  for operands in s/. 's/f s/f~' 's/f~ s/f'; do
    as_cp "$backups; echo tilde >s/f~" "-rb $operands t"
  done
  as_cp "$backups; echo one >s/f.~1~" '-r --backup=numbered s/. t'
  as_cp "$backups; echo x >s/fx" '-r --backup -S x s/. t'
  # through a link to what is made
  as_cp 'mkdir t; echo N >new; echo L >l; ln -s new t/l' 'new l t'
  as_cp 'mkdir t; echo N >new; echo L >l; echo O >t/new; chown 1000 new; ln -s new t/l' '-p new l t'
  cd /
  fs_unmount "$M"
done

# older files that are replaced take room for no longer than with cp
fs_mount xfs 400M
mkdir "$T/s" "$M/t"
for i in {1..40}; do head -c 1M /dev/urandom >"$M/t/$i" && cp "$M/t/$i" "$T/s/"; done
fallocate -l $(($(stat -f -c '%a * %S' "$M") - (12 << 20))) "$M/fill"
sync -f "$M"
cp -r --remove-destination "$T/s/." "$M/t" || framework_failure 'cp has no room'
expect 0 -r --reflink=auto "$T/s/." "$M/t"
expect 0 -r --reflink=never --remove-destination "$T/s/." "$M/t"
check 'all of them' diff -r "$T/s" "$M/t"
finish
