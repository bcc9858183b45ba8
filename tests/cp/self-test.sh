# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# A test of the harness: compare.sh --self-test. cp itself must have no failure. A cp that gets one
# thing wrong must fail in each case that is named for it.

CASES=("$here/cases")
DIFFERENCES=$T/differences
: >"$DIFFERENCES"

try() { # try NAME...: the cases alone; what was said is in $T/said, how many failed in $n
  patterns=("$@")
  (
    # shellcheck disable=SC2030 # it is the exit status
    failures=0
    known=() ran=() hit=()
    compare >"$T/said"
    exit "$((failures > 99 ? 99 : failures))"
  )
  n=$?
}
program() { # program BODY: what stands in for lullcp; in it, real is cp itself
  printf '#!/bin/bash\nreal() { (exec -a cp /usr/bin/cp "$@"); }\n%s\n' "$1" >"$T/ours/cp"
  chmod 755 "$T/ours/cp"
}
broken() { # broken WHAT BODY NAME...: each of the cases must fail
  local what=$1 name
  program "$2"
  shift 2
  try "$@"
  for name in "$@"; do
    check "$what: $name fails" grep -q "^FAILED: $name as" "$T/said"
  done
}

used=(plain missing-source several-one-missing dot-slash-v absolute-v i-no p preserve-timestamps
  link-p link-P link-a foreign-p xattr-a acl-p acl-default foreign-caps-a hard-links-a tree-a
  sparse-auto-no-clone sparse-always-no-clone special-a special-devices-a over b odd-newline
  acl-rp over-linked wrong-sparse)
program 'real "$@"'
# This run also makes the templates, which the subshells cannot keep.
patterns=("${used[@]}")
compare >"$T/said"
# shellcheck disable=SC2031
same 'cp is like itself' 0 "$failures"
cat "$T/said"
same 'the cases' "${#used[@]}" "$n_cases"
# a run in which the templates are there
try "${used[@]}"
same 'cp is like itself again' 0 "$n"

with='real "$@"; r=$?;'
broken 'status 0 for 1' 'real "$@"; exit 0' missing-source several-one-missing wrong-sparse
broken 'status 1 for 0' "$with exit 1" plain tree-a
broken 'status 2 for 1' "$with exit \$((r * 2))" missing-source
broken 'another message' 'real "$@" 2> >(sed "s/cannot stat/cannot open/" >&2); r=$?; wait; exit $r' \
  missing-source
broken 'another name' '/usr/bin/cp "$@"' missing-source wrong-sparse
broken 'another hint' 'real "$@" 2> >(grep -v Valid >&2); r=$?; wait; exit $r' wrong-sparse
broken 'no message' 'real "$@" 2>/dev/null' missing-source i-no
broken 'message on the wrong side' 'real "$@" 2>&1' missing-source i-no
broken 'more to say' "$with echo done; exit \$r" plain
broken 'no output' 'real "$@" >/dev/null' dot-slash-v absolute-v
broken 'output on the wrong side' 'real "$@" >&2' dot-slash-v
broken 'another quoting' 'real "$@" | tr -d "\047"; exit "${PIPESTATUS[0]}"' odd-newline dot-slash-v
broken 'mode lost' 'real "$@" --no-preserve=mode' p tree-a acl-p
broken 'mode of a directory lost' "$with chmod 700 new/empty; exit \$r" tree-a
broken 'owner lost' 'real "$@" --no-preserve=ownership' foreign-p
broken 'attributes lost' 'real "$@" --no-preserve=xattr' xattr-a foreign-caps-a
broken 'an attribute changed' "$with setfattr -n user.color -v blue new; exit \$r" xattr-a
broken 'ACL lost' "$with setfacl -b new; exit \$r" acl-p acl-rp
broken 'default ACL lost' "$with setfacl -k new; exit \$r" acl-rp
broken 'default ACL not applied' "$with setfacl -b dacl/pl; exit \$r" acl-default
broken 'mtime lost' 'real "$@" --no-preserve=timestamps' p preserve-timestamps link-p tree-a
broken 'mtime wrong by 1 ns' "$with"'
t=$(stat -c %.9Y new)
touch -m -d "@${t%.*}.$(printf %09d $((10#${t#*.} + 1)))" new
exit $r' link-p
broken 'access time lost' "$with touch -a new; exit \$r" link-p
broken 'mtime of a link lost' "$with touch -h new; exit \$r" link-a
broken 'mtime of a directory lost' "$with touch new/sub; exit \$r" tree-a
broken 'mtime of the past' "$with touch -d '10 years ago' new; exit \$r" plain
broken 'contents differ' "$with printf X | dd of=new conv=notrunc status=none; exit \$r" plain
broken 'too short' "$with truncate -s -1 new; exit \$r" plain
broken 'too long' "$with truncate -s +1 new; exit \$r" plain
broken 'holes lost' 'real "$@" --sparse=never' sparse-auto-no-clone sparse-always-no-clone
broken 'holes made' 'real "$@" --sparse=always' sparse-auto-no-clone
broken 'not cloned' 'real --reflink=never "$@"' plain tree-a over
broken 'hard links lost' 'real "$@" --no-preserve=links' hard-links-a tree-a
broken 'hard link broken' 'real --remove-destination "$@"' over-linked
broken 'link followed' 'real "$@" -L' link-P
broken 'link points elsewhere' "$with ln -sfn b new; exit \$r" link-P link-a
broken 'another type' "$with rm n/p; touch n/p; exit \$r" special-a
broken 'another device' "$with rm -f m/n; mknod -m 640 m/n c 1 5; exit \$r" special-devices-a
broken 'no backup' 'real -f "${@#-b}"' b
broken 'source touched' "$with touch a; exit \$r" plain
broken 'source removed' "$with rm a; exit \$r" plain over
broken 'something left behind' "$with : >.a.tmp; exit \$r" plain missing-source
LIMIT=1
broken 'it hangs' 'sleep 60' plain
LIMIT=10
broken 'not copied' 'true' plain over tree-a

# the list of differences: what is on it is let pass, and nothing else
program "$with"' touch -m .; touch -a b; exit $r'
printf 'reason for a test\nreplaced over\n' >"$DIFFERENCES"
read_differences
try over
same 'a new time of the directory is let pass' 0 "$n"
try over-linked
same 'but not in other cases' 2 "$n"
program 'real "$@"'
try over
same 'a rule that does not apply is stale' 2 "$n"
check 'and said so' grep -q 'stale entry of differences: over/user (replaced)' "$T/said"
unset 'rule_of[over/root]' 'rule_of[over/user]'
printf 'reason for a test\ncase missing-source root\n- status 1\n+ status 3\n' >"$DIFFERENCES"
read_differences
program 'real "$@"; exit 3'
try missing-source
same 'a listed difference is let pass for its user' 1 "$n"
check 'and for no other' grep -q '^FAILED: missing-source as user' "$T/said"
program 'real "$@"; exit 4'
try missing-source
same 'another difference is not, and the entry is stale' 3 "$n"
program 'real "$@"'
try missing-source
same 'a difference that does not occur is stale' 1 "$n"
printf 'reason for a test\ncase no-such-case root\n- status 1\n+ status 3\n' >"$DIFFERENCES"
unset 'listed[missing-source/root]'
read_differences
try plain
same 'a difference of no case is stale' 1 "$n"
