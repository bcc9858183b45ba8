#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Messages to a service manager: sd_notify, and priorities on lines that go to the journal.
. "$(dirname "$0")/../lib.sh"
command -v python3 >/dev/null || cannot_run 'needs python3'
T=$(mktemp -d)
trap 'rm -rf "$T"' EXIT
cd "$T" || exit 99

# manager SOCKET JOURNAL ARG...: runs lullcp as a service manager would. The notifications go to
# $T/told; standard error, a pipe, goes to $T/err. JOURNAL: same or other
cat >manager.py <<'END'
import os, signal, socket, subprocess, sys, time

name, journal, *command = sys.argv[1:]
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind("\0" + name[1:] if name[0] == "@" else name)
s.setblocking(False)
r, w = os.pipe()
st = os.fstat(w)
env = dict(os.environ, NOTIFY_SOCKET=name)
env["JOURNAL_STREAM"] = "%d:%d" % (st.st_dev, st.st_ino + (journal != "same"))
p = subprocess.Popen(command, env=env, stdin=subprocess.DEVNULL, stdout=2, stderr=w)
os.close(w)
term = os.environ.get("TERM_AFTER")
if term:
    time.sleep(float(term))
    p.terminate()
with open("err", "wb") as f:
    f.write(os.fdopen(r, "rb").read())
with open("told", "w") as f:
    try:
        while True:
            f.write(s.recv(65536).decode() + "\n--\n")
    except BlockingIOError:
        pass
sys.exit(p.wait() & 0xff)
END
manager() {
  rm -f sock
  rc=0
  python3 manager.py "$@" || rc=$?
}
told() { if grep -qE -- "$1" told; then ok; else bad "was not told: $1"; fi; }

head -c 3000000 /dev/urandom >a
for socket in "$T/sock" "@lullcp-test-$$"; do
  manager "$socket" other "$LULLCP" --reflink=never a b
  same 'status' 0 $rc
  told '^READY=1$'
  told "^STATUS='a'"
  told '^STOPPING=1$'
  same 'the end comes last' STOPPING=1 "$(grep -v '^--' told | tail -n 1)"
  same 'nothing said' '' "$(cat err)"
done
# how far it is, and word of the time that a thaw may take
printf '#!/bin/sh\nsleep 3\n' >hook && chmod +x hook
TERM_AFTER=1.5 manager "$T/sock" other "$LULLCP" --reflink=never --hook=./hook --hook-timeout=5s --keep=2 a g
same 'ended by the signal' 241 $rc
told "^STATUS='a': [0-9]+%, .* of 2\.9 MiB"
told '^EXTEND_TIMEOUT_USEC=35000000$'
# a socket that is not there, or none at all, is nobody's trouble
for socket in "$T/nosuch" relative '' / @ "$(printf '/%0200d' 0)" "$T"; do
  NOTIFY_SOCKET=$socket expect 0 --reflink=never a b
  silent
done

# priorities: errors, each line of them; those of getopt; warnings; the rest
manager "$T/sock" same "$LULLCP" --nosuch
same 'getopt' "<3>lullcp: unrecognized option '--nosuch'|<3>Try 'lullcp --help' for more information." \
  "$(paste -sd '|' err)"
manager "$T/sock" same "$LULLCP" nosuch b
same 'an error' "<3>lullcp: cannot stat 'nosuch': No such file or directory" "$(cat err)"
manager "$T/sock" same "$LULLCP" --reflink=never --progress=always a b
check 'progress' grep -q "^<6>'a': " err
same 'nothing without' '' "$(grep -v '^<[346]>' err)"
mkdir d && "$LULLCP" --reflink=never --keep=1 a d/g && rm d/g.2*
manager "$T/sock" same "$LULLCP" --reflink=never --keep=1 a d/g
check 'a warning' grep -q '^<4>lullcp: warning: the generation .* is gone' err
manager "$T/sock" same "$LULLCP" --status a
check 'no clone' grep -q '^<3>lullcp: no interrupted clone' err
# not when standard error has been sent elsewhere since
manager "$T/sock" other "$LULLCP" nosuch b
same 'no journal' "lullcp: cannot stat 'nosuch': No such file or directory" "$(cat err)"
manager "$T/sock" same sh -c '"$0" nosuch b 2>plain' "$LULLCP"
same 'sent elsewhere' "lullcp: cannot stat 'nosuch': No such file or directory" "$(cat plain)"
for value in x 1 1: :1 '1:2 3' "$(stat -c %d:%i /dev/null)x"; do
  JOURNAL_STREAM=$value "$LULLCP" nosuch b 2>plain
  same "JOURNAL_STREAM=$value" "lullcp: cannot stat 'nosuch': No such file or directory" "$(cat plain)"
done
finish
