# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Random command lines: compare.sh --random. Intended differences are left out: --sparse comes with
# --reflink, and simple backups with b-simple-into. No command line names anything that would wait for
# the other end of a fifo.

some_options=(-a -b -d -f -H -l -L -n -P -p -r -R -s -T -u -v -x -S.suf --backup=t --backup=existing
  --backup=nil --no-preserve=mode --no-preserve=links --no-preserve=timestamps --preserve=links
  --preserve=mode --preserve=timestamps --preserve=ownership --preserve=all --preserve --parents
  --remove-destination --strip-trailing-slashes --attributes-only --reflink=auto --reflink=never
  --reflink=always --reflink '--reflink=never --sparse=always' '--reflink=auto --sparse=never'
  --update -i --archive --recursive --force --link --no-clobber --no-dereference --dereference
  --verbose --one-file-system --no-target-directory --symbolic-link)
declare -A operands_of=(
  [files]='a b c e x ro d dd la ld ldd dang loop1 h1 h2 dd/a dd/b dd/b/i d/ dd/ ./a nosuch . ld/ a/ fresh d/new h1'
  [tree+dest]='t t/1 t/2 t/sub t/sub/to3 t/sub/hard1 t/empty t/ro u u/t u/t/1 u/t/sub t/ t/. new u/t/kept t/hard2'
  [times]='old mid new same same2 late td ts td/1 ts/1 ts/2 ts/. fresh'
  [backups]='a b lone b~ s s~ bd bd/a bt bu bl bh bt/1 bu/bt/1 bu/bt fresh'
  [self]='f hard soft soft2 softhard here dir dir/f dir/up tod tohard here/f new dir/.'
  [linkdirs]='r r/real r/todir r/tofile r/dangling s lr llr lf llf r/real/f s/new'
)

pick() { # pick WORD...: one of them, in $picked
  shift $((RANDOM % $#))
  picked=$1
}
random_cases() { # random_cases N
  local i j fixture command more
  local -a operands
  for ((i = 1; i <= $1; i++)); do
    pick "${!operands_of[@]}"
    fixture=$picked
    read -ra operands <<<"${operands_of[$fixture]}"
    command=''
    for ((j = RANDOM % 5; j > 0; j--)); do
      pick "${some_options[@]}"
      command+=" $picked"
    done
    for ((j = RANDOM % 8 < 6 ? 2 : 3; j > 0; j--)); do
      pick "${operands[@]}"
      command+=" $picked"
    done
    # There cp 9.1 goes by a stat that it has not made, and does this or that.
    [[ $command != *' loop1' ]] || command=$(sed 's/ -f / /g; s/ --force / /g' <<<"$command")
    # one job or some: it must not matter
    more=''
    [ $((RANDOM % 3)) != 0 ] || more=" -j$((RANDOM % 4 + 1))"
    pick y n 'y\\nn' ''
    echo "random-$SEED-$i | $fixture+anyorder | both | - | ${picked:--} | cp$more$command"
    echo "  same cp$command"
  done
}
