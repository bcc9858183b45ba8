#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The command line, without a file system that clones: help, usage errors, values, output.
. "$(dirname "$0")/../lib.sh"
man=$(cd "$(dirname "$0")" && pwd)/../../man/lullcp.1
T=$(mktemp -d)
trap 'rm -rf "$T"' EXIT
cd "$T" || exit 99
echo data >a

expect 0 --help
same 'help: nothing on standard error' '' "$(cat "$T/err")"
same 'help: at most 80 columns' '' "$(awk 'length > 80' "$T/out")"
# each option of --help is in the man page, and the other way round
sed 's/\\-/-/g; s/\\f.//g' "$man" >"$T/man"
for o in $(grep -oE -- '--[a-z-]+' "$T/out" | sort -u); do
  check "$o is in the man page" grep -q -- "$o" "$T/man"
done
for o in $(sed -n '/^\.SH OPTIONS/,/^\.SH HOOKS/p' "$T/man" | grep -E '^\.(B|BI|BR) ' | grep -oE -- '--[a-z-]+' | sort -u); do
  check "$o is in --help" grep -q -- "$o" "$T/out"
done
expect 0 --version
check 'version' grep -qE '^lullcp [0-9]+\.[0-9]+' "$T/out"

usage() { # usage TEXT ARG...: refused with this text, and nothing made
  local text=$1
  shift
  expect 1 "$@"
  says "$text"
  says "Try 'lullcp --help' for more information."
  same 'nothing on standard output' '' "$(cat "$T/out")"
  check_not 'nothing was made' test -e b
}
usage 'missing file operand'
usage "missing destination file operand after 'a'" a
usage "extra operand 'c'" -T a b c
usage "unrecognized option '--nosuch'" --nosuch a b
usage "Did you mean '--latency-budget'?" --lateny-buget=5ms a b
usage "Did you mean '--recursive'?" --recrusive a b
usage "Did you mean '--keep'?" --kepe=3 a b
run --quxzz a b
check_not 'nothing is near' grep -q 'Did you mean' "$T/err"
run --latency-budget
check_not 'a value is missing' grep -q 'Did you mean' "$T/err"
usage "invalid option -- 'y'" -y a b
usage "option '--hook' requires an argument" a b --hook
usage "ambiguous" --re a b
usage '--quiet and --summary exclude each other' -q --summary a b
usage 'cannot make both hard and symbolic links' -ls a b
usage 'options --backup and --no-clobber are mutually exclusive' -bn a b
usage '--reflink can be used only with --sparse=auto' --sparse=always a b
usage "with --parents, the destination must be a directory" --parents a b
usage '--checkpoint takes one SOURCE' -r --checkpoint=c a b
usage "invalid argument '' for '--hook'" --hook= a b
usage '--resume and --restart exclude each other' --resume --restart a b
usage '--quiet and --verbose exclude each other' -qv a b
usage '--json and --histogram exclude each other' --json --histogram a b
expect 1 -T -t . a
says 'cannot combine --target-directory (-t) and --no-target-directory (-T)'
usage '--keep-frozen needs --hook' --keep-frozen a b
usage '--max-freeze needs --hook' --max-freeze=1s a b
usage '--keep-frozen and --max-freeze' --hook=x --keep-frozen --max-freeze=1s a b
usage "'--status' excludes '--recover'" --status --recover b
# one freeze makes all of several or none: no choice among them, and older ones survive
mkdir d
for o in --attributes-only -b --backup=numbered -f --inplace -i -l -n --no-sync --refresh \
  --remove-destination -s -u --update=none; do
  usage '--hook with several SOURCEs and' "$o" --hook=x a a2 d
  usage '--hook with several SOURCEs and' --hook=x "$o" -t d a a2
done
rmdir d # nothing was made in it
usage '--base takes one SOURCE' --refresh --base=x a a2 .
# in the quotes of the locale, as cp
l=$'\xe2\x80\x98' r=$'\xe2\x80\x99'
LC_ALL=C usage "invalid argument 'x' for '--reflink'" --reflink=x a b
usage "invalid argument ${l}x${r} for ${l}--reflink${r}" --reflink=x a b
usage "ambiguous argument ${l}a${r} for ${l}--sparse${r}" --sparse=a a b
usage "invalid argument ${l}y${r} for ${l}--preserve${r}" --preserve=mode,y a b
usage "invalid argument ${l}x${r} for ${l}backup type${r}" --backup=x a b
for value in '' 0 -1 x 257; do
  usage "for '--jobs'" -j "$value" a b
done
# cp's options are known by what cp knows them by, whatever lullcp's own are called
expect 1 --pa nosuch b
says 'with --parents, the destination must be a directory'
expect 1 --vers=x nosuch b
says "option '--version' doesn't allow an argument"
expect 1 -S --vers --up nosuch b
says "cannot stat 'nosuch'"
for value in '' 0 0ms x 10x -1 1e3 ' 1' '1 ' 1.s .5s 10MS 99999999999999999999s 40y nan inf 0x10; do
  usage "for '--latency-budget'" --latency-budget="$value" a b
  usage "for '--max-freeze'" --hook=x --max-freeze="$value" a b
  usage "for '--hook-timeout'" --hook-timeout="$value" a b
done
# an option of the hook that was not quoted with it
usage "--hook='h --socket=/x'" --hook=h --socket=/x a b
expect 1 --status .
says "'.' is a directory: give the name of a clone in it"
expect 1 --list .
says 'the DEST that --keep was given'
# a user who leaves the unit out means milliseconds
for value in 2 10 1.5; do
  usage 'Did you mean milliseconds' --latency-budget="$value" a b
done
for value in 1 0.01 2s 10000ms; do
  expect 1 --latency-budget="$value" nosuch b
  says "cannot stat 'nosuch'"
done
for value in '' x -1 10x; do
  usage "for '--checkpoint-interval'" --checkpoint-interval="$value" a b
  usage "for '--lock-wait'" --lock-wait="$value" a b
done
for value in '' 0 101 -5 1.5 80% x 4294967376; do
  usage "for '--duty-cycle'" --duty-cycle="$value" a b
done
for value in '' x yes; do
  usage "for '--progress'" --progress="$value" a b
done
for value in '' 0 -1 x 1.5 1001; do
  usage "for '--keep'" --keep="$value" a b
done
for other in --refresh --inplace --no-sync --backup -b -a -R -P -d -l -s --attributes-only --remove-destination \
  -n -i -u --update=none --verify --probe --status --recover --check-hook=x; do
  usage '--keep and ' --keep=2 $other a b
done
mkdir dir
usage '--keep and --parents exclude each other' --keep=2 --parents a dir
usage '--keep with --hook takes one SOURCE' --keep=2 --hook=true a a dir
usage 'missing file operand' --check-hook=true
usage "option '--check-hook' requires an argument" --check-hook
usage "for '--check-hook'" --check-hook= a
for other in --hook=x --max-freeze=1s --live --keep-frozen; do
  usage '--check-hook and ' --check-hook=true $other a
done
for other in --verify --probe --status --recover; do
  usage 'excludes' --check-hook=true $other a b
done
# changes
usage "for '--diff'" --diff=some a b
usage "for '--diff'" --diff= a b
usage "missing file operand after 'a'" --diff a
usage "extra operand 'c'" --diff a b c
usage 'missing file operand' --export
usage "extra operand 'b'" --export a b
usage 'missing destination file operand' --apply
usage "extra operand 'c'" --apply b c
usage '--rate needs --export' --rate=1M a b
usage '--rate needs --export' --rate=1M --apply b
usage '--format needs --export or --apply' --format=1 a b
usage '--format needs --export or --apply' --format=2 --diff a b
for value in '' 0 3 1x v1; do
  usage "for '--format'" --format="$value" --export a
done
usage '--base needs --refresh, --export or --apply' --diff --base=a a b
for value in '' 0 x 1.5M -1 1X; do
  usage "for '--rate'" --rate="$value" --export a
done
for other in --refresh --metrics=m --keep=2 --hook=x --resume --checkpoint=c --inplace --no-sync --on-writers=fail \
  -b -r --sparse=always -l -s --attributes-only --parents --remove-destination -i -n -u -p -t.; do
  # cp refuses --sparse where nothing is copied, before anything else is looked at
  for mode in --diff --export --apply; do
    files=(b)
    [ $mode != --diff ] || files=(a b)
    [ "$mode $other" != '--apply --keep=2' ] || continue
    expect 1 $mode $other "${files[@]}"
    check "$mode and $other" grep -qE "exclude each other|can be used only" "$T/err"
    check_not 'nothing was made' test -e b
  done
done
usage '--export and --json exclude each other' --export --json a
usage '--diff and --restart exclude each other' --diff --restart a b
usage '--export and --lock-wait exclude each other' --export --lock-wait=1s a
usage "'--diff' excludes '--export'" --diff --export a b
for other in -i -n -r -u -b --resume --keep=2 --hook=x --inplace; do
  usage 'exclude each other' --discard $other a
done
usage 'exclude each other' --list -f a
# abbreviations, permutation, --
expect 1 nosuch --lat=5ms b --prog=nev
says "cannot stat 'nosuch': No such file or directory"
expect 1 -- --help b
says "cannot stat '--help'"
# --json: a line for the error and one for the end, whatever happens
expect 1 --json nosuch b
same 'types' 'error summary' "$(jq -r .type "$T/out" | xargs)"
same 'schema' '1' "$(jq -r .schema "$T/out" | sort -u)"
same 'result' failed "$(field result)"
for key in run_id source dest method result size extents extents_cloned bytes_cloned \
  bytes_copied calls passes budget_ns over_budget_calls hold_ns.p50 hold_ns.p99 hold_ns.p999 \
  hold_ns.max freeze_ns elapsed_ns resumed_at; do
  check_not "summary has $key" test "$(field $key)" = null
done
same 'budget' 10000000 "$(field budget_ns)"
# a standard output that is full
# a reader that has enough, as with cp
for option in --help --version; do
  (sleep 0.2; exec "$LULLCP" $option) 2>"$T/err" | true
  same "$option to nobody" 141 "${PIPESTATUS[0]}"
  check_not 'and without a word' test -s "$T/err"
done
"$LULLCP" --help >/dev/full 2>"$T/err"
same 'standard output is full' 1 $?
says 'write error'
# called by another name
ln -s "$LULLCP" other
./other nosuch b 2>"$T/err"
says "other: cannot stat 'nosuch'"
expect 1 --status b
says 'no interrupted clone'
expect 1 --recover b
finish
